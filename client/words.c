#include "client/words.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum {
    WORD_SIZE_MAX = 32 /* longer words are compared as far as that */
};

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

static size_t
least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static bool
is_same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

size_t
words_distance(const char *left, const char *right)
{
    size_t left_size = strnlen(left, WORD_SIZE_MAX);
    size_t right_size = strnlen(right, WORD_SIZE_MAX);
    size_t cost[WORD_SIZE_MAX + 1][WORD_SIZE_MAX + 1];
    for (size_t i = 0; i <= left_size; i++) {
        for (size_t j = 0; j <= right_size; j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            size_t change = is_same(left[i - 1], right[j - 1]) ? 0 : 1;
            cost[i][j] = least(cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change);
            if (i > 1 && j > 1 && is_same(left[i - 1], right[j - 2]) &&
                is_same(left[i - 2], right[j - 1]) && cost[i - 2][j - 2] + 1 < cost[i][j]) {
                cost[i][j] = cost[i - 2][j - 2] + 1;
            }
        }
    }
    return cost[left_size][right_size];
}
