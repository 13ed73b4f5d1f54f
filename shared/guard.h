/**
 * guard.h: the bounds of a MessagePack object, checked before anything is unpacked.
 *
 * An unpacker believes the counts in array and map headers and reserves memory for them: five bytes
 * can ask for a gigabyte. The guard walks the bytes without allocating and stops at the first that
 * breaks a bound, so that what passed can be unpacked with memory in proportion to its size.
 *
 * The encoding is that of https://github.com/msgpack/msgpack/blob/master/spec.md.
 */
#ifndef STOCKBUS_SHARED_GUARD_H
#define STOCKBUS_SHARED_GUARD_H

#include <stddef.h>

/** What is wrong with a message, or nothing. */
enum guard_verdict {
    GUARD_OK,
    GUARD_SHORT,    /**< the bytes end inside the object */
    GUARD_DEPTH,    /**< nested deeper than allowed */
    GUARD_ELEMENTS, /**< more objects than allowed */
    GUARD_BYTE,     /**< the byte 0xc1, which the encoding never uses */
};

/** What a message may be at most. */
struct guard_bounds {
    unsigned depth_max;  /**< a bare number has depth 1; at most 64 */
    size_t elements_max; /**< objects in all, keys and containers counted */
};

/**
 * Measures the one object that begins at `data`.
 *
 * Each count of elements is held against the bytes that are left, so the walk is linear in `size`
 * whatever the headers say. Returns GUARD_OK with the size of the object in bytes in `*used` (more
 * bytes may follow it), or what is wrong with the offset of the offending byte in `*used`.
 */
enum guard_verdict
guard_measure(const void *data, size_t size, const struct guard_bounds *bounds, size_t *used);

/** Returns the reason as words that fit behind "the message ". Static. */
const char *
guard_text(enum guard_verdict verdict);

#endif
