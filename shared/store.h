/**
 * store.h: a directory that keeps a state as snapshots and journals, and gives it back after a
 * crash.
 *
 * Broker and client keep their data in the same way; what a record means is theirs. The directory
 * holds generations: snapshot-N is the state right before the first record of journal-N, and
 * journal-N+1 follows journal-N. So the newest good snapshot and every journal from its number on
 * are the state. Two snapshots are kept, and the journals from the older one on.
 *
 *     lock                          taken by the one process that may use the directory
 *     snapshot-0000000041.msgpack   see snapshot.h
 *     journal-0000000041.msgpack    see journal.h
 *     journal.spare                 zeros, the next journal to be
 *     *.torn, *.damaged             what recovery has set aside; never read again
 *
 * Recovery, as decided by what is found (a test walks this table):
 *
 *     nothing, or journals without any record      a new directory
 *     newest snapshot good                         load it, replay the journals from its number on
 *     newest snapshot damaged, an older one good   the same from there; warn; set it aside
 *     no snapshot good                             damaged
 *     a journal missing, or not chained            damaged
 *     a bad record, a good one behind it           damaged
 *     bad bytes at the end of the last journal     set them aside, cut them off, go on
 *     the same in one that another journal follows go on, if that one is chained
 *
 * Damage is never repaired by guessing: the store stays closed and says file and offset.
 *
 * One thread uses a store, but for store_upkeep(), which is meant for another.
 */
#ifndef STOCKBUS_SHARED_STORE_H
#define STOCKBUS_SHARED_STORE_H

#include "shared/journal.h"
#include "shared/snapshot.h"

struct store;

/** What the owner of the state does with records. `state` is passed through. */
struct store_fold {
    const char *kind; /**< "broker" or "client": stands in every file */
    void *state;      /**< given to the functions */
    /** Makes the state as empty as it was made. */
    void (*clear)(void *state);
    /** Takes in one record of a snapshot. Returns 0 or an error, with the reason. */
    int (*load)(void *state, const msgpack_object *body, struct diagnostic *diagnostic);
    /** Takes in the record of a journal with number `number`. Returns 0 or an error, likewise. */
    int (*apply)(
        void *state, uint64_t number, const msgpack_object *body, struct diagnostic *diagnostic);
    /** Writes the records of a snapshot with snapshot_begin() and snapshot_append(). */
    int (*save)(void *state, struct snapshot *snapshot);
};

/** What store_open() is told. */
struct store_options {
    int64_t segment_size;              /**< bytes of zeros in a journal; 0: it grows, and is one */
    size_t record_size_max;            /**< bytes that one record may have */
    uint8_t history_new[HISTORY_SIZE]; /**< random; becomes the history of a new directory */
};

/** What recovery found, for those who want to tell about it. */
struct store_report {
    bool is_new;                  /**< the directory held no data */
    uint64_t snapshot_generation; /**< the snapshot that was loaded */
    uint64_t records;             /**< records replayed behind it */
    uint64_t torn_bytes;          /**< bytes behind the last good record that were set aside */
    struct diagnostic warning;    /**< of a snapshot that was damaged; empty: none was */
};

/**
 * Opens `directory`, making it where it is missing, locks it, and recovers its state into the fold.
 *
 * Writes nothing but what recovery sets aside. Returns 0 with `*store`, the caller's to close;
 * ERROR_LOCKED, ERROR_DAMAGED, ERROR_MEMORY or a file error, with a sentence in `diagnostic`.
 * Blocks. `fold` is copied; its state must live as long as the store.
 */
int
store_open(struct store **store, struct files *files, const char *directory,
    const struct store_fold *fold, const struct store_options *options, struct store_report *report,
    struct diagnostic *diagnostic) __attribute__((warn_unused_result));

/**
 * Writes the state to a new snapshot with a new journal behind it, and syncs both: what was
 * recovered from pages that a disk may have failed to write is written again before it is relied
 * on.
 *
 * Must come before the first record. Returns 0 or an error (ERROR_NO_SPACE among them); the store
 * can then only be closed. Blocks.
 */
int
store_start(struct store *store, struct diagnostic *diagnostic) __attribute__((warn_unused_result));

/** Has store_start() been called with success? */
bool
store_is_started(const struct store *store);

/** Returns the HISTORY_SIZE bytes that were drawn when the directory was made. Borrowed. */
const uint8_t *
store_history(const struct store *store);

/** Returns the number of the last record. */
uint64_t
store_position(const struct store *store);

/** How far the files of a store have come. */
struct store_extent {
    uint64_t generation;          /**< of the journal that is being appended to */
    uint64_t journal_size;        /**< bytes of its records so far, header and all */
    uint64_t snapshot_generation; /**< of the newest snapshot */
};

/** Returns it, once the store was started. Does not block. */
struct store_extent
store_measure(const struct store *store);

/**
 * Makes sure that a record with a body of `body_size` bytes can be appended, beginning another
 * journal where this one is too full. That blocks.
 *
 * Returns 0; an error that may pass (error_may_pass()), with nothing changed, so that it may be
 * tried again; or an error after which the store can only be closed.
 */
int
store_reserve(struct store *store, size_t body_size) __attribute__((warn_unused_result));

/** Begins a record: pack one object and call store_append(). See journal_begin(). */
msgpack_packer *
store_begin(struct store *store);

/**
 * Appends the record and returns 0, or an error after which the store can only be closed (but for
 * ERROR_TOO_LARGE, with nothing written). The record is not durable before store_sync().
 */
int
store_append(struct store *store) __attribute__((warn_unused_result));

/** Forces appended records to the disk. Blocks. After an error the store can only be closed. */
int
store_sync(struct store *store) __attribute__((warn_unused_result));

/** Returns whether there is work for store_upkeep(). Any thread; does not block. */
bool
store_wants_upkeep(const struct store *store);

/**
 * Does the slow work beside the appending: makes the next journal of zeros ready, and, once four
 * journals have filled up since the last snapshot, writes a snapshot of them and removes what it
 * makes superfluous.
 *
 * The snapshot is made from the files alone with `scratch`, a second fold with an empty state: the
 * live state is not touched and appending does not wait. Meant for one other thread; blocks.
 * Returns 0 or an error; after one that may pass it may be called again.
 */
int
store_upkeep(struct store *store, struct store_fold *scratch, struct diagnostic *diagnostic);

/**
 * Closes the store and makes `*store` NULL; NULL already is fine. With `keep`, and when it was
 * started, the state is written to a last snapshot first. Returns 0 or the error of that.
 */
int
store_close(struct store **store, bool keep, struct diagnostic *diagnostic);

#endif
