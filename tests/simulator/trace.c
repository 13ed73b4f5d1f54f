#include "simulator/trace.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct trace *current;

static void
print(const struct trace *trace, const char *reason)
{
    uint64_t first = trace->count > TRACE_KEPT ? trace->count - TRACE_KEPT : 0;
    for (uint64_t i = first; i < trace->count; i++) {
        fprintf(stderr, "%6" PRIu64 "  %s\n", i, trace->lines[i % TRACE_KEPT]);
    }
    fprintf(stderr, "seed %" PRIu64 ": %s\n", trace->seed, reason);
    fprintf(stderr, "again with: simulator --seed %" PRIu64 " --trace\n", trace->seed);
}

/* An assertion of the code under test failed. */
static void
on_abort(int number)
{
    (void)signal(number, SIG_DFL);
    print(current, "the process was aborted");
    (void)raise(number);
}

void
trace_begin(struct trace *trace, uint64_t seed, bool prints, bool is_searched)
{
    trace->seed = seed;
    trace->hash = UINT64_C(0xcbf29ce484222325);
    trace->count = 0;
    trace->prints = prints;
    trace->is_searched = is_searched;
    current = trace;
    (void)signal(SIGABRT, on_abort);
}

void
trace_note(struct trace *trace, const char *format, ...)
{
    char *line = trace->lines[trace->count++ % TRACE_KEPT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, TRACE_LINE_SIZE, format, arguments);
    va_end(arguments);
    for (const char *at = line; *at != '\0'; at++) {
        trace->hash = (trace->hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    }
    trace->hash = (trace->hash ^ '\n') * UINT64_C(0x100000001b3);
    if (trace->prints) {
        printf("%6" PRIu64 "  %s\n", trace->count - 1, line);
    }
}

_Noreturn void
trace_fail(struct trace *trace, const char *format, ...)
{
    char reason[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    fflush(stdout);
    if (trace->is_searched) {
        printf("found with seed %" PRIu64 ": %s\n", trace->seed, reason);
        fflush(stdout);
    } else {
        print(trace, reason);
    }
    /* What the simulation holds is not freed: nobody shall look for leaks after this. */
    _exit(trace->is_searched ? 0 : 1);
}
