/**
 * meter.h: counts the bytes that are allocated, by the program and by the libraries it uses.
 *
 * With a sanitizer its own hooks are asked; without one the source stands in front of the C
 * library's malloc, calloc and realloc. For programs with one thread.
 */
#ifndef STOCKBUS_TESTS_FUZZ_METER_H
#define STOCKBUS_TESTS_FUZZ_METER_H

#include <stddef.h>

/** Counts from zero on. */
void
meter_start(void);

/** Stops counting. Returns the bytes that were asked for since; those freed since count as well. */
size_t
meter_stop(void);

#endif
