/**
 * allocator.h: malloc, calloc and realloc that fail on demand, for the program and the libraries
 * it uses.
 *
 * The source defines the three functions itself and stands in front of the C library's. Where a
 * sanitizer stands there, the linker wraps the calls of the program's own code alone. For programs
 * with one thread.
 */
#ifndef STOCKBUS_TESTS_ALLOCATOR_H
#define STOCKBUS_TESTS_ALLOCATOR_H

#include <stdbool.h>
#include <stdint.h>

/** Are the allocations of libraries counted, too? */
bool
allocator_reaches_libraries(void);

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
