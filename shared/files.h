/**
 * files.h: the one table of file calls that all programs keep their data through.
 *
 * Everything that Stockbus keeps goes through these calls, so that a test can put another table in
 * their place: one that fails the n-th call, or one whose disk forgets what was not synced.
 *
 * The members of the table behave like the system calls of the same name with two differences: a
 * failure is returned as a negative errno value, and the descriptor may be any non-negative number
 * that the table gave out. Code above uses the functions below, which finish short writes, repeat
 * interrupted calls and return the codes of error.h.
 */
#ifndef STOCKBUS_SHARED_FILES_H
#define STOCKBUS_SHARED_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Called with the name of each entry of a directory; the name is borrowed for the call. */
typedef void
files_list_fn(void *context, const char *name);

/** The table. Each call does what the system's does, and returns its result or a negative errno. */
struct files {
    /** Returns the descriptor. */
    int (*open)(struct files *files, const char *path, int flags, mode_t mode);
    /** Whatever it returns, the descriptor is gone. */
    int (*close)(struct files *files, int fd);
    /** May return less than `size`. */
    ssize_t (*pread)(struct files *files, int fd, void *data, size_t size, int64_t offset);
    /** May write less than `size`. */
    ssize_t (*pwrite)(struct files *files, int fd, const void *data, size_t size, int64_t offset);
    int (*fdatasync)(struct files *files, int fd);               /**< blocks for the disk */
    int (*fsync)(struct files *files, int fd);                   /**< blocks for the disk */
    int (*ftruncate)(struct files *files, int fd, int64_t size); /**< what grows is zero */
    int64_t (*size)(struct files *files, int fd);                /**< bytes of the file */
    int (*lock)(struct files *files, int fd); /**< exclusive flock, without waiting */
    int (*rename)(struct files *files, const char *from, const char *to); /**< replaces `to` */
    int (*unlink)(struct files *files, const char *path);                 /**< of a file */
    int (*mkdir)(struct files *files, const char *path, mode_t mode);     /**< of one folder */
    /** Names every entry but "." and "..", in no order. */
    int (*list)(struct files *files, const char *path, files_list_fn *each, void *context);
};

/** Returns the table of the operating system. It is static, and any thread may use it. */
struct files *
files_system(void);

/**
 * Opens `path` with the flags of open(2); O_CLOEXEC is added, and new files get mode 0600.
 *
 * Returns 0 with the descriptor in `*fd`, or an error. The caller closes it with files_close().
 */
int
files_open(struct files *files, const char *path, int flags, int *fd);

/** Closes `*fd` unless it is negative, and makes it -1. Errors of close carry no news and are lost.
 */
void
files_close(struct files *files, int *fd);

/** Writes all of `data` at `offset`. Blocks. Returns 0 or an error; then any part may be written.
 */
int
files_write(struct files *files, int fd, const void *data, size_t size, int64_t offset);

/**
 * Reads up to `size` bytes at `offset` into `data`; fewer only where the file ends. Blocks.
 *
 * Returns 0 with the number of bytes in `*got`, or an error.
 */
int
files_read(struct files *files, int fd, void *data, size_t size, int64_t offset, size_t *got);

/** Forces the data of `fd`, and what is needed to read it again, to the disk. Blocks. */
int
files_sync_data(struct files *files, int fd);

/** Forces data and all attributes of `fd` to the disk. Blocks. */
int
files_sync(struct files *files, int fd);

/** Cuts or extends the file to `size` bytes. */
int
files_resize(struct files *files, int fd, int64_t size);

/** Returns 0 with the size of the file, in bytes, in `*size`. */
int
files_size(struct files *files, int fd, int64_t *size);

/**
 * Reads a whole file of at most `size_max` bytes to the heap, and puts a zero behind them that
 * `*size` does not count. Returns 0, ERROR_TOO_LARGE, ERROR_MEMORY or a file error. The caller
 * frees `*data`.
 */
int
files_read_all(
    struct files *files, const char *path, size_t size_max, unsigned char **data, size_t *size);

/** Renames `from` to `to`, replacing it. Not on disk before files_sync_directory(). */
int
files_rename(struct files *files, const char *from, const char *to);

/** Removes the file `path`; one that is not there is removed already. */
int
files_remove(struct files *files, const char *path);

/** Forces the names in directory `path` to the disk. Blocks. */
int
files_sync_directory(struct files *files, const char *path);

/** Makes directory `path` with mode 0700, its parents too, and syncs each parent it added to. */
int
files_make_directory(struct files *files, const char *path);

/**
 * Forces the names of directory `path` and of those above it to the disk: who finds a directory
 * cannot know whether it was made durable. Directories that may not be opened are passed over.
 */
int
files_sync_parents(struct files *files, const char *path);

/** Calls `each` with every name in `path` but "." and "..", in no order. */
int
files_list(struct files *files, const char *path, files_list_fn *each, void *context);

/**
 * Takes directory `path` for this process: opens and locks the file "lock" in it.
 *
 * Returns 0 with the descriptor that holds the lock in `*fd` (files_close() lets go, as does the
 * end of the process), ERROR_LOCKED when another process has it, or another error. Does not wait.
 */
int
files_lock_directory(struct files *files, const char *path, int *fd);

/** Writes "directory/name" into `path`. Returns 0, or ERROR_TOO_LARGE when it does not fit. */
int
files_join(char *path, size_t path_size, const char *directory, const char *name);

/** Room for a path, with its terminating zero. */
enum {
    FILES_PATH_SIZE = 4096
};

#endif
