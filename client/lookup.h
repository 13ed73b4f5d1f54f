/**
 * lookup.h: items found by their name or a part of it.
 *
 * Names are compared without regard to case, in any script, and to the way their characters are
 * composed; accents of the Latin, Greek and Cyrillic kind may be left out.
 */
#ifndef STOCKBUS_CLIENT_LOOKUP_H
#define STOCKBUS_CLIENT_LOOKUP_H

#include "shared/protocol.h"

/** Zeroed, it has no items. */
struct lookup {
    struct item *items; /**< in ascending order of UPC; names are on the heap */
    char **folded;      /**< of each item, the name as it is compared */
    size_t count;       /**< of items */
};

/** Frees what the lookup holds and leaves it without items. */
void
lookup_clear(struct lookup *lookup);

/** Takes copies of `count` items instead of those it had. Returns 0 or ERROR_MEMORY. */
int
lookup_take(struct lookup *lookup, const struct item *items, size_t count);

/**
 * Finds the items that `part` may mean: the one whose name it is, or else all that have it in their
 * name. Writes the indexes of the first `found_max` into `found`.
 *
 * Returns how many there are in all; 0 for an empty `part`.
 */
size_t
lookup_find(const struct lookup *lookup, const char *part, size_t *found, size_t found_max);

/** Returns the name of item `upc`, or NULL when it has none here. The lookup's. */
const char *
lookup_name(const struct lookup *lookup, uint64_t upc);

/**
 * Finds the UPC that was meant by `digits`, any number of them, which are no UPC or that of no
 * item: leading zeros were left out, or one digit is missing, wrong, too many, or in its
 * neighbour's place.
 *
 * Returns whether there is just one, with it in `*upc`.
 */
bool
lookup_near(const struct lookup *lookup, const char *digits, uint64_t *upc);

/** Returns `text` as it is compared, the caller's to free; NULL when there is no memory. */
char *
lookup_fold(const char *text);

#endif
