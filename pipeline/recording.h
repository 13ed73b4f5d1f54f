/**
 * recording.h: one run of producers, a list and consumers, from its start to its totals.
 *
 * The thread that opens a recording starts, joins and closes it, too. The threads it starts end by
 * themselves, or soon after recording_stop().
 */
#ifndef STOCKBUS_PIPELINE_RECORDING_H
#define STOCKBUS_PIPELINE_RECORDING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "pipeline/consumer.h"
#include "pipeline/producer.h"

enum {
    RECORDING_PRODUCERS_MAX = READING_PRODUCER_MAX,
    RECORDING_CONSUMERS_MAX = 256,
    RECORDING_COUNT_MAX = 1000000000,
    RECORDING_IDLE_TIMEOUT_MS_MAX = 86400000,
};

/** What is to be recorded, and how. */
struct recording_settings {
    int producers;            /**< 1 to RECORDING_PRODUCERS_MAX */
    int consumers;            /**< 1 to RECORDING_CONSUMERS_MAX */
    int capacity;             /**< of the list, 1 to BOUNDED_LIST_CAPACITY_MAX */
    uint64_t count;           /**< readings a producer makes, 0 to RECORDING_COUNT_MAX */
    int64_t idle_timeout_ms;  /**< of a consumer, 1 to RECORDING_IDLE_TIMEOUT_MS_MAX */
    uint64_t seed;            /**< of all that is random in the readings */
    enum reading_clock clock; /**< which time readings have */
    const char *directory;    /**< where the files go; borrowed */
};

/**
 * Called once, by the last thread of a recording as it ends; on the thread that called
 * recording_start(), before that returns, if all others have ended by then.
 */
typedef void
recording_finished_fn(void *context);

/** What the threads of a recording may do: nothing yet, their work, or nothing any more. */
enum recording_gate {
    RECORDING_GATE_SHUT,
    RECORDING_GATE_OPEN,
    RECORDING_GATE_GIVEN_UP
};

/** One recording. */
struct recording {
    struct recording_settings settings; /**< as they were given */
    struct files *files;                /**< borrowed */
    struct bounded_list *list;          /**< between all of them */
    struct producer *producers;         /**< settings.producers of them */
    struct consumer *consumers;         /**< settings.consumers of them */
    int opened;                         /**< consumers whose file was opened */
    pthread_mutex_t lock;               /**< guards `gate` */
    pthread_cond_t gate_moved;          /**< told when `gate` has changed */
    enum recording_gate gate;           /**< what the threads may do */
    struct recording_worker *workers;   /**< a thread each, producers first */
    int started;                        /**< workers whose thread was started */
    _Atomic int running;                /**< workers that have not ended */
    _Atomic int consuming;              /**< of them, consumers */
    recording_finished_fn *finished;    /**< called by the last one */
    void *context;                      /**< given to `finished` */
    int64_t started_ns;                 /**< by the monotonic clock */
    int64_t ended_ns;                   /**< by the same clock; set by the last worker */
};

/** The totals of a recording. */
struct recording_totals {
    uint64_t made;                  /**< readings that producers put into the list */
    uint64_t written;               /**< readings in files */
    uint64_t lost;                  /**< readings that consumers took and could not write */
    struct bounded_list_stats list; /**< waits and largest fill of the list */
    int64_t active_ns;              /**< from the start to the last write of a file */
    int64_t wall_ns;                /**< from the start to the end of the last thread */
};

/**
 * Makes the list, opens a file for each consumer, consumer-1.msgpack and so on, and takes them for
 * this process until recording_close(). So one recording at a time has the directory: all have a
 * consumer 1. An earlier recording stays as it is. Blocks.
 *
 * Returns 0, or an error with a sentence in `*diagnostic`. End it with recording_close(), in both
 * cases.
 */
int
recording_open(struct recording *recording, const struct recording_settings *settings,
    struct files *files, struct diagnostic *diagnostic);

/**
 * Starts all threads, with the caller's signal mask; replaces the earlier recording in the
 * directory: its files are emptied, those of further consumers are removed; and lets the threads
 * begin. `finished` is called when the last has done its work. Blocks.
 *
 * Returns 0, or an error with a sentence in `*diagnostic`; then nothing runs and `finished` is not
 * called. The earlier recording is untouched if the threads could not be started.
 */
int
recording_start(struct recording *recording, recording_finished_fn *finished, void *context,
    struct diagnostic *diagnostic);

/** Makes producers stop, and consumers end as soon as the list is empty. Any thread; no waiting. */
void
recording_stop(struct recording *recording);

/** Has the last thread done its work? Any thread. */
bool
recording_is_finished(const struct recording *recording);

/** Blocks until all threads have ended. */
void
recording_join(struct recording *recording);

/**
 * Adds up what there is so far. For the thread that started the recording. Others may be running,
 * and then `wall_ns` is the time until now, and `lost` is 0.
 */
void
recording_add_up(struct recording *recording, struct recording_totals *totals);

/**
 * Are all consumers that still run waiting for a reading? Then `*left_ms` is the time until the
 * last of them ends if none comes. Any thread.
 */
bool
recording_is_idle(struct recording *recording, int64_t *left_ms);

/**
 * Closes the files, lets go of the directory, and frees everything; no thread may be running.
 * Nothing if it is closed already.
 */
void
recording_close(struct recording *recording);

/** Writes the path of the file of consumer `number` (from 1). Returns 0 or ERROR_TOO_LARGE. */
int
recording_path(char *path, size_t path_size, const char *directory, int number);

#endif
