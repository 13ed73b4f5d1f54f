/**
 * mutate.h: changes bytes by chance, the same for the same seed and number.
 */
#ifndef STOCKBUS_TESTS_FUZZ_MUTATE_H
#define STOCKBUS_TESTS_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/** An input of a corpus. */
struct input {
    uint8_t *data;
    size_t size;
};

struct corpus {
    struct input *inputs;
    size_t count;
    size_t count_max;
};

/**
 * Makes mutation `number` of `seed` in `*result`, whose `data` has room for `size_max` bytes: one
 * input of the corpus, which has at least one, with some of its bytes changed, doubled, moved,
 * taken out, or taken over from another.
 */
void
mutate(const struct corpus *corpus, uint64_t seed, uint64_t number, size_t size_max,
    struct input *result);

#endif
