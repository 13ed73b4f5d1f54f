/**
 * trace.h: what happened in a simulation, as lines of text: hashed all, kept the last, printed when
 * something is wrong.
 *
 * Nothing may go into a trace that another run or another machine would have otherwise: no
 * addresses, no times, no descriptors of the system.
 */
#ifndef STOCKBUS_TESTS_TRACE_H
#define STOCKBUS_TESTS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TRACE_KEPT = 80,
    TRACE_LINE_SIZE = 200
};

struct trace {
    uint64_t seed;
    uint64_t hash; /**< of all lines, FNV-1a */
    uint64_t count;
    bool prints;      /**< each line, as it comes */
    bool is_searched; /**< for a planted fault: a failure is what is wanted */
    char lines[TRACE_KEPT][TRACE_LINE_SIZE];
};

/** Begins a trace, and makes it the one that is printed should the process be aborted. */
void
trace_begin(struct trace *trace, uint64_t seed, bool prints, bool is_searched);

/** Adds a line, without its end. */
void
trace_note(struct trace *trace, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Ends the process because a promise was broken: prints the seed, the last lines and the reason.
 * Exit status 1, or 0 where a planted fault is searched.
 */
_Noreturn void
trace_fail(struct trace *trace, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
