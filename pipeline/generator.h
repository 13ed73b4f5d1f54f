/**
 * generator.h: generators of random numbers. Streams repeat on every machine; a state belongs to
 * one thread at a time.
 */
#ifndef STOCKBUS_PIPELINE_GENERATOR_H
#define STOCKBUS_PIPELINE_GENERATOR_H

#include <stdint.h>

/** Advances a splitmix64 state and returns the next number of its stream. */
uint64_t
splitmix64_next(uint64_t *state);

/** Advances a xoshiro256** state, which is not all zero, and returns the next of its stream. */
uint64_t
xoshiro256_next(uint64_t state[4]);

#endif
