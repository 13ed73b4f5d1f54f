#include "msgpack_wire.h"

#include <string.h>

void
wire_add_map(struct bytes *bytes, size_t count)
{
    if (count < 16) {
        bytes_add_big(bytes, 0x80 | count, 1);
    } else {
        bytes_add_big(bytes, 0xde, 1);
        bytes_add_big(bytes, count, 2);
    }
}

void
wire_add_array(struct bytes *bytes, size_t count)
{
    if (count < 16) {
        bytes_add_big(bytes, 0x90 | count, 1);
    } else {
        bytes_add_big(bytes, 0xdc, 1);
        bytes_add_big(bytes, count, 2);
    }
}

void
wire_add_text(struct bytes *bytes, const char *text)
{
    size_t size = strlen(text);
    if (size < 32) {
        bytes_add_big(bytes, 0xa0 | size, 1);
    } else {
        bytes_add_big(bytes, 0xd900 | (size & 0xff), 2);
    }
    bytes_add(bytes, text, size);
}

void
wire_add_bytes(struct bytes *bytes, const void *data, size_t size)
{
    bytes_add_big(bytes, 0xc400 | (size & 0xff), 2);
    bytes_add(bytes, data, size);
}

void
wire_add_number(struct bytes *bytes, uint64_t number)
{
    if (number < 0x80) {
        bytes_add_big(bytes, number, 1);
    } else if (number <= UINT8_MAX) {
        bytes_add_big(bytes, 0xcc00 | number, 2);
    } else if (number <= UINT16_MAX) {
        bytes_add_big(bytes, 0xcd0000 | number, 3);
    } else if (number <= UINT32_MAX) {
        bytes_add_big(bytes, 0xce, 1);
        bytes_add_big(bytes, number, 4);
    } else {
        bytes_add_big(bytes, 0xcf, 1);
        bytes_add_big(bytes, number, 8);
    }
}

static uint8_t
first_byte(struct wire *wire)
{
    if (wire->bad || wire->at == wire->end) {
        wire->bad = true;
        return 0xc1;
    }
    return *wire->at++;
}

static uint64_t
number_of(struct wire *wire, size_t size)
{
    if ((size_t)(wire->end - wire->at) < size) {
        wire->bad = true;
        return 0;
    }
    uint64_t number = big_at(wire->at, size);
    wire->at += size;
    return number;
}

static struct piece
piece_of(struct wire *wire, uint64_t size)
{
    if (wire->bad || (uint64_t)(wire->end - wire->at) < size) {
        wire->bad = true;
        return (struct piece){wire->at, 0};
    }
    struct piece piece = {wire->at, (size_t)size};
    wire->at += size;
    return piece;
}

/* Reads a header: `fix` with a count of four bits in the byte, or `wide` with one of 16 bits. */
static size_t
count_of(struct wire *wire, uint8_t fix, uint8_t wide)
{
    uint8_t first = first_byte(wire);
    if ((first & 0xf0) == fix) {
        return first & 0x0f;
    }
    if (first == wide) {
        return (size_t)number_of(wire, 2);
    }
    wire->bad = true;
    return 0;
}

size_t
wire_map(struct wire *wire)
{
    return count_of(wire, 0x80, 0xde);
}

size_t
wire_array(struct wire *wire)
{
    return count_of(wire, 0x90, 0xdc);
}

struct piece
wire_text(struct wire *wire)
{
    uint8_t first = first_byte(wire);
    if ((first & 0xe0) == 0xa0) {
        return piece_of(wire, first & 0x1f);
    }
    wire->bad = wire->bad || first != 0xd9;
    return piece_of(wire, wire->bad ? 0 : number_of(wire, 1));
}

struct piece
wire_bytes(struct wire *wire)
{
    wire->bad = first_byte(wire) != 0xc4 || wire->bad;
    return piece_of(wire, wire->bad ? 0 : number_of(wire, 1));
}

uint64_t
wire_number(struct wire *wire)
{
    uint8_t first = first_byte(wire);
    if (first < 0x80) {
        return first;
    }
    if (first < 0xcc || first > 0xcf) {
        wire->bad = true;
        return 0;
    }
    return number_of(wire, (size_t)1 << (first - 0xcc));
}

bool
wire_bool(struct wire *wire)
{
    uint8_t first = first_byte(wire);
    wire->bad = wire->bad || (first != 0xc2 && first != 0xc3);
    return first == 0xc3;
}

bool
piece_is(struct piece piece, const char *text)
{
    return piece.size == strlen(text) && memcmp(piece.data, text, piece.size) == 0;
}
