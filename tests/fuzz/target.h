/**
 * target.h: what a fuzz target is made of.
 *
 * A target is a source target_NAME.c with the one function below. libFuzzer calls it with bytes
 * that it has grown from the corpus; under any other compiler main.c does, with the files of the
 * corpus and with mutations of them. A target states what has to hold for any bytes whatever and
 * ends the program where it does not.
 */
#ifndef STOCKBUS_TESTS_FUZZ_TARGET_H
#define STOCKBUS_TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** Runs the target on `size` bytes at `data`, which are borrowed. Returns 0. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/**
 * A target may have this: it changes the `size` bytes at `data`, which have room for `size_max`, by
 * chance from `seed`, and returns their new number.
 */
size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
    __attribute__((weak));

/** Changes bytes without knowing what they are; the same, but for the seed. For the one above. */
size_t
LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

/** Ends the program, naming `condition`, unless it holds. */
#define REQUIRE(condition)                                                                 \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                       \
        }                                                                                  \
    } while (0)

#endif
