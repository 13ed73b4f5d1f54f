/**
 * consumer.h: a thread that takes readings from a list and writes them to a file of its own.
 *
 * It ends when it had to wait for a reading for longer than its idle timeout, when the list is
 * closed and empty, or when its file cannot be written. It takes no more than it has room for on
 * the disk; what it took is in its file when it is finished, or counted in `file.lost`.
 *
 * One thread uses a `struct consumer` at a time, but any may read its atomic members.
 */
#ifndef STOCKBUS_PIPELINE_CONSUMER_H
#define STOCKBUS_PIPELINE_CONSUMER_H

#include <stdatomic.h>
#include <stdint.h>

#include "pipeline/bounded_list.h"
#include "pipeline/reading_file.h"
#include "shared/error.h"

/** What one consumer works with; its thread alone uses what is not atomic. */
struct consumer {
    struct bounded_list *list;     /**< where readings come from; borrowed */
    struct reading_file file;      /**< where they go */
    int64_t idle_timeout_ms;       /**< how long it waits for a reading before it ends */
    _Atomic int64_t idle_since_ns; /**< by the monotonic clock; 0: it is not waiting */
    _Atomic int64_t written_ns;    /**< when it last wrote its file; 0: never */
    int error;                     /**< what ended it; 0: a timeout or the list's end */
    struct diagnostic diagnostic;  /**< a sentence for `error` */
};

/**
 * Opens the file `path` of a consumer, and leaves alone what is in it. `list` is borrowed for its
 * life; `idle_timeout_ms` is at least 1. Blocks. Returns 0, or an error with a sentence in
 * `consumer->diagnostic`.
 */
int
consumer_open(struct consumer *consumer, struct bounded_list *list, struct files *files,
    const char *path, int64_t idle_timeout_ms);

/** Does all its work but the last write; blocks until it is done. The body of a thread. */
void
consumer_run(struct consumer *consumer);

/** Writes what it took, so that its file is whole and on the disk. Blocks. See `error`. */
void
consumer_finish(struct consumer *consumer);

/** Closes its file, which no other process could take before. */
void
consumer_close(struct consumer *consumer);

#endif
