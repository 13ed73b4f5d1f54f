/**
 * records.h: files of records in memory, for the targets that read them.
 */
#ifndef STOCKBUS_TESTS_FUZZ_RECORDS_H
#define STOCKBUS_TESTS_FUZZ_RECORDS_H

#include "fuzz/seal.h"

#include "shared/store.h"
#include "support/fake_disk.h"

/** Called for each way of looking at the bytes; `disk` has them as file "input". */
typedef void
records_fn(struct fake_disk *disk);

/** Puts the bytes on a disk, as they are and sealed, and calls `each`. */
void
records_each_seal(const uint8_t *data, size_t size, records_fn *each);

/**
 * Writes the state of `fold` to snapshot `name`, reads that into `other`, an empty fold, and writes
 * it to "again": that has to succeed, and both files have to be equal.
 */
void
records_check_state(struct fake_disk *disk, const char *name, const struct store_fold *fold,
    const struct store_fold *other);

/** Have the files the same bytes? */
bool
records_equal(const struct fake_disk *disk, const char *one, const char *other);

/**
 * Reads journal "input" with `each` (see journal_read()) and holds what is said of it against its
 * bytes. Returns whether it was taken.
 */
bool
records_check_journal(struct fake_disk *disk, journal_record_fn *each, void *context);

#endif
