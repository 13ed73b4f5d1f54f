/**
 * allocator.h: malloc, calloc and realloc that fail on demand, for the whole program and the
 * libraries it uses.
 *
 * The sources define the three functions themselves and stand in front of the C library's, or of
 * the sanitizer's. For programs with one thread.
 */
#ifndef STOCKBUS_TESTS_ALLOCATOR_H
#define STOCKBUS_TESTS_ALLOCATOR_H

#include <stdbool.h>
#include <stdint.h>

/** Lets the allocation `number` (from 1) from now on fail. */
void
allocator_fail(uint64_t number);

/** Counts and fails nothing until allocator_resume(). */
void
allocator_pause(void);

/** Goes on counting. */
void
allocator_resume(void);

/** Ends it. Returns whether the allocation came and failed. */
bool
allocator_stop(void);

#endif
