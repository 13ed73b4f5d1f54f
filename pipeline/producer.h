/**
 * producer.h: a thread that makes readings and puts them into a list.
 *
 * It ends when it has put in as many as it was told to, or when the list is closed.
 */
#ifndef STOCKBUS_PIPELINE_PRODUCER_H
#define STOCKBUS_PIPELINE_PRODUCER_H

#include <stdatomic.h>
#include <stdint.h>

#include "pipeline/bounded_list.h"
#include "pipeline/reading_source.h"

/** What one producer works with; its thread alone uses what is not atomic. */
struct producer {
    struct bounded_list *list;    /**< where readings go; borrowed */
    struct reading_source source; /**< what makes them */
    uint64_t wanted;              /**< readings to make */
    _Atomic uint64_t made;        /**< readings put into the list so far; any thread may read it */
};

/** Makes `producer` ready. `list` is borrowed for its life. */
void
producer_init(struct producer *producer, struct bounded_list *list, uint64_t seed, uint32_t number,
    enum reading_clock clock, uint64_t wanted);

/** Does all its work; blocks until it is done. The body of a thread. */
void
producer_run(struct producer *producer);

#endif
