/**
 * fake_disk.h: a disk in memory that forgets what was not synced, behind `struct files`.
 *
 * A file has what a reader sees and what is on the platter. They are joined like this:
 *
 * - A write changes what is seen. At power loss each sector of 512 bytes that was written since
 *   the last sync of the file is, for itself, as it was at that sync or as it was after any of the
 *   writes since: so a write may be dropped, torn between sectors, or overtaken by a later one.
 * - So is the size of the file, but for order: changes of size happen one after the other. Where a
 *   file grew and the bytes did not reach the disk, it holds zeros, or old bytes of another file.
 * - fdatasync and fsync of a file make its bytes and its size durable. Neither makes its name so.
 * - A name that was made, renamed or removed is durable after fsync of its directory. At power loss
 *   each change since then has, for itself, happened or not; a rename has as a whole.
 * - A sync of a file that fails leaves its bytes and its size unsynced for ever, as Linux does: a
 *   later sync succeeds without them. The names of a directory can be synced again.
 * - Descriptors and locks are gone with the process, and with the power.
 *
 * Names are looked up from one root; "a" and "/a" are the same, and renames stay in one directory.
 *
 * A hook is asked before every call and may let it fail or take the power away. There are no
 * threads, no clock and no chance in here: the same calls and choices make the same disk. Memory
 * that cannot be had ends the program.
 */
#ifndef STOCKBUS_TESTS_FAKE_DISK_H
#define STOCKBUS_TESTS_FAKE_DISK_H

#include "shared/files.h"
#include "support/choices.h"

#include <stdio.h>

struct fake_disk;

/* X(name, word) */
#define FAKE_CALL_LIST(X)                           \
    X(FAKE_OPEN, "open")                            \
    X(FAKE_CLOSE, "close")                          \
    X(FAKE_PREAD, "pread")                          \
    X(FAKE_PWRITE, "pwrite")                        \
    X(FAKE_FDATASYNC, "fdatasync")                  \
    X(FAKE_FSYNC, "fsync")                          \
    X(FAKE_FSYNC_DIRECTORY, "fsync of a directory") \
    X(FAKE_FTRUNCATE, "ftruncate")                  \
    X(FAKE_SIZE, "size")                            \
    X(FAKE_LOCK, "lock")                            \
    X(FAKE_RENAME, "rename")                        \
    X(FAKE_UNLINK, "unlink")                        \
    X(FAKE_MKDIR, "mkdir")                          \
    X(FAKE_LIST_DIRECTORY, "list")

enum fake_call {
#define FAKE_CALL_NAME(name, word) name,
    FAKE_CALL_LIST(FAKE_CALL_NAME)
#undef FAKE_CALL_NAME
    FAKE_CALL_COUNT
};

/** What a hook wants of a call, besides a negative errno value, with which it fails. */
enum fake_verdict {
    FAKE_GO = 0,     /**< do it */
    FAKE_SHORT,      /**< pwrite, pread: do half of it, at least a byte; others are done */
    FAKE_LIE,        /**< do nothing and say that it is done */
    FAKE_LOSE_POWER, /**< this call and all later ones do nothing and fail with EIO */
};

/** Asked before call `number` (from 1). May also leave by longjmp. Returns a verdict. */
typedef int
fake_disk_before_fn(void *context, enum fake_call call, uint64_t number);

/** Told after each call that `before` was asked about. */
typedef void
fake_disk_after_fn(void *context);

/** Makes an empty disk without end. fake_disk_free() frees it. */
struct fake_disk *
fake_disk_new(void);

/** Frees `*disk` and makes it NULL; NULL already is fine. */
void
fake_disk_free(struct fake_disk **disk);

/** Returns a copy, unsynced changes, descriptors and all, without hooks. */
struct fake_disk *
fake_disk_clone(const struct fake_disk *disk);

/** Returns the table of calls that work on the disk. Borrowed. */
struct files *
fake_disk_files(struct fake_disk *disk);

/** Sets the hooks; NULL: none. */
void
fake_disk_set_hooks(
    struct fake_disk *disk, fake_disk_before_fn *before, fake_disk_after_fn *after, void *context);

/**
 * Bounds the bytes of all files together; INT64_MAX: no bound. Beyond it writes are short or fail
 * with ENOSPC, and no names are made. What is there already may be overwritten.
 */
void
fake_disk_set_capacity(struct fake_disk *disk, int64_t capacity);

/** Returns the bytes of all files together, removed ones that are still open included. */
int64_t
fake_disk_used(const struct fake_disk *disk);

/** Returns how many calls were made so far. */
uint64_t
fake_disk_calls(const struct fake_disk *disk);

/** Has a hook taken the power away? */
bool
fake_disk_is_down(const struct fake_disk *disk);

/** Lets the process end: descriptors and locks go, what it wrote stays to be seen. */
void
fake_disk_kill(struct fake_disk *disk);

/**
 * Takes the power away and gives it back: the disk then holds what was synced, and of the rest what
 * `choices` picks. Always the first possibility means that nothing unsynced survives; always the
 * last, that all does.
 */
void
fake_disk_crash(struct fake_disk *disk, struct choices *choices);

/** Returns how many states fake_disk_crash() could lead to, at most; UINT64_MAX: at least that. */
uint64_t
fake_disk_crash_states(const struct fake_disk *disk);

/** Do both show the same names with the same bytes? What is synced is not compared. */
bool
fake_disk_equal(const struct fake_disk *a, const struct fake_disk *b);

/** Returns a hash of the names and bytes that are seen: equal disks have equal ones. */
uint64_t
fake_disk_hash(const struct fake_disk *disk);

/** Returns the bytes of file `path`, borrowed until it changes, with their number in `*size`; or
 * NULL when there is no such file. No call is counted. */
const unsigned char *
fake_disk_get(const struct fake_disk *disk, const char *path, size_t *size);

/** Makes file `path` hold `size` bytes, all synced, its name too. Its directory must be there. No
 * call is counted. */
void
fake_disk_put(struct fake_disk *disk, const char *path, const void *data, size_t size);

/** Writes the tree to `out`: names, sizes, and how much of each is not synced. */
void
fake_disk_dump(const struct fake_disk *disk, FILE *out);

/** Returns the word for `call`. Static. */
const char *
fake_call_word(enum fake_call call);

#endif
