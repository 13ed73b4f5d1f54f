/**
 * reading_source.h: makes the readings of one producer, filled at random.
 *
 * A source is a function of (seed, producer): two sources with equal ones make the same ids,
 * sensors, units and values, in the same order, on any machine. Its clock is either the real one
 * or a simulated one that is part of the same function, so that whole readings repeat.
 *
 * One thread uses a `struct reading_source` at a time.
 */
#ifndef STOCKBUS_PIPELINE_READING_SOURCE_H
#define STOCKBUS_PIPELINE_READING_SOURCE_H

#include <stdint.h>

#include "pipeline/reading.h"

/** Which time a reading has. */
enum reading_clock {
    READING_CLOCK_REAL,      /**< the time at which the reading is made */
    READING_CLOCK_SIMULATED, /**< starts at 2026-01-01T00:00:00Z, a reading each 1 ms or so */
};

/** A sensor, and its chance. */
struct reading_source {
    uint64_t random[4];       /**< state of xoshiro256** */
    uint64_t id_key;          /**< what the seed adds to each id */
    uint64_t sequence;        /**< of the last reading made; 0: none was */
    int64_t simulated_ns;     /**< the simulated clock */
    enum reading_clock clock; /**< which time readings have */
    uint32_t producer;        /**< whose readings they are */
};

/** Makes `source` ready. `producer` is 1 to READING_PRODUCER_MAX. Reads no clock. */
void
reading_source_init(
    struct reading_source *source, uint64_t seed, uint32_t producer, enum reading_clock clock);

/** Makes the next reading. Does not block, cannot fail. */
void
reading_source_next(struct reading_source *source, struct reading *reading);

#endif
