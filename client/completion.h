/**
 * completion.h: what may stand where somebody is typing.
 */
#ifndef STOCKBUS_CLIENT_COMPLETION_H
#define STOCKBUS_CLIENT_COMPLETION_H

#include "client/lookup.h"

/** What is being typed. */
enum completion_kind {
    COMPLETION_NONE,
    COMPLETION_COMMAND, /**< a command and its arguments */
    COMPLETION_ITEM     /**< an item alone, without quotes */
};

/** What may stand instead of the word before the cursor. Zeroed, it is nothing. */
struct completion {
    size_t start; /**< byte of the line where that word begins */
    char **words; /**< as they are to be typed */
    size_t count; /**< of words */
    size_t room;  /**< in `words` */
};

/** Will completing `line` need to know the items? */
bool
completion_wants_items(enum completion_kind kind, const char *line);

/**
 * Finds the words that may stand at the end of `line`, which ends where the cursor is. `completion`
 * is the caller's to clear. Returns 0 or ERROR_MEMORY.
 */
int
completion_find(struct completion *completion, enum completion_kind kind,
    const struct lookup *items, const char *line);

/**
 * Returns what all words have in common if that is more than `typed`, the end of the line from
 * `start` on; else NULL. The caller's to free.
 */
char *
completion_common(const struct completion *completion, const char *typed);

/** Frees what it holds and makes it nothing. */
void
completion_clear(struct completion *completion);

#endif
