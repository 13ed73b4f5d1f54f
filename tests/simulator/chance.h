/**
 * chance.h: the one source of chance of a simulation; the same seed gives the same numbers on every
 * machine.
 */
#ifndef STOCKBUS_TESTS_CHANCE_H
#define STOCKBUS_TESTS_CHANCE_H

#include "support/choices.h"

struct chance {
    struct random_stream stream;
};

/** Returns the next number. */
uint64_t
chance_next(struct chance *chance);

/** Returns a number from 0 to `bound - 1`; `bound` is at least 1. */
uint64_t
chance_below(struct chance *chance, uint64_t bound);

/** Returns a number from `low` to `high`. */
uint64_t
chance_between(struct chance *chance, uint64_t low, uint64_t high);

/** Returns true in `per_mille` of 1,000 cases. */
bool
chance_hits(struct chance *chance, unsigned per_mille);

/** Fills `size` bytes at `data`. */
void
chance_fill(struct chance *chance, void *data, size_t size);

#endif
