/**
 * snapshot.h: a whole state in a file that is either there complete or not there.
 *
 * A snapshot is a file of records as in journal.h. Its last record's body is a bare integer, the
 * number of records between it and the header. It is written under a temporary name, synced, given
 * its name, and the directory is synced: only then does snapshot_commit() return 0.
 */
#ifndef STOCKBUS_SHARED_SNAPSHOT_H
#define STOCKBUS_SHARED_SNAPSHOT_H

#include "shared/journal.h"

/** A snapshot that is being written. */
struct snapshot {
    struct journal journal;          /**< the file, which is written like one */
    uint64_t first;                  /**< number of the record behind the header */
    int64_t synced;                  /**< up to where it is on disk */
    char directory[FILES_PATH_SIZE]; /**< where it will be */
    char path[FILES_PATH_SIZE];      /**< its name in the end */
    char temporary[FILES_PATH_SIZE]; /**< its name until then */
};

/** Size that one record of a snapshot may have: writers start another before it is full. */
enum {
    SNAPSHOT_RECORD_SIZE = 1024 * 1024
};

/**
 * Begins a snapshot that will be `directory`/`name`. Blocks.
 *
 * Returns 0, after which the caller ends it with snapshot_commit() or snapshot_abandon(), or an
 * error, after which nothing is left to end.
 */
int
snapshot_create(struct snapshot *snapshot, struct files *files, const char *directory,
    const char *name, const struct journal_header *header) __attribute__((warn_unused_result));

/** Begins a record of the snapshot; see journal_begin(). */
msgpack_packer *
snapshot_begin(struct snapshot *snapshot);

/** Ends the record and writes it; see journal_append(). */
int
snapshot_append(struct snapshot *snapshot) __attribute__((warn_unused_result));

/** Makes the snapshot complete and durable under its name. Blocks. The snapshot is ended either
 * way. */
int
snapshot_commit(struct snapshot *snapshot) __attribute__((warn_unused_result));

/** Ends the snapshot and removes what was written of it. */
void
snapshot_abandon(struct snapshot *snapshot);

/**
 * Reads snapshot `path` and calls `each` with every record between the header and the last.
 *
 * Returns 0 with the header in `*header`; ERROR_DAMAGED when any byte of it is bad or missing; an
 * error of `each`; or a file error. `diagnostic` names file, offset and reason. What `each` made of
 * the records is valid only when 0 is returned.
 */
int
snapshot_read(struct files *files, const char *path, journal_record_fn *each, void *context,
    struct journal_header *header, struct diagnostic *diagnostic)
    __attribute__((warn_unused_result));

#endif
