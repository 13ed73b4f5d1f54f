#include "fuzz/mutate.h"

#include "support/choices.h"

#include <string.h>

enum {
    CHANGES_MAX = 4,
    PIECE_MAX = 64,
    LARGE_ONE_IN = 64 /* how rarely an input is blown up */
};

/* Bytes that mean something in MessagePack and in text, or are at an end of a range. */
static const uint8_t telling[] = {0x00, 0x01, 0x7f, 0x80, 0x90, 0xa0, 0xa1, 0xc0, 0xc1, 0xc2, 0xc3,
    0xc4, 0xc6, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd3, 0xd9, 0xdb, 0xdc, 0xdd, 0xde, 0xdf,
    0xe0, 0xff, '\n', ' ', '"', '=', '#', '0', '9'};

static size_t
below(struct random_stream *stream, size_t count)
{
    return (size_t)random_below(stream, count);
}

static void
change_byte(struct random_stream *stream, struct input *input)
{
    if (input->size == 0) {
        return;
    }
    uint8_t *byte = &input->data[below(stream, input->size)];
    switch (random_below(stream, 4)) {
    case 0:
        *byte ^= (uint8_t)(1u << random_below(stream, 8));
        break;
    case 1:
        *byte = telling[below(stream, sizeof telling)];
        break;
    case 2:
        *byte = (uint8_t)(*byte + (random_below(stream, 2) == 0 ? 1 : 255));
        break;
    default:
        *byte = (uint8_t)random_next(stream);
        break;
    }
}

static void
remove_piece(struct random_stream *stream, struct input *input)
{
    if (input->size == 0) {
        return;
    }
    size_t at = below(stream, input->size);
    size_t left = input->size - at;
    size_t size = 1 + below(stream, left < PIECE_MAX ? left : PIECE_MAX);
    memmove(input->data + at, input->data + at + size, left - size);
    input->size -= size;
}

/* Puts `size` bytes at `at`, as far as there is room. */
static void
insert(struct input *input, size_t at, const uint8_t *bytes, size_t size, size_t size_max)
{
    if (size > size_max - input->size) {
        return;
    }
    memmove(input->data + at + size, input->data + at, input->size - at);
    memcpy(input->data + at, bytes, size);
    input->size += size;
}

/* Copies a piece of `from`, which may be the input itself, to somewhere in the input. */
static void
copy_piece(struct random_stream *stream, struct input *input, const struct input *from,
    size_t piece_max, size_t size_max)
{
    uint8_t piece[4096];
    if (from->size == 0) {
        return;
    }
    size_t start = below(stream, from->size);
    size_t left = from->size - start;
    size_t size = 1 + below(stream, left < piece_max ? left : piece_max);
    memcpy(piece, from->data + start, size);
    size_t at = below(stream, input->size + 1);
    if (random_below(stream, 2) == 0) {
        insert(input, at, piece, size, size_max);
    } else {
        size = size < input->size - at ? size : input->size - at;
        memcpy(input->data + at, piece, size);
    }
}

/* Repeats a piece until the input is nearly as large as it may be. */
static void
blow_up(struct random_stream *stream, struct input *input, size_t size_max)
{
    uint8_t piece[PIECE_MAX];
    if (input->size == 0) {
        return;
    }
    size_t start = below(stream, input->size);
    size_t left = input->size - start;
    size_t size = 1 + below(stream, left < PIECE_MAX ? left : PIECE_MAX);
    memcpy(piece, input->data + start, size);
    while (size <= size_max - input->size) {
        insert(input, start, piece, size, size_max);
    }
}

void
mutate(const struct corpus *corpus, uint64_t seed, uint64_t number, size_t size_max,
    struct input *result)
{
    struct random_stream stream = {seed ^ number * 0x9e3779b97f4a7c15};
    (void)random_next(&stream);
    const struct input *first = &corpus->inputs[below(&stream, corpus->count)];
    const struct input *other = &corpus->inputs[below(&stream, corpus->count)];
    result->size = first->size < size_max ? first->size : size_max;
    memcpy(result->data, first->data, result->size);
    for (uint64_t changes = 1 + random_below(&stream, CHANGES_MAX); changes > 0; changes--) {
        switch (random_below(&stream, 8)) {
        case 0:
            remove_piece(&stream, result);
            break;
        case 1:
            copy_piece(&stream, result, result, PIECE_MAX, size_max);
            break;
        case 2:
            copy_piece(&stream, result, other, 4096, size_max);
            break;
        default:
            change_byte(&stream, result);
            break;
        }
    }
    if (random_below(&stream, LARGE_ONE_IN) == 0) {
        blow_up(&stream, result, size_max);
    }
}
