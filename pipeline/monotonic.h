/**
 * monotonic.h: the clock that nobody sets.
 */
#ifndef STOCKBUS_PIPELINE_MONOTONIC_H
#define STOCKBUS_PIPELINE_MONOTONIC_H

#include <stdint.h>

/** Returns its nanoseconds, more than 0. Any thread, and handlers of signals. */
int64_t
monotonic_ns(void);

#endif
