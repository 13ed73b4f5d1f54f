/**
 * counters.h: what a broker counts while it serves: plain integers of the one thread of the loop,
 * which cost next to nothing and are as new with each start.
 */
#ifndef STOCKBUS_BROKER_COUNTERS_H
#define STOCKBUS_BROKER_COUNTERS_H

#include "shared/stats.h"

/** What was counted since the start. */
struct counters {
    struct stats stats; /**< as a reply shows them */
    uint64_t began_us;  /**< when that was */
    uint64_t answered;  /**< requests so far in this turn */
};

/** Begins at zero. `now_us` is of a clock that never goes back. */
void
counters_init(struct counters *counters, uint64_t now_us);

/** Counts a request that was answered; OPERATION_COUNT stands for what was no request. */
void
counters_answer(struct counters *counters, enum operation operation, enum status status);

/** Counts a turn of the loop, unless nothing was answered in it. */
void
counters_end_turn(struct counters *counters);

/** Counts a record of `changes` events and its sync. */
void
counters_sync(struct counters *counters, uint64_t changes, uint64_t sync_us);

#endif
