/**
 * stock.h: the items of the broker and their levels, in one flat table in ascending order of UPC.
 *
 * Items are added when the stock is made or loaded; afterwards only levels change.
 */
#ifndef STOCKBUS_BROKER_STOCK_H
#define STOCKBUS_BROKER_STOCK_H

#include "broker/index.h"
#include "shared/protocol.h"

struct name_block;

/** All items, found by their UPC. */
struct stock {
    struct item *items;       /**< in ascending order of UPC */
    size_t count;             /**< of items */
    size_t count_max;         /**< room in `items` */
    struct index index;       /**< UPC to row */
    struct name_block *names; /**< where the names are kept; they never move */
};

/** Makes an empty stock. */
void
stock_init(struct stock *stock);

/** Frees everything; the stock is empty again. */
void
stock_clear(struct stock *stock);

/**
 * Adds an item behind those that are there. `name` has `name_size` bytes and is copied.
 *
 * Returns 0; ERROR_INVALID when `upc` is not above the last one; or ERROR_MEMORY.
 */
int
stock_add(struct stock *stock, uint64_t upc, const char *name, size_t name_size, uint64_t units);

/** Returns the item with `upc`, or NULL. It may change its units, and stays where it is. */
struct item *
stock_find(const struct stock *stock, uint64_t upc);

/** Returns the number of the first item whose UPC is above `upc`; `count` when there is none. */
size_t
stock_first_after(const struct stock *stock, uint64_t upc);

#endif
