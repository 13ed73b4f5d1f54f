/**
 * words.h: a line that was typed, as words; and the word that was probably meant.
 */
#ifndef STOCKBUS_CLIENT_WORDS_H
#define STOCKBUS_CLIENT_WORDS_H

#include <stddef.h>

#include "shared/error.h"

/**
 * Splits `line` in place at white space. Double quotes hold a word together and are taken away; a
 * word that begins with '#' begins a comment.
 *
 * Returns 0 with up to `count_max` words, which point into `line`, and a NULL behind the last (so
 * there is room for `count_max` + 1); or ERROR_INVALID (a quote is open, too many words).
 */
int
words_split(
    char *line, char **words, size_t count_max, size_t *count, struct diagnostic *diagnostic);

#endif
