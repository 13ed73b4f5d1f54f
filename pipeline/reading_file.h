/**
 * reading_file.h: a file that readings are appended to, one MessagePack map after the other.
 *
 * A full disk must not cost a reading that somebody already gave away. So room comes first: the
 * file writes zeros where its next block will go, and only what fits into that block may be
 * appended. When the zeros cannot be written nothing is lost: whoever wanted to append keeps what
 * it has. The zeros that were not needed are cut off when the file is finished.
 *
 * On file systems that copy on write or compress (btrfs, ZFS) zeros reserve nothing. A full disk
 * may then fail the write of the readings themselves, and those are counted in `lost`.
 *
 * Invariant: bytes 0 to `offset` of the file are whole readings, `count` of them.
 *
 * One thread uses a `struct reading_file` at a time, but any may read `count`.
 */
#ifndef STOCKBUS_PIPELINE_READING_FILE_H
#define STOCKBUS_PIPELINE_READING_FILE_H

#include <stdatomic.h>
#include <stdint.h>

#include "pipeline/reading.h"
#include "shared/error.h"
#include "shared/files.h"

enum {
    READING_FILE_BLOCK_SIZE = 65536
};

/** One file that a consumer writes. */
struct reading_file {
    struct files *files;    /**< what it is written through; borrowed */
    char *path;             /**< of the file, on the heap */
    int fd;                 /**< -1: closed; while it is open the file is locked */
    int64_t offset;         /**< where the next block goes */
    int64_t reserved;       /**< up to where the file has bytes on disk */
    _Atomic uint64_t count; /**< readings in bytes 0 to `offset` */
    uint64_t pending;       /**< readings in `block`, not in the file yet */
    uint64_t lost;          /**< readings that were appended and could not be written */
    unsigned char *block;   /**< what is not in the file yet, READING_FILE_BLOCK_SIZE bytes */
    size_t block_size;      /**< bytes of it that are in use */
};

/**
 * Opens file `path`, made with mode 0600 where it is missing, and takes it for this process; what
 * is in it stays. Blocks.
 *
 * Returns 0; ERROR_LOCKED when another process has it; or another error, with a sentence in
 * `*diagnostic`. Then nothing is open. reading_file_close() ends what this began.
 */
int
reading_file_open(struct reading_file *file, struct files *files, const char *path,
    struct diagnostic *diagnostic);

/**
 * Empties the file, before the first reading. Blocks.
 *
 * Returns 0, or an error with a sentence in `*diagnostic`.
 */
int
reading_file_empty(struct reading_file *file, struct diagnostic *diagnostic);

/**
 * Makes sure that readings can be appended: writes the block when it is full, and takes disk space
 * for the next. Blocks.
 *
 * Returns 0 with the number of readings that may now be appended, at least 1, in `*room`, or an
 * error with a sentence in `*diagnostic`; then nothing may be appended any more.
 */
int
reading_file_prepare(struct reading_file *file, int *room, struct diagnostic *diagnostic);

/** Appends a reading to the block in memory. Does not block; there must be room for it. */
void
reading_file_append(struct reading_file *file, const struct reading *reading);

/**
 * Writes what was appended, however little. Blocks. Not synced.
 *
 * Returns 0, or an error with a sentence in `*diagnostic`; then what was appended since the last
 * write is counted in `lost`, and nothing may be appended any more.
 */
int
reading_file_flush(struct reading_file *file, struct diagnostic *diagnostic);

/**
 * Writes what was appended, cuts the file behind its last whole reading and forces it to the disk,
 * also after an error. Blocks. The file stays this process's until reading_file_close().
 *
 * Returns 0, or the first error of these with a sentence in `*diagnostic`.
 */
int
reading_file_finish(struct reading_file *file, struct diagnostic *diagnostic);

/** Closes the file, lets go of it and frees what it has; nothing if it is closed already. */
void
reading_file_close(struct reading_file *file);

#endif
