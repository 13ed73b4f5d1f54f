/**
 * faulty_files.h: the operating system's file calls with a small disk and failing writes.
 *
 * Any number of threads may use the table.
 */
#ifndef STOCKBUS_TESTS_FAULTY_FILES_H
#define STOCKBUS_TESTS_FAULTY_FILES_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/files.h"

struct faulty_files {
    struct files table; /**< to be handed to the code under test; first, so that it is the whole */
    pthread_mutex_t lock;
    int64_t space;    /**< bytes that files can still grow by; negative: without a bound */
    int fail_every;   /**< each write whose number this divides fails; 0: none does */
    int fail_at;      /**< the one write of this number (from 1) fails; 0: none does */
    int sync_error;   /**< errno of every sync; 0: it works */
    int resize_error; /**< errno of every ftruncate to more than 0 bytes; 0: it works */
    bool shortens;    /**< writes only a part of what they are given */
    int writes;       /**< calls so far */
};

static inline ssize_t
faulty_pwrite(struct files *files, int fd, const void *data, size_t size, int64_t offset)
{
    struct faulty_files *faulty = (struct faulty_files *)files;
    struct files *system = files_system();
    ssize_t result = 0;
    pthread_mutex_lock(&faulty->lock);
    faulty->writes++;
    int64_t old_size = system->size(system, fd);
    int64_t growth = offset + (int64_t)size - old_size;
    if (faulty->writes == faulty->fail_at ||
        (faulty->fail_every > 0 && faulty->writes % faulty->fail_every == 0)) {
        result = -EIO;
    } else if (faulty->space >= 0 && growth > faulty->space) {
        int64_t fitting = (int64_t)size - (growth - faulty->space);
        size = fitting > 0 ? (size_t)fitting : 0;
        result = size == 0 ? -ENOSPC : 0;
    } else if (faulty->shortens && size > 1) {
        size = size / 2;
    }
    if (result == 0) {
        result = system->pwrite(system, fd, data, size, offset);
    }
    if (faulty->space >= 0) {
        faulty->space -= system->size(system, fd) - old_size;
    }
    pthread_mutex_unlock(&faulty->lock);
    return result;
}

static inline int
faulty_ftruncate(struct files *files, int fd, int64_t size)
{
    struct faulty_files *faulty = (struct faulty_files *)files;
    struct files *system = files_system();
    if (size > 0 && faulty->resize_error != 0) {
        return -faulty->resize_error;
    }
    pthread_mutex_lock(&faulty->lock);
    int64_t old_size = system->size(system, fd);
    int result = system->ftruncate(system, fd, size);
    if (faulty->space >= 0) {
        faulty->space -= system->size(system, fd) - old_size;
    }
    pthread_mutex_unlock(&faulty->lock);
    return result;
}

static inline int
faulty_fdatasync(struct files *files, int fd)
{
    struct faulty_files *faulty = (struct faulty_files *)files;
    (void)fd;
    return -faulty->sync_error;
}

/** Makes a table that fails nothing yet. */
static inline void
faulty_files_init(struct faulty_files *faulty)
{
    *faulty = (struct faulty_files){.table = *files_system(), .space = -1};
    faulty->table.pwrite = faulty_pwrite;
    faulty->table.ftruncate = faulty_ftruncate;
    faulty->table.fdatasync = faulty_fdatasync;
    pthread_mutex_init(&faulty->lock, NULL);
}

#endif
