/**
 * seal.h: gives the records of changed bytes the checksums they should have.
 *
 * A journal is chained by checksums, so a change of any bit ends the reading there. What stands
 * behind the checksums is only reached by bytes that were sealed.
 */
#ifndef STOCKBUS_TESTS_FUZZ_SEAL_H
#define STOCKBUS_TESTS_FUZZ_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How a target looks at its bytes, one after the other. */
enum seal {
    SEAL_NONE,      /**< as they came */
    SEAL_CHECKSUMS, /**< each record has the checksum it should have */
    SEAL_NUMBERS,   /**< and the number that is next; a snapshot counts its records */
    SEAL_COUNT
};

/** Seals what is shaped like records at the start of the `size` bytes at `data`. */
void
seal_records(uint8_t *data, size_t size, enum seal seal);

/**
 * Takes a whole record out of the `size` bytes at `data`, or moves or copies it to another place,
 * by chance from `seed`; the header stays. The bytes have room for `size_max`, and are not made
 * more than that; they may be more already, as they are when libFuzzer minimises them. Returns
 * their new number.
 */
size_t
seal_shuffle(uint8_t *data, size_t size, size_t size_max, uint64_t seed);

#endif
