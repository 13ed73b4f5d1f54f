/**
 * event.h: what happened to the ledger, and how a journal holds it.
 *
 * One turn of the broker is one record of the journal: [time in ms, [event, event, ...]]. An event
 * is an array that begins with its word; PROTOCOL.md lists them.
 */
#ifndef STOCKBUS_BROKER_EVENT_H
#define STOCKBUS_BROKER_EVENT_H

#include "broker/sessions.h"
#include "shared/error.h"
#include "shared/protocol.h"

/** X(name, word in the journal, fields behind it) */
#define EVENT_LIST(X)              \
    X(EVENT_LOGIN, "login", 4)     \
    X(EVENT_LOGOUT, "logout", 2)   \
    X(EVENT_BUY, "buy", 5)         \
    X(EVENT_RESTOCK, "restock", 5) \
    X(EVENT_REFUSE, "refuse", 7)   \
    X(EVENT_VOID, "void", 3)

/** What an event does. */
enum event_kind {
#define EVENT_NAME(name, word, size) name,
    EVENT_LIST(EVENT_NAME)
#undef EVENT_NAME
    EVENT_KIND_COUNT
};

/** One event. Members that its kind does not have are of no meaning. */
struct event {
    enum event_kind kind;                /**< says which of the others count */
    uint64_t session;                    /**< all but none: whose event it is */
    char user[USER_SIZE_MAX + 1];        /**< login */
    uint8_t token_hash[TOKEN_HASH_SIZE]; /**< login */
    uint64_t order;                      /**< buy, restock, refuse, void */
    uint64_t body;                       /**< buy, restock, refuse: hash of what was ordered */
    enum status status;                  /**< refuse */
    uint64_t upc;                        /**< refuse */
    uint64_t available;                  /**< refuse */
    size_t line_count;                   /**< buy, restock */
    struct line lines[ORDER_LINES_MAX];  /**< ascending, each UPC once */
};

/** Returns the bytes that the event of `request` takes in the journal, at most. */
size_t
event_size_max(const struct request *request);

/** Packs `event`. */
void
event_encode(msgpack_packer *packer, const struct event *event);

/** Takes an event apart. Returns 0, or ERROR_DAMAGED with the reason. */
int
event_decode(const msgpack_object *object, struct event *event, struct diagnostic *diagnostic);

#endif
