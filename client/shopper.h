/**
 * shopper.h: what a client does, without a network, a clock or a source of chance.
 *
 * A shopper carries out one errand at a time. shopper_begin_*() starts it; while the answer is
 * SHOPPER_SEND, the caller sends the bytes of shopper_request() and gives the reply to
 * shopper_receive(); SHOPPER_WAIT means the same bytes again after shopper_wait_ms(); SHOPPER_END
 * that shopper_result() tells what came of it. When no reply comes, the caller may send the same
 * bytes again as often as it likes, and ends the errand with shopper_give_up().
 *
 * What goes to disk is written through the local inventory before the function returns: an order
 * before its bytes can be had, an outcome before SHOPPER_END.
 *
 * An order that was left pending is settled before any other errand but a ping: its bytes are sent
 * again, and the reply decides. What a reply means for a pending order:
 *
 *     reply                       bytes sent once, answered  bytes sent before, outcome unknown
 *     ok                          made                       made
 *     unknown_item,
 *     insufficient_stock,
 *     forbidden, too_large,
 *     order_voided                refused for ever           refused for ever
 *     order_reused                not made: the number went  the same
 *                                 to another order
 *     busy                        the same bytes again       the same bytes again
 *     busy, until the caller
 *     gives up                    released                   stays pending
 *     no_space                    released                   stays pending
 *     bad_request, wrong_version,
 *     forbidden and too_large
 *     without an order's number   released                   disputed
 *     order_stale, order_gap      released, session dropped  disputed
 *     session_ended,
 *     not_logged_in               released, session dropped  disputed
 *     anything that is no reply   stays pending              stays pending
 *     no reply                    stays pending              stays pending
 *
 * Made and refused orders have used their number. A released one was not made and will not be: the
 * broker has said so of every copy that was sent, and its number is free. A disputed one stays
 * pending with the outcome OUTCOME_UNKNOWN, because the broker can no longer tell whether it was
 * made: only the user can end it, by voiding it, where the broker still has the session, or by
 * setting it aside.
 *
 * A logout that was begun is finished before anything that needs the session, which is then refused
 * as not logged in: copies of the logout may be under way, and whatever was ordered before them in
 * the same session could no longer be asked about.
 *
 * Every reply must come from the broker's data that this state directory has dealt with, and from
 * no earlier a position than was seen; the outcome of an order from a later position than was seen
 * before the order was written down. Any other reply ends the errand and changes nothing.
 *
 * One thread.
 */
#ifndef STOCKBUS_CLIENT_SHOPPER_H
#define STOCKBUS_CLIENT_SHOPPER_H

#include "client/local_inventory.h"
#include "client/outcome.h"

struct shopper;

/** What the caller does next. */
enum shopper_step {
    SHOPPER_SEND, /**< sends shopper_request() and waits for a reply */
    SHOPPER_WAIT, /**< waits shopper_wait_ms(), then the same */
    SHOPPER_END,  /**< looks at shopper_result() */
};

/** An order that came to an end, or did not. */
struct shopper_order {
    bool exists;        /**< otherwise the rest is of no meaning */
    struct order order; /**< what it asked for */
    enum status status; /**< how it ended; STATUS_OK: it was made */
};

/** What came of an errand. */
struct shopper_result {
    enum outcome outcome;       /**< how the errand ended */
    const char *error;          /**< a word for programs; NULL when all is well. Static */
    struct diagnostic message;  /**< a sentence for a person; empty when all is well */
    struct reply reply;         /**< the last one, without items; zero when there was none */
    struct shopper_order order; /**< the errand's own order; for resolve and void the pending one */
    struct shopper_order before; /**< an order pending from before that was settled on the way */
    const struct item *items;    /**< of a view, in ascending order of UPC; the shopper's */
    size_t item_count;           /**< of items */
};

/**
 * Returns a shopper over `inventory`, which must outlive it, or NULL when there is no memory. Free
 * with shopper_free().
 */
struct shopper *
shopper_new(struct local_inventory *inventory);

/** Frees `*shopper` and makes it NULL; NULL already is fine. Its secrets are wiped. */
void
shopper_free(struct shopper **shopper);

/** Begins to ask the broker for nothing but a reply. */
enum shopper_step
shopper_begin_ping(struct shopper *shopper);

/** Begins to ask the broker for its figures; `reply.stats` of the result has them. */
enum shopper_step
shopper_begin_stats(struct shopper *shopper);

/**
 * Begins to log in, after logging out whoever is logged in. `user` and `password` are texts within
 * the limits, and copied; `nonce` is NONCE_SIZE random bytes, new for each login.
 */
enum shopper_step
shopper_begin_login(
    struct shopper *shopper, const char *user, const char *password, const uint8_t *nonce);

/**
 * Begins to look at the broker's stock: at all of it when `count` is 0, otherwise at these UPCs, at
 * most ORDER_LINES_MAX, in any order.
 */
enum shopper_step
shopper_begin_view(struct shopper *shopper, const uint64_t *upcs, size_t count);

/** Begins an order, a purchase or a restock, of `count` lines (1 to ORDER_LINES_MAX). */
enum shopper_step
shopper_begin_order(
    struct shopper *shopper, enum operation operation, const struct line *lines, size_t count);

/** Begins to settle the pending order, if there is one. */
enum shopper_step
shopper_begin_resolve(struct shopper *shopper);

/** Begins to give up the pending order: if the broker has not made it yet, it never will. */
enum shopper_step
shopper_begin_void(struct shopper *shopper);

/** As resolve; but if the broker disputes the order, it is set aside and no longer pending. */
enum shopper_step
shopper_begin_set_aside(struct shopper *shopper);

/** Begins to log out. */
enum shopper_step
shopper_begin_logout(struct shopper *shopper);

/**
 * Gives the bytes to send. Borrowed until the next call but this one.
 *
 * Each call counts as a sending: bytes that were asked for twice, with no reply between, may have
 * reached the broker twice.
 */
void
shopper_request(struct shopper *shopper, const void **data, size_t *size);

/** Takes a reply of `size` bytes and returns what to do next. */
enum shopper_step
shopper_receive(struct shopper *shopper, const void *data, size_t size);

/** Returns how long to wait before the next request, in milliseconds. */
int64_t
shopper_wait_ms(const struct shopper *shopper);

/** Would the errand end well without the reply that is awaited? Then it is worth little waiting. */
bool
shopper_may_give_up(const struct shopper *shopper);

/** Is the errand a login? Then a request of it has the password. */
bool
shopper_is_login(const struct shopper *shopper);

/** Writes what the reply that is awaited is about, as in "waiting for …". */
void
shopper_describe_wait(const struct shopper *shopper, char *text, size_t size);

/**
 * Ends the errand because no reply comes; `reason` says why, as the beginning of a sentence ("no
 * answer from …"). Returns SHOPPER_END.
 */
enum shopper_step
shopper_give_up(struct shopper *shopper, const char *reason);

/** Returns what came of the errand. Borrowed until the next one begins. */
const struct shopper_result *
shopper_result(const struct shopper *shopper);

#endif
