/**
 * local_state.h: what a client remembers, in memory.
 *
 * Session, pending order, items of each user, and how far the broker's data had come when it was
 * last heard of. Nothing here reads or writes a file: local_record.h turns records into changes of
 * this state, and local_inventory.h decides which records are written.
 *
 * Invariant: while somebody is logged in, the broker's history is known. While an order is pending
 * there is a session that is not being left, the order's number is the session's next one, and its
 * position is at most the highest that the broker was seen at.
 */
#ifndef STOCKBUS_CLIENT_LOCAL_STATE_H
#define STOCKBUS_CLIENT_LOCAL_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/limits.h"
#include "shared/protocol.h"

/** What was ordered, by whom. */
struct order {
    enum operation operation;           /**< OPERATION_BUY or OPERATION_RESTOCK */
    char user[USER_SIZE_MAX + 1];       /**< with a zero at the end */
    uint64_t session;                   /**< whose order it is */
    uint64_t number;                    /**< 1, 2, 3 … in its session */
    size_t line_count;                  /**< at least 1 */
    struct line lines[ORDER_LINES_MAX]; /**< as they were asked for */
};

/** An order whose outcome is not on disk yet. */
struct pending {
    bool exists;         /**< otherwise the rest is of no meaning */
    struct order order;  /**< what the bytes ask for */
    uint64_t position;   /**< of the broker's data, as known when the order was written down */
    size_t request_size; /**< bytes of `request` */
    unsigned char request[MESSAGE_SIZE_MAX]; /**< the exact bytes to send, however often */
};

/** The last order that came to an end. */
struct last_order {
    bool exists;                  /**< otherwise the rest is of no meaning */
    enum operation operation;     /**< OPERATION_BUY or OPERATION_RESTOCK */
    char user[USER_SIZE_MAX + 1]; /**< who ordered */
    uint64_t session;             /**< in which it was made */
    uint64_t number;              /**< of the order in its session */
    enum status status;           /**< how it ended */
};

/** An order that broker and client disagree about, set aside by the user. */
struct aside {
    struct order order; /**< what was ordered */
    enum status status; /**< what the broker said when it was asked about it */
};

/** The items that one user has bought. */
struct holder {
    char user[USER_SIZE_MAX + 1]; /**< who has them */
    struct line *lines;           /**< in ascending order of UPC, each UPC once */
    size_t count;                 /**< of lines */
    size_t room;                  /**< in `lines` */
};

/** What an item is called. */
struct item_name {
    uint64_t upc; /**< of the item */
    char *text;   /**< on the heap, with a zero at the end */
};

/** All of it. */
struct local_state {
    char user[USER_SIZE_MAX + 1]; /**< who is, or was last, logged in; empty: nobody ever was */
    bool is_logged_in;            /**< otherwise session to is_leaving are of no meaning */
    uint64_t session;             /**< its number */
    uint8_t token[TOKEN_SIZE];    /**< its secret */
    uint64_t order_next;          /**< number of the session's next order */
    bool is_leaving; /**< a logout may be under way: the session takes no order any more */

    bool has_history; /**< a broker has been dealt with; otherwise the next two are zero */
    uint8_t history[HISTORY_SIZE]; /**< of that broker's data */
    uint64_t position;             /**< the highest that the broker was seen at */

    struct pending pending; /**< at most one order */
    struct last_order last; /**< for resolve and void to tell of */

    struct holder *holders;  /**< in the order in which they first bought */
    size_t holder_count;     /**< of them */
    struct item_name *names; /**< in ascending order of UPC */
    size_t name_count;       /**< of them */
    size_t name_room;        /**< in `names` */
    struct aside *asides;    /**< in the order in which they were put aside */
    size_t aside_count;      /**< of them */
};

/** Frees what the state holds and makes it empty. A zeroed struct is an empty state. */
void
local_state_clear(struct local_state *state);

/** Returns the items of `user`, or NULL when there are none. Borrowed until the next change. */
const struct holder *
local_state_find_holder(const struct local_state *state, const char *user);

/** Has any user an item with this UPC? */
bool
local_state_holds(const struct local_state *state, uint64_t upc);

/** Returns the name of item `upc`, or NULL when it is not known. Borrowed until the next change. */
const char *
local_state_find_name(const struct local_state *state, uint64_t upc);

/**
 * Adds `units` of item `upc` to what `user` has. Returns 0, ERROR_MEMORY, or ERROR_DAMAGED when
 * that would be more than 64 bits hold, which no purchases come to.
 */
int
local_state_add_units(struct local_state *state, const char *user, uint64_t upc, uint64_t units);

/** Remembers that item `upc` is called by the `size` bytes at `text`. Returns 0 or ERROR_MEMORY. */
int
local_state_set_name(struct local_state *state, uint64_t upc, const char *text, size_t size);

/** Sets a copy of `order` aside. Returns 0 or ERROR_MEMORY. */
int
local_state_add_aside(struct local_state *state, const struct order *order, enum status status);

/** Raises the position that the broker was seen at; a lower one changes nothing. */
void
local_state_see(struct local_state *state, uint64_t position);

#endif
