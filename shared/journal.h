/**
 * journal.h: a file of numbered records, each with a checksum that is chained to the one before.
 *
 * A file is a plain stream of MessagePack objects. Each record is an array of three:
 *
 *     [number, body, checksum]
 *
 * The number is written as uint 64 and grows by one a record; the body is any one object; the
 * checksum is a byte string of 16, BLAKE2b (RFC 7693) over the salt of the file, the checksum of
 * the record before, and the bytes of this record up to the checksum's own header. The first record
 * is the file's header; it has salt and previous checksum zero, and its checksum is the salt of all
 * that follow, so that old bytes of another file on the same disk blocks never pass for records of
 * this one.
 *
 * A file may end in zeros, which were written ahead of time so that appending does not change its
 * size. A writer appends one record, syncs, and only then appends the next. So a bad record with a
 * good one behind it is damage, and a bad record with none behind it is one that was being written.
 *
 * One thread uses a `struct journal` at a time. Reading needs no struct and changes nothing.
 */
#ifndef STOCKBUS_SHARED_JOURNAL_H
#define STOCKBUS_SHARED_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/error.h"
#include "shared/files.h"
#include "shared/limits.h"
#include "shared/pack.h"

enum {
    CHECKSUM_SIZE = 16,
    JOURNAL_KIND_SIZE = 16,
    JOURNAL_VERSION = 1,
};

/** What the first record of a file tells about the rest. */
struct journal_header {
    char kind[JOURNAL_KIND_SIZE];    /**< what the bodies are, in a word */
    uint8_t history[HISTORY_SIZE];   /**< of the directory, made with it */
    uint64_t generation;             /**< number of the file in its directory */
    uint64_t first;                  /**< number of the record that follows the header */
    uint8_t previous[CHECKSUM_SIZE]; /**< checksum of the record before that, in another file */
};

/** A file that is being appended to. */
struct journal {
    struct files *files;             /**< what it is written through; borrowed */
    int fd;                          /**< -1: none is open */
    uint64_t next;                   /**< number of the next record */
    int64_t offset;                  /**< where it goes */
    int64_t size_zeroed;             /**< up to where zeros were written; 0: the file grows */
    uint8_t previous[CHECKSUM_SIZE]; /**< checksum of the last record */
    unsigned char *room;   /**< salt, previous checksum, record: what is hashed, in one run */
    struct buffer record;  /**< over the third part of `room` */
    msgpack_packer packer; /**< writes into `record` */
};

/**
 * Makes file `path`, empties it, writes `size` zeros, and syncs them. Blocks; any thread.
 *
 * Returns 0 with the descriptor in `*fd`, the caller's to close or to give to journal_start(), or
 * an error; then the file is removed again.
 */
int
journal_zero(struct files *files, const char *path, int64_t size, int *fd);

/**
 * The same in small pieces, each synced, beside a journal that is being appended to: its sync waits
 * for whatever is under way on the disk. Takes longer.
 */
int
journal_zero_gently(struct files *files, const char *path, int64_t size, int *fd);

/**
 * Begins a file: writes its header at the start of `fd`, an empty file or one that journal_zero()
 * made with `size_zeroed` bytes. Not synced.
 *
 * Records of up to `record_size_max` bytes may follow. Returns 0 or an error; the descriptor is the
 * journal's from here on, in both cases.
 */
int
journal_start(struct journal *journal, struct files *files, int fd, int64_t size_zeroed,
    size_t record_size_max, const struct journal_header *header)
    __attribute__((warn_unused_result));

/** Cuts off the zeros that were not used, when `cut`, closes the file and frees the memory. */
void
journal_close(struct journal *journal, bool cut);

/**
 * Bytes that the largest body may have that still fits before the zeros end; for a file that grows,
 * what one record may have.
 */
size_t
journal_room(const struct journal *journal);

/**
 * Begins a record: the caller packs exactly one object with the packer that is returned, and calls
 * journal_append(). What was begun and not appended is forgotten by the next journal_begin().
 */
msgpack_packer *
journal_begin(struct journal *journal);

/**
 * Ends the record and writes it, at once, without syncing it.
 *
 * Returns 0; ERROR_TOO_LARGE when the record or the file's zeros are too small for it, with nothing
 * written; or a file error, after which the file must not be appended to again.
 */
int
journal_append(struct journal *journal) __attribute__((warn_unused_result));

/** Forces what was appended to the disk. Blocks. After an error the file must not be used again. */
int
journal_sync(struct journal *journal) __attribute__((warn_unused_result));

/** How the records of a file end. */
enum journal_tail {
    JOURNAL_ENDS, /**< nothing but zeros, or nothing at all, follows the last record */
    JOURNAL_TORN, /**< bytes follow that are no record, and no record follows them */
};

/** What journal_read() found. */
struct journal_summary {
    struct journal_header header;    /**< of the file */
    uint64_t next;                   /**< number that the next record would have */
    uint8_t previous[CHECKSUM_SIZE]; /**< checksum of the last record */
    int64_t end;                     /**< offset behind the last good record */
    int64_t end_torn;                /**< offset behind the last byte that is not zero */
    enum journal_tail tail;          /**< what is behind that */
};

/**
 * Called with each record's number, body and offset. The body is borrowed for the call. A non-zero
 * return ends the reading with it.
 */
typedef int
journal_record_fn(void *context, uint64_t number, const msgpack_object *body, int64_t offset,
    struct diagnostic *diagnostic);

/**
 * Reads the header of a file alone. Returns 0, ERROR_DAMAGED when it is bad, ERROR_MEMORY or a file
 * error, with a sentence in `diagnostic`. Blocks.
 */
int
journal_read_header(struct files *files, const char *path, struct journal_header *header,
    struct diagnostic *diagnostic);

/**
 * Reads a file from its start and calls `each` (NULL: nobody) with every record behind the header.
 *
 * Returns 0 with `*summary`, also when the tail is torn; ERROR_DAMAGED when the header is bad or a
 * good record follows a bad one; an error of `each`; or a file error. `diagnostic` then names file,
 * offset and reason. Blocks; holds the whole file in memory.
 */
int
journal_read(struct files *files, const char *path, journal_record_fn *each, void *context,
    struct journal_summary *summary, struct diagnostic *diagnostic)
    __attribute__((warn_unused_result));

#endif
