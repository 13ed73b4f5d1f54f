/**
 * engine.h: applies requests to a state that survives crashes: ledger, journal and snapshots.
 *
 * The server reaches the state through this alone: open, apply a batch, close. Another engine that
 * keeps these promises can take its place:
 *
 * - When engine_apply() has returned 0, every effect of the batch is on disk, and only then does
 * any reply of it show one.
 * - An order whose number was taken gives the same reply for ever, also after a crash.
 *
 * One thread uses an engine, but for engine_upkeep(), which is meant for another.
 */
#ifndef STOCKBUS_BROKER_ENGINE_H
#define STOCKBUS_BROKER_ENGINE_H

#include "broker/counters.h"
#include "broker/ledger.h"
#include "shared/files.h"
#include "shared/store.h"

struct engine;

/** A request and the reply to it. Large: keep it on the heap. */
struct exchange {
    struct request request;           /**< what is asked */
    struct reply reply;               /**< the answer, once engine_apply() has returned 0 */
    struct item page[PAGE_ITEMS_MAX]; /**< the engine's: what the reply may borrow from */
};

/** What the engine takes from the world, so that a test can give it another one. */
struct environment {
    struct files *files; /**< the caller's; the engine's thread and the upkeep's use it */
    void (*random)(void *data, size_t size); /**< unpredictable bytes */
    uint64_t (*now_ms)(void);                /**< since 1970, for the records */
    uint64_t (*now_us)(void); /**< of a clock that never goes back; NULL: no time is measured */
};

/** What engine_open() is told. All of it is only read while that runs. */
struct engine_options {
    const char *directory;       /**< of the data */
    int64_t segment_size;        /**< bytes of one journal; at least twice what a batch may take */
    size_t batch_max;            /**< requests of one batch */
    struct ledger_limits limits; /**< of the ledger */
    /** Fills the stock of a new directory. Returns 0 or an error, with the reason. */
    int (*fill)(void *context, struct stock *stock, struct diagnostic *diagnostic);
    void *fill_context; /**< given to `fill` */
};

/** Returns the smallest segment size that batches of `batch_max` requests allow, in bytes. */
int64_t
engine_segment_size_min(size_t batch_max);

/**
 * Opens the data directory: locks it, recovers, and writes what was recovered to new files.
 *
 * Returns 0 with `*engine`; ERROR_LOCKED, ERROR_DAMAGED, an error of `fill`, ERROR_MEMORY or a file
 * error, with a sentence in `diagnostic`. `*report` tells what recovery found. Blocks.
 */
int
engine_open(struct engine **engine, const struct environment *environment,
    const struct engine_options *options, struct store_report *report,
    struct diagnostic *diagnostic) __attribute__((warn_unused_result));

/** Returns what a store does with a broker's records: the fold over `ledger`. For reading alone. */
struct store_fold
engine_fold(struct ledger *ledger);

/** Returns the ledger, to look at it and to give accounts. Borrowed. */
struct ledger *
engine_ledger(struct engine *engine);

/**
 * Returns the counters, for the server to add what it sees: answers, turns, logins. Borrowed. The
 * engine counts records and syncs, and fills in how far it has come when it answers `stats`.
 */
struct counters *
engine_counters(struct engine *engine);

/** May the request change anything? If not, engine_apply() with it alone waits for no disk. */
bool
engine_may_change(const struct request *request);

/**
 * Decides `count` requests in order and makes their effects durable, with one sync for all.
 *
 * Requests that change nothing cost no sync. Where the disk has no room, those that would change
 * something are answered no_space and change nothing. Returns 0 with every reply filled in; any
 * error is final: no reply may go out, and the engine can only be closed without keeping. Blocks
 * for the sync.
 */
int
engine_apply(struct engine *engine, struct exchange *const *exchanges, size_t count,
    struct diagnostic *diagnostic) __attribute__((warn_unused_result));

/** Fills in what every reply has: history, and the position as it is now. For other replies. */
void
engine_stamp(const struct engine *engine, struct reply *reply);

/** Is there work for engine_upkeep()? Any thread; does not block. */
bool
engine_wants_upkeep(const struct engine *engine);

/**
 * Does the slow work beside the requests; see store_upkeep(). One other thread; blocks.
 *
 * Returns 0; an error that may pass, when it may be tried again later; or an error after
 * which the broker must stop.
 */
int
engine_upkeep(struct engine *engine, struct diagnostic *diagnostic)
    __attribute__((warn_unused_result));

/**
 * Closes the engine and makes `*engine` NULL; NULL already is fine. With `keep`, which is for an
 * orderly end, the state is written to a last snapshot. Returns 0 or the error of that.
 */
int
engine_close(struct engine **engine, bool keep, struct diagnostic *diagnostic);

#endif
