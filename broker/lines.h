/**
 * lines.h: configuration files of one entry a line, as users.conf and inventory.conf are.
 *
 * Blank lines and lines that begin with '#' say nothing. Words are separated by blanks or tabs.
 */
#ifndef STOCKBUS_BROKER_LINES_H
#define STOCKBUS_BROKER_LINES_H

#include "shared/error.h"

/**
 * Called with each line, without its end, and its number from 1; may change the line. A non-zero
 * return ends the reading with it, and `diagnostic` should then hold the reason.
 */
typedef int
lines_fn(void *context, char *line, long number, struct diagnostic *diagnostic);

/**
 * Reads file `path`. Returns 0; an error of `each` with "path: line N: " put before its reason; or
 * ERROR_INVALID for a line of more than 4,000 bytes or with a zero byte, and for a file that cannot
 * be read: it is configuration, and the configuration is wrong. Blocks.
 */
int
lines_read(const char *path, lines_fn *each, void *context, struct diagnostic *diagnostic);

/**
 * Cuts the next word off `*rest`, ends it with a zero, and moves `*rest` to what follows the blanks
 * behind it. Returns the word, empty when there is none.
 */
char *
lines_word(char **rest);

#endif
