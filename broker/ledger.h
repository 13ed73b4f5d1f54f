/**
 * ledger.h: stock, sessions and the outcome of each session's last order, as a pure state machine.
 *
 * A request goes in, a reply and at most one event come out (ledger_decide); events change the
 * state (ledger_apply), now or when a journal is replayed. The ledger does no I/O, reads no clock
 * and draws no random number. Levels never fall below zero: what would do so is refused.
 *
 * How an order's number is taken (`last` is the session's last one):
 *
 *     number     order                            void
 *     < last     order_stale                      order_stale
 *     = last     same body: the same reply again  the same reply again
 *                other body: order_reused
 *                voided: order_voided
 *     last + 1   decided, remembered              never made from now on: order_voided, remembered
 *     > last+1   order_gap                        order_gap
 */
#ifndef STOCKBUS_BROKER_LEDGER_H
#define STOCKBUS_BROKER_LEDGER_H

#include "broker/event.h"
#include "broker/sessions.h"
#include "broker/stock.h"

/** How many sessions may be open. */
struct ledger_limits {
    uint32_t sessions_max;      /**< in all */
    uint32_t sessions_user_max; /**< of one user */
};

/** The whole state of a broker. */
struct ledger {
    struct stock stock;          /**< what is on hand */
    struct sessions sessions;    /**< who is logged in, and what each ordered last */
    struct ledger_limits limits; /**< for logins */
};

/** What a decision needs besides the request. */
struct facts {
    uint64_t position;         /**< number of the record that the event would go into */
    uint8_t token[TOKEN_SIZE]; /**< login: random, for the new session */
    struct item *page; /**< view: room for PAGE_ITEMS_MAX items, which the reply will borrow */
};

/** Makes an empty ledger on the heap; NULL when memory is short. ledger_free() frees it. */
struct ledger *
ledger_new(const struct ledger_limits *limits);

/** Frees `*ledger` and makes it NULL; NULL already is fine. */
void
ledger_free(struct ledger **ledger);

/** Forgets stock, sessions and accounts. */
void
ledger_clear(struct ledger *ledger);

/** Takes away every user's account, before ledger_permit() gives them anew. Sessions stay. */
void
ledger_forbid_all(struct ledger *ledger);

/** Gives user `name` an account. Returns 0 or ERROR_MEMORY. Not journalled: it is configuration. */
int
ledger_permit(struct ledger *ledger, const char *name, bool may_restock)
    __attribute__((warn_unused_result));

/**
 * Decides `request`, changing neither stock nor sessions nor what is remembered of orders. A login
 * looks for the memory that its event would take: it may add a user without account and sessions,
 * and let tables grow, which nothing shows.
 *
 * Fills `*reply` but for its history, and its position where that is not an order's own (0). Items
 * of a view are borrowed from the ledger or from the facts. Returns whether there is an event in
 * `*event` to be journalled and applied; only then may the reply go out, after it is on disk. A
 * login is taken to be verified.
 */
bool
ledger_decide(struct ledger *ledger, const struct request *request, const struct facts *facts,
    struct reply *reply, struct event *event);

/**
 * Applies an event that is record `position` of the journal.
 *
 * Returns 0; ERROR_DAMAGED with the reason when it does not fit the state, which only a damaged
 * journal can bring about; or ERROR_MEMORY. The state is then of no more use.
 */
int
ledger_apply(struct ledger *ledger, const struct event *event, uint64_t position,
    struct diagnostic *diagnostic) __attribute__((warn_unused_result));

/** Returns the units on hand of all items together. */
uint64_t
ledger_units(const struct ledger *ledger);

#endif
