#include "shared/usage.h"

#include "shared/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    WORD_SIZE_MAX = 32 /* longer words are compared as far as that */
};

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
usage_distance(const char *left, const char *right)
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

bool
usage_is_nearer(const char *word, const char *name, size_t *distance)
{
    size_t found = usage_distance(word, name);
    if (found >= *distance || found > strlen(name) / 2) {
        return false;
    }
    *distance = found;
    return true;
}

void
usage_complain(const char *program, const struct option *known, int answer, const char *word)
{
    char name[WORD_SIZE_MAX];
    char shown[TEXT_SHOWN_SIZE];
    char escaped[TEXT_ESCAPE_SIZE * sizeof shown];
    const char *bare = word + strspn(word, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(bare, "="), bare);
    const char *nearest = NULL;
    size_t distance = USAGE_DISTANCE_START;
    for (size_t i = 0; answer == '?' && known[i].name != NULL; i++) {
        if (usage_is_nearer(name, known[i].name, &distance)) {
            nearest = known[i].name;
        }
    }
    word = text_escape(text_shorten(word, shown), escaped, sizeof escaped);
    if (nearest != NULL && distance > 0) {
        fprintf(stderr, "%s: %s is no option; did you mean --%s?\n", program, word, nearest);
    } else if (nearest != NULL) {
        fprintf(stderr, "%s: --%s takes no value; '%s --help' lists the options\n", program, name,
            program);
    } else {
        fprintf(stderr, "%s: %s %s; '%s --help' lists the options\n", program, word,
            answer == '?' ? "is no option" : "wants a value", program);
    }
}
