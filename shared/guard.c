#include "shared/guard.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    DEPTH_LIMIT = 64
};

/* What one object is made of, besides its first byte. */
struct shape {
    uint8_t length_size; /* bytes of a big-endian length that follow */
    uint8_t fixed_size;  /* bytes of content that are always there */
    uint8_t children;    /* objects for each unit of the length: 1 array, 2 map, 0 bytes */
};

/* The first bytes 0xc0 to 0xdf, in order. 0xc1 is caught before the table is read. */
static const struct shape shapes[32] = {
    {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0},             /* nil, never used, false, true */
    {1, 0, 0}, {2, 0, 0}, {4, 0, 0},                        /* bin 8, 16, 32 */
    {1, 1, 0}, {2, 1, 0}, {4, 1, 0},                        /* ext 8, 16, 32 */
    {0, 4, 0}, {0, 8, 0},                                   /* float 32, 64 */
    {0, 1, 0}, {0, 2, 0}, {0, 4, 0}, {0, 8, 0},             /* uint 8 to 64 */
    {0, 1, 0}, {0, 2, 0}, {0, 4, 0}, {0, 8, 0},             /* int 8 to 64 */
    {0, 2, 0}, {0, 3, 0}, {0, 5, 0}, {0, 9, 0}, {0, 17, 0}, /* fixext 1 to 16 */
    {1, 0, 0}, {2, 0, 0}, {4, 0, 0},                        /* str 8, 16, 32 */
    {2, 0, 1}, {4, 0, 1},                                   /* array 16, 32 */
    {2, 0, 2}, {4, 0, 2},                                   /* map 16, 32 */
};

/* Reads the shape of the object that begins with `first`, and its length if that byte has it. */
static struct shape
shape_of(uint8_t first, uint64_t *length)
{
    *length = 0;
    if (first >= 0xc0 && first <= 0xdf) {
        return shapes[first - 0xc0];
    }
    if (first >= 0xa0 && first <= 0xbf) {
        *length = first & 0x1f;
        return (struct shape){0, 0, 0};
    }
    if (first >= 0x90 && first <= 0x9f) {
        *length = first & 0x0f;
        return (struct shape){0, 0, 1};
    }
    if (first >= 0x80 && first <= 0x8f) {
        *length = first & 0x0f;
        return (struct shape){0, 0, 2};
    }
    return (struct shape){0, 0, 0}; /* an integer in the byte itself */
}

enum guard_verdict
guard_measure(const void *data, size_t size, const struct guard_bounds *bounds, size_t *used)
{
    assert(bounds->depth_max <= DEPTH_LIMIT);
    const uint8_t *bytes = data;
    uint64_t left[DEPTH_LIMIT + 1]; /* objects still to come, a level */
    unsigned depth = 1;
    size_t at = 0;
    size_t elements = 0;

    left[1] = 1;
    while (depth > 0) {
        if (left[depth] == 0) {
            depth--;
            continue;
        }
        left[depth]--;
        size_t start = at;
        *used = start;
        if (at == size) {
            return GUARD_SHORT;
        }
        if (bytes[at] == 0xc1) {
            return GUARD_BYTE;
        }
        if (++elements > bounds->elements_max) {
            return GUARD_ELEMENTS;
        }
        uint64_t length;
        struct shape shape = shape_of(bytes[at++], &length);
        if (size - at < shape.length_size) {
            return GUARD_SHORT;
        }
        for (unsigned i = 0; i < shape.length_size; i++) {
            length = length << 8 | bytes[at++];
        }
        uint64_t content = shape.fixed_size + (shape.children == 0 ? length : 0);
        if (size - at < content) {
            return GUARD_SHORT;
        }
        at += (size_t)content;
        uint64_t objects = length * shape.children;
        if (objects > 0) {
            if (objects > bounds->elements_max - elements) {
                return GUARD_ELEMENTS;
            }
            if (objects > size - at) {
                return GUARD_SHORT;
            }
            if (depth == bounds->depth_max) {
                return GUARD_DEPTH;
            }
            left[++depth] = objects;
        }
    }
    *used = at;
    return GUARD_OK;
}

const char *
guard_text(enum guard_verdict verdict)
{
    switch (verdict) {
    /* unreached: nobody asks what is wrong with a good message */
    case GUARD_OK:
        return "is well formed";
    case GUARD_SHORT:
        return "ends inside an object";
    case GUARD_DEPTH:
        return "is nested too deeply";
    case GUARD_ELEMENTS:
        return "has too many objects";
    case GUARD_BYTE:
        return "holds the byte 0xc1, which MessagePack never uses";
    }
    /* unreached: every verdict has its words above */
    return "is not well formed";
}
