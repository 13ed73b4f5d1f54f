/**
 * view.h: the items of a view, put together from its pages.
 *
 * Either all items are wanted, then each page continues behind the last UPC of the one before; or
 * those of a list, then they are asked for in runs that fit one reply.
 */
#ifndef STOCKBUS_CLIENT_VIEW_H
#define STOCKBUS_CLIENT_VIEW_H

#include "shared/protocol.h"

/** Zeroed, it is a view of all items that has begun. */
struct view {
    uint64_t *wanted;    /**< ascending, each once; NULL: all items */
    size_t wanted_count; /**< of `wanted` */
    size_t wanted_at;    /**< what is asked for next */
    struct item *items;  /**< what came, ascending; names are on the heap */
    size_t count;        /**< of items */
    size_t room;         /**< in `items` */
};

/** Frees what the view holds and begins a view of all items. */
void
view_clear(struct view *view);

/** Makes it a view of these UPCs; only after view_clear(). Returns 0 or ERROR_MEMORY. */
int
view_want(struct view *view, const uint64_t *upcs, size_t count);

/** Fills in which page `request` asks for. */
void
view_ask(const struct view *view, struct request *request);

/**
 * Takes in a page. Returns 0 with whether there is another one in `*more`; ERROR_DAMAGED when the
 * page does not follow from what was asked; or ERROR_MEMORY.
 */
int
view_take(struct view *view, const struct reply *reply, bool *more);

/** Returns the name of item `upc`, if it is in the view, or NULL. Borrowed. */
const char *
view_find_name(const struct view *view, uint64_t upc);

#endif
