/**
 * clock.h: a clock that only goes forward. Any thread.
 */
#ifndef STOCKBUS_CLIENT_CLOCK_H
#define STOCKBUS_CLIENT_CLOCK_H

#include <stdint.h>

/** Returns its microseconds, since some point in the past. */
int64_t
clock_now_us(void);

/** Returns its milliseconds, since the same. */
int64_t
clock_now_ms(void);

#endif
