#include "client/words.h"

#include <stdbool.h>
#include <string.h>

static bool
is_space(char character)
{
    return character != '\0' && strchr(" \t\r\n\v\f", character) != NULL;
}

/* Moves the word at `*rest` together, without its quotes. Returns false when one stays open. */
static bool
take_word(char **rest)
{
    char *from = *rest;
    char *to = *rest;
    bool quoted = false;
    while (*from != '\0' && (quoted || !is_space(*from))) {
        if (*from == '"') {
            quoted = !quoted;
        } else {
            *to++ = *from;
        }
        from++;
    }
    *rest = *from == '\0' ? from : from + 1;
    *to = '\0';
    return !quoted;
}

int
words_split(
    char *line, char **words, size_t count_max, size_t *count, struct diagnostic *diagnostic)
{
    size_t found = 0;
    char *rest = line;
    for (;;) {
        while (is_space(*rest)) {
            rest++;
        }
        if (*rest == '\0' || *rest == '#') {
            words[found] = NULL;
            *count = found;
            return 0;
        }
        if (found == count_max) {
            return diagnostic_set(
                diagnostic, ERROR_INVALID, "more than %zu words in a line", count_max);
        }
        words[found++] = rest;
        if (!take_word(&rest)) {
            return diagnostic_set(diagnostic, ERROR_INVALID, "a quote is never closed");
        }
    }
}
