/**
 * faulty_files.h: the file calls of the system, some of which fail, and whether all is synced.
 */
#ifndef STOCKBUS_TESTS_FAULTY_FILES_H
#define STOCKBUS_TESTS_FAULTY_FILES_H

#include <errno.h>
#include <stdbool.h>

#include "shared/files.h"

struct faulty_files {
    struct files files; /**< first: what the table's functions get is this struct */
    long calls;         /**< so far */
    long fail_at;       /**< number of the call that fails, from 1; 0: none */
    bool fail_on;       /**< all later ones fail too */
    bool is_dirty;      /**< something was written and not synced since */
    long writes;        /**< calls of pwrite, so far */
};

/* Counts a call and tells whether it fails. */
static inline bool
faulty_call(struct files *files)
{
    struct faulty_files *faulty = (struct faulty_files *)(void *)files;
    faulty->calls++;
    return faulty->fail_at != 0 && (faulty->calls == faulty->fail_at ||
                                       (faulty->fail_on && faulty->calls > faulty->fail_at));
}

static inline int
faulty_open(struct files *files, const char *path, int flags, mode_t mode)
{
    return faulty_call(files) ? -EIO : files_system()->open(files, path, flags, mode);
}

static inline ssize_t
faulty_pread(struct files *files, int fd, void *data, size_t size, int64_t offset)
{
    return faulty_call(files) ? -EIO : files_system()->pread(files, fd, data, size, offset);
}

static inline ssize_t
faulty_pwrite(struct files *files, int fd, const void *data, size_t size, int64_t offset)
{
    struct faulty_files *faulty = (struct faulty_files *)(void *)files;
    faulty->writes++;
    faulty->is_dirty = true;
    return faulty_call(files) ? -EIO : files_system()->pwrite(files, fd, data, size, offset);
}

static inline int
faulty_fdatasync(struct files *files, int fd)
{
    struct faulty_files *faulty = (struct faulty_files *)(void *)files;
    if (faulty_call(files)) {
        return -EIO;
    }
    faulty->is_dirty = false;
    return files_system()->fdatasync(files, fd);
}

static inline int
faulty_fsync(struct files *files, int fd)
{
    struct faulty_files *faulty = (struct faulty_files *)(void *)files;
    if (faulty_call(files)) {
        return -EIO;
    }
    faulty->is_dirty = false;
    return files_system()->fsync(files, fd);
}

static inline int
faulty_rename(struct files *files, const char *from, const char *to)
{
    return faulty_call(files) ? -EIO : files_system()->rename(files, from, to);
}

static inline int
faulty_unlink(struct files *files, const char *path)
{
    return faulty_call(files) ? -EIO : files_system()->unlink(files, path);
}

/** Makes a table whose call number `fail_at` fails, and all later ones too if `fail_on`. */
static inline void
faulty_files_init(struct faulty_files *faulty, long fail_at, bool fail_on)
{
    *faulty =
        (struct faulty_files){.files = *files_system(), .fail_at = fail_at, .fail_on = fail_on};
    faulty->files.open = faulty_open;
    faulty->files.pread = faulty_pread;
    faulty->files.pwrite = faulty_pwrite;
    faulty->files.fdatasync = faulty_fdatasync;
    faulty->files.fsync = faulty_fsync;
    faulty->files.rename = faulty_rename;
    faulty->files.unlink = faulty_unlink;
}

#endif
