/** sum_store.h: the simplest state that a store can keep, and directories of it for its tests. */
#ifndef STOCKBUS_TESTS_SUM_STORE_H
#define STOCKBUS_TESTS_SUM_STORE_H

#include <sys/types.h>

#include "shared/store.h"

/** The state: a sum, and how many numbers went into it. */
struct sum {
    uint64_t total;
    uint64_t count;
};

/** Small journals, of a history 1 to 8. */
extern const struct store_options sum_store_options;

/** The files of the first two generations. */
#define SNAPSHOT_1 "snapshot-0000000001.msgpack"
#define SNAPSHOT_2 "snapshot-0000000002.msgpack"
#define JOURNAL_1  "journal-0000000001.msgpack"
#define JOURNAL_2  "journal-0000000002.msgpack"

/** Returns what a store does with numbers: the fold over `sum`. */
struct store_fold
sum_store_fold(struct sum *sum);

/** Opens a directory that must be good. */
struct store *
sum_store_open(const char *directory, struct sum *sum, struct store_report *report);

/** Adds a number and syncs it. */
void
sum_store_add(struct store *store, struct sum *sum, uint64_t number);

/** Leaves a directory behind as a kill would: two generations, five numbers in each. */
void
sum_store_make(const char *directory);

/** Opens and closes a directory that must have the numbers 1 to `count`. */
void
sum_store_expect(const char *directory, uint64_t count, struct store_report *report);

/** Returns the path of a file in a directory; valid until the next call. */
const char *
sum_store_path(const char *directory, const char *name);

/** Changes one bit of the byte at `at`. */
void
sum_store_flip(const char *directory, const char *name, off_t at);

/** Returns the bytes of a file. */
off_t
sum_store_size(const char *directory, const char *name);

#endif
