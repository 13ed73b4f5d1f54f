/**
 * usage.h: what is wrong with a command line, told with the word that may have been meant.
 */
#ifndef STOCKBUS_SHARED_USAGE_H
#define STOCKBUS_SHARED_USAGE_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    USAGE_DISTANCE_START = 3 /**< of words that are too far apart to be taken for each other */
};

/**
 * Returns in how many places two words differ: letters changed, missing, too many or swapped. The
 * size of ASCII letters is none.
 */
size_t
usage_distance(const char *left, const char *right);

/**
 * Is the option `name` nearer to `word` than `*distance`, which begins as USAGE_DISTANCE_START?
 * Then `*distance` is how near.
 */
bool
usage_is_nearer(const char *word, const char *name, size_t *distance);

/**
 * Says on standard error what is wrong with the option that getopt_long() answered with `answer`,
 * which is '?' or ':' (its short options begin with a colon). `word` is the word it stands in,
 * `known` the table of options.
 */
void
usage_complain(const char *program, const struct option *known, int answer, const char *word);

#endif
