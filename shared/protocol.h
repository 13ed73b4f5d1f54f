/**
 * protocol.h: requests and replies, and how they travel as MessagePack.
 *
 * PROTOCOL.md is the contract; this is its C form. A request or a reply is one map. Decoding checks
 * every bound before it believes anything, allocates only in the caller's `struct unpacked`, and
 * fills plain structs; encoding writes into a buffer of the caller and allocates nothing. The
 * functions stand in protocol.c (words), request.c and reply.c; those of the figures in stats.h.
 */
#ifndef STOCKBUS_SHARED_PROTOCOL_H
#define STOCKBUS_SHARED_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/error.h"
#include "shared/limits.h"
#include "shared/pack.h"
#include "shared/upc.h"

/** X(name, word on the wire) */
#define OPERATION_LIST(X)           \
    X(OPERATION_PING, "ping")       \
    X(OPERATION_LOGIN, "login")     \
    X(OPERATION_VIEW, "view")       \
    X(OPERATION_BUY, "buy")         \
    X(OPERATION_RESTOCK, "restock") \
    X(OPERATION_VOID, "void")       \
    X(OPERATION_LOGOUT, "logout")   \
    X(OPERATION_STATS, "stats")

/** What is asked. */
enum operation {
#define OPERATION_NAME(name, word) name,
    OPERATION_LIST(OPERATION_NAME)
#undef OPERATION_NAME
    OPERATION_COUNT
};

/** X(name, word on the wire, what it means to a person) */
#define STATUS_LIST(X)                                                                          \
    X(STATUS_OK, "ok", "done")                                                                  \
    X(STATUS_BAD_REQUEST, "bad_request", "the request is not understood")                       \
    X(STATUS_WRONG_VERSION, "wrong_version", "the broker does not speak this protocol version") \
    X(STATUS_TOO_LARGE, "too_large", "something is larger than the broker allows")              \
    X(STATUS_NOT_LOGGED_IN, "not_logged_in", "log in first")                                    \
    X(STATUS_BAD_CREDENTIALS, "bad_credentials", "wrong user name or password")                 \
    X(STATUS_FORBIDDEN, "forbidden", "this user may not do that")                               \
    X(STATUS_UNKNOWN_ITEM, "unknown_item", "there is no such item")                             \
    X(STATUS_INSUFFICIENT_STOCK, "insufficient_stock", "there are not enough units left")       \
    X(STATUS_ORDER_REUSED, "order_reused", "the order number was used for another order")       \
    X(STATUS_ORDER_STALE, "order_stale", "the order number is older than the last one")         \
    X(STATUS_ORDER_GAP, "order_gap", "the order number skips one")                              \
    X(STATUS_ORDER_VOIDED, "order_voided", "the order was given up and will never be made")     \
    X(STATUS_SESSION_ENDED, "session_ended", "the session has ended; log in again")             \
    X(STATUS_BUSY, "busy", "the broker is busy; ask again")                                     \
    X(STATUS_NO_SPACE, "no_space", "the broker's disk is full; ask again later")

/** What became of a request. */
enum status {
#define STATUS_NAME(name, word, text) name,
    STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
    STATUS_COUNT
};

/** Units of one item, of an order or of a delivery. */
struct line {
    uint64_t upc;   /**< of the item, 0 to UPC_MAX */
    uint64_t units; /**< 1 to UNITS_MAX */
};

/** An item with the units that are on hand. */
struct item {
    uint64_t upc;     /**< 0 to UPC_MAX */
    uint64_t units;   /**< 0 to LEVEL_MAX */
    const char *name; /**< UTF-8, with a zero at the end; borrowed */
};

/** X(name, word on the wire, what it means to a person) */
#define STATS_NUMBER_LIST(X)                                               \
    X(STATS_UPTIME_MS, "uptime_ms", "up for")                              \
    X(STATS_SESSIONS, "sessions", "sessions open")                         \
    X(STATS_LOGINS_QUEUED, "logins_queued", "logins being checked")        \
    X(STATS_LOGINS_CROWDED, "logins_crowded", "logins sent away, crowded") \
    X(STATS_JOURNAL, "journal", "journal number")                          \
    X(STATS_JOURNAL_BYTES, "journal_bytes", "journal bytes")               \
    X(STATS_SNAPSHOT, "snapshot", "snapshot number")

/** Figures that are one number. */
enum stats_number {
#define STATS_NUMBER_NAME(name, word, text) name,
    STATS_NUMBER_LIST(STATS_NUMBER_NAME)
#undef STATS_NUMBER_NAME
    STATS_NUMBER_COUNT
};

/** X(name, word on the wire, what it means to a person) */
#define STATS_TALLY_LIST(X)                       \
    X(STATS_TURNS, "turns", "requests a turn")    \
    X(STATS_RECORDS, "records", "changes a sync") \
    X(STATS_SYNCS_US, "syncs_us", "microseconds a sync")

/** Figures that are counted by their size. */
enum stats_tally {
#define STATS_TALLY_NAME(name, word, text) name,
    STATS_TALLY_LIST(STATS_TALLY_NAME)
#undef STATS_TALLY_NAME
    STATS_TALLY_COUNT
};

enum {
    TALLY_BUCKETS = 32,
    STATS_VERSION_SIZE = 32
};

/** Values that were counted by their size; see tally_add(). */
struct tally {
    uint64_t count;                  /**< of values */
    uint64_t total;                  /**< of all values */
    uint64_t max;                    /**< the largest of them */
    uint64_t buckets[TALLY_BUCKETS]; /**< 0: zeros; b: values from 2^(b-1) to 2^b - 1, the last
                                          one all above */
};

/** What a broker has counted since it began to serve, and what it has open. */
struct stats {
    char version[STATS_VERSION_SIZE];        /**< of the broker's program */
    uint64_t numbers[STATS_NUMBER_COUNT];    /**< by enum stats_number */
    struct tally tallies[STATS_TALLY_COUNT]; /**< by enum stats_tally */
    /** Requests answered, by operation and status; the last row: those that were no request. */
    uint64_t requests[OPERATION_COUNT + 1][STATUS_COUNT];
};

/** A decoded request. Members that the operation does not have are zero. */
struct request {
    enum operation operation;           /**< says which of the others count */
    uint64_t session;                   /**< all but ping and login: 1 to NUMBER_MAX */
    uint8_t token[TOKEN_SIZE];          /**< with it: the session's secret */
    uint64_t order;                     /**< buy, restock, void: 1 to NUMBER_MAX */
    size_t line_count;                  /**< buy, restock: at least 1; view: 0 for all items */
    struct line lines[ORDER_LINES_MAX]; /**< view: only the UPCs */
    bool continues;                     /**< view: only items behind `after` */
    uint64_t after;                     /**< view: the last UPC of the page before */
    uint8_t nonce[NONCE_SIZE];    /**< login: random, the same in each repetition of one login */
    char user[USER_SIZE_MAX + 1]; /**< login */
    char password[PASSWORD_SIZE_MAX + 1]; /**< login; wipe it after use */
};

enum {
    MESSAGE_TEXT_SIZE = 200
};

/** A reply. Which members it has depends on operation and status; the others are zero. */
struct reply {
    enum status status;              /**< what became of the request */
    uint8_t history[HISTORY_SIZE];   /**< of the broker's data */
    uint64_t position;               /**< of the last record on disk; of an order: its own record */
    char message[MESSAGE_TEXT_SIZE]; /**< any status but ok: for a person to read */
    uint64_t session;                /**< login */
    uint8_t token[TOKEN_SIZE];       /**< login, on the wire where `session` is not 0 */
    uint64_t order;                  /**< outcome of an order: its number */
    uint64_t units;                  /**< an order that was filled: its units in all */
    uint64_t upc;                    /**< unknown_item, insufficient_stock: which item */
    uint64_t available;              /**< insufficient_stock: its level then */
    uint64_t retry_ms;               /**< busy: how long to wait before asking again */
    bool is_page;                    /**< a view: the next three count */
    const struct item *items;        /**< borrowed, in ascending order of UPC */
    size_t item_count;               /**< at most PAGE_ITEMS_MAX */
    bool more;                       /**< items follow behind the last one of this page */
    const struct stats *stats;       /**< stats: the figures; borrowed, otherwise NULL */
};

/** Returns the word of `status` on the wire. Static. */
const char *
status_word(enum status status);

/** Is `word` the word of a status? Then it is in `*status`. */
bool
status_parse(const msgpack_object *word, enum status *status);

/** Is `word` the word of an operation? Then it is in `*operation`. */
bool
operation_parse(const msgpack_object *word, enum operation *operation);

/** Bounds of every message, for guard_measure() and unpack(). */
extern const struct guard_bounds message_bounds;

/** Returns what `status` means, for a person. Static. */
const char *
status_text(enum status status);

/** Returns the word of `operation` on the wire. Static. */
const char *
operation_word(enum operation operation);

/**
 * Can a reply with this status be the outcome of an order, the same for ever (filled, refused or
 * voided)? It is one if, and only if, it has the order's number, too: too_large and forbidden may
 * also refuse a request that was never decided.
 */
bool
status_settles_order(enum status status);

/**
 * Packs `request` into `buffer`. It must hold to the bounds of limits.h. Look at `buffer->overflow`
 * afterwards; MESSAGE_SIZE_MAX bytes are always enough.
 */
void
request_encode(struct buffer *buffer, const struct request *request);

/**
 * Decodes `size` bytes into `*request`, using `unpacked` for memory.
 *
 * Returns STATUS_OK, or the status to refuse the request with (bad_request, wrong_version,
 * too_large; busy when memory is short) and a sentence in `message` (MESSAGE_TEXT_SIZE bytes) that
 * names the member and the reason. `*request` is then of no use.
 */
enum status
request_decode(struct unpacked *unpacked, const void *data, size_t size, struct request *request,
    char *message);

/**
 * Packs `reply` into `buffer`. Look at `buffer->overflow` afterwards.
 *
 * Equal structs give equal bytes: that is how a remembered reply is the same byte for byte.
 */
void
reply_encode(struct buffer *buffer, const struct reply *reply);

/** Bytes that `item` takes in a page, at most. A page of PAGE_ITEMS_MAX may be too large. */
size_t
reply_item_size(const struct item *item);

/** Where a page has to end at the latest: bytes of its items in all. */
enum {
    PAGE_SIZE_MAX = MESSAGE_SIZE_MAX - 512
};

/** Memory for the items of one decoded reply. */
struct reply_memory {
    struct unpacked unpacked;          /**< the reply's own */
    struct item items[PAGE_ITEMS_MAX]; /**< its page */
    char names[MESSAGE_SIZE_MAX];      /**< with a zero behind each */
    struct stats stats;                /**< its numbers */
};

/** Returns the memory for decoding replies, or NULL when there is none. Free with
 * reply_memory_free. */
struct reply_memory *
reply_memory_new(void);

/** Frees `*memory` and makes it NULL; NULL already is fine. */
void
reply_memory_free(struct reply_memory **memory);

/**
 * Decodes `size` bytes into `*reply`; items, names and figures are in `memory` until the next call.
 *
 * Members that this version does not know are passed over; one that it knows stands once at most.
 * Returns 0; ERROR_DAMAGED with a sentence in `diagnostic` when the bytes are no reply of
 * PROTOCOL_VERSION; or ERROR_MEMORY.
 */
int
reply_decode(struct reply_memory *memory, const void *data, size_t size, struct reply *reply,
    struct diagnostic *diagnostic);

#endif
