/**
 * choices.h: where a test takes its decisions from: all combinations in turn, or a seed.
 *
 * A run asks for choices one after the other, and what it asks may depend on what it was told. An
 * enumeration gives another combination in each run until there is none left; a random source gives
 * the same ones for the same seed.
 */
#ifndef STOCKBUS_TESTS_CHOICES_H
#define STOCKBUS_TESTS_CHOICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct choices;

/** Returns a number below `count`, which is at least 1. */
typedef size_t
choices_pick_fn(struct choices *choices, size_t count);

/** A source of choices. Others embed it as their first member. */
struct choices {
    choices_pick_fn *pick;
};

/** Returns a number below `count`. Of one possibility nothing is asked. */
size_t
choices_pick(struct choices *choices, size_t count);

/** A stream of pseudo-random numbers (SplitMix64). */
struct random_stream {
    uint64_t state;
};

/** Returns the next number of the stream, 64 random bits. */
uint64_t
random_next(struct random_stream *stream);

/** Returns a number below `count`, which is at least 1. */
uint64_t
random_below(struct random_stream *stream, uint64_t count);

/** Choices from a seed. */
struct random_choices {
    struct choices choices;
    struct random_stream stream;
    unsigned leaning; /**< in which direction this run leans: first, last, or neither */
};

/**
 * Starts choices from `seed`. Each start leans another way: some take nearly always the first
 * possibility, some nearly always the last, most are even.
 */
void
random_choices_init(struct random_choices *random, uint64_t seed);

enum {
    ENUMERATION_DEPTH_MAX = 64
};

/** All combinations in turn. */
struct enumeration {
    struct choices choices;
    size_t digits[ENUMERATION_DEPTH_MAX];
    size_t counts[ENUMERATION_DEPTH_MAX];
    size_t depth; /**< digits that are set */
    size_t at;    /**< digits that this run has asked for */
};

/** Begins with the combination in which every choice is the first. */
void
enumeration_init(struct enumeration *enumeration);

/** Goes on to the next combination. Returns false when all were had. */
bool
enumeration_next(struct enumeration *enumeration);

#endif
