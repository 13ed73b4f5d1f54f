/**
 * program.h: what the programs have in common: how they end, and how they explain themselves.
 */
#ifndef STOCKBUS_PIPELINE_PROGRAM_H
#define STOCKBUS_PIPELINE_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_DAMAGED = 3,
    EXIT_SIGNALLED = 128, /**< plus the number of the signal */
};

/** A program: its name, and what --help prints. */
struct program {
    const char *name;
    const char *help; /**< what --help prints */
};

/** Says what is wrong with the command line. Returns EXIT_USAGE. */
int
program_refuse(const struct program *program, const char *reason);

/** Prints help or else the version to standard output. Returns the exit status. */
int
program_explain(const struct program *program, bool help);

/** Writes what standard output still has. Returns EXIT_DONE, or EXIT_FAILED with a message. */
int
program_flush(const struct program *program);

/** The end of an English noun of which there are `count`: "" or "s". */
const char *
plural(uint64_t count);

#endif
