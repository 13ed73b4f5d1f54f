/**
 * small_disk.h: the operating system's file calls with a small disk and failing writes.
 *
 * Any number of threads may use the table.
 */
#ifndef STOCKBUS_TESTS_SMALL_DISK_H
#define STOCKBUS_TESTS_SMALL_DISK_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/files.h"

struct small_disk {
    struct files table; /**< to be handed to the code under test; first, so that it is the whole */
    pthread_mutex_t lock;
    int64_t space;    /**< bytes that files can still grow by; negative: without a bound */
    int fail_every;   /**< each write whose number this divides fails; 0: none does */
    int fail_at;      /**< the one write of this number (from 1) fails; 0: none does */
    int sync_error;   /**< errno of every sync; 0: it works */
    int resize_error; /**< errno of every ftruncate to more than 0 bytes; 0: it works */
    bool shortens;    /**< writes only a part of what they are given */
    int writes;       /**< calls so far */
    int fsyncs;       /**< the same; only of directories */
};

static inline ssize_t
small_disk_pwrite(struct files *files, int fd, const void *data, size_t size, int64_t offset)
{
    struct small_disk *disk = (struct small_disk *)files;
    struct files *system = files_system();
    ssize_t result = 0;
    pthread_mutex_lock(&disk->lock);
    disk->writes++;
    int64_t old_size = system->size(system, fd);
    int64_t growth = offset + (int64_t)size - old_size;
    if (disk->writes == disk->fail_at ||
        (disk->fail_every > 0 && disk->writes % disk->fail_every == 0)) {
        result = -EIO;
    } else if (disk->space >= 0 && growth > disk->space) {
        int64_t fitting = (int64_t)size - (growth - disk->space);
        size = fitting > 0 ? (size_t)fitting : 0;
        result = size == 0 ? -ENOSPC : 0;
    } else if (disk->shortens && size > 1) {
        size = size / 2;
    }
    if (result == 0) {
        result = system->pwrite(system, fd, data, size, offset);
    }
    if (disk->space >= 0) {
        disk->space -= system->size(system, fd) - old_size;
    }
    pthread_mutex_unlock(&disk->lock);
    return result;
}

static inline int
small_disk_ftruncate(struct files *files, int fd, int64_t size)
{
    struct small_disk *disk = (struct small_disk *)files;
    struct files *system = files_system();
    if (size > 0 && disk->resize_error != 0) {
        return -disk->resize_error;
    }
    pthread_mutex_lock(&disk->lock);
    int64_t old_size = system->size(system, fd);
    int result = system->ftruncate(system, fd, size);
    if (disk->space >= 0) {
        disk->space -= system->size(system, fd) - old_size;
    }
    pthread_mutex_unlock(&disk->lock);
    return result;
}

static inline int
small_disk_fdatasync(struct files *files, int fd)
{
    struct small_disk *disk = (struct small_disk *)files;
    (void)fd;
    return -disk->sync_error;
}

static inline int
small_disk_fsync(struct files *files, int fd)
{
    struct small_disk *disk = (struct small_disk *)files;
    disk->fsyncs++;
    return files_system()->fsync(files, fd);
}

/** Makes a table that fails nothing yet. */
static inline void
small_disk_init(struct small_disk *disk)
{
    *disk = (struct small_disk){.table = *files_system(), .space = -1};
    disk->table.pwrite = small_disk_pwrite;
    disk->table.ftruncate = small_disk_ftruncate;
    disk->table.fdatasync = small_disk_fdatasync;
    disk->table.fsync = small_disk_fsync;
    pthread_mutex_init(&disk->lock, NULL);
}

#endif
