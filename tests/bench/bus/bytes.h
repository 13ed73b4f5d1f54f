/**
 * bytes.h: bytes that grow, and numbers in them.
 */
#ifndef STOCKBUS_TESTS_BENCH_BUS_BYTES_H
#define STOCKBUS_TESTS_BENCH_BUS_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data;
    size_t size;
    size_t size_max;
};

/** Makes room for `size` more bytes and returns where they go; they do not count yet. */
uint8_t *
bytes_room(struct bytes *bytes, size_t size);

/** Appends `size` bytes. */
void
bytes_add(struct bytes *bytes, const void *data, size_t size);

/** Appends the bytes of a text, without a zero. */
void
bytes_add_text(struct bytes *bytes, const char *text);

/** Appends the lowest `size` bytes of `number`, the highest first. */
void
bytes_add_big(struct bytes *bytes, uint64_t number, size_t size);

/** Removes `size` bytes at the start. */
void
bytes_drop(struct bytes *bytes, size_t size);

/** Reads `size` bytes as a number, the highest first. */
uint64_t
big_at(const uint8_t *data, size_t size);

#endif
