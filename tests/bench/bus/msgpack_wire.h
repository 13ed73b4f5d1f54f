/**
 * msgpack_wire.h: just enough MessagePack to talk to the bus, with no library.
 */
#ifndef STOCKBUS_TESTS_BENCH_BUS_MSGPACK_WIRE_H
#define STOCKBUS_TESTS_BENCH_BUS_MSGPACK_WIRE_H

#include <stdbool.h>

#include "bytes.h"

/** Appends the header of a map or of an array of fewer than 65536, a text, bytes, a number. */
void
wire_add_map(struct bytes *bytes, size_t count);
void
wire_add_array(struct bytes *bytes, size_t count);
void
wire_add_text(struct bytes *bytes, const char *text);
void
wire_add_bytes(struct bytes *bytes, const void *data, size_t size);
void
wire_add_number(struct bytes *bytes, uint64_t number);

/** What is left of a message. Reading something else than what is there makes `bad` true. */
struct wire {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

/** A piece of a message. */
struct piece {
    const uint8_t *data;
    size_t size;
};

/** Reads the header of a map or of an array. Returns the count, 0 when there is none. */
size_t
wire_map(struct wire *wire);
size_t
wire_array(struct wire *wire);

/** Reads a text, a byte string, an unsigned integer, a truth value. */
struct piece
wire_text(struct wire *wire);
struct piece
wire_bytes(struct wire *wire);
uint64_t
wire_number(struct wire *wire);
bool
wire_bool(struct wire *wire);

/** Is the piece this text? */
bool
piece_is(struct piece piece, const char *text);

#endif
