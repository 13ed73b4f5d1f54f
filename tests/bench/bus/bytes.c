#include "bytes.h"

#include "load.h"

#include <stdlib.h>
#include <string.h>

uint8_t *
bytes_room(struct bytes *bytes, size_t size)
{
    if (bytes->size_max - bytes->size < size) {
        size_t size_max = bytes->size_max == 0 ? 512 : bytes->size_max;
        while (size_max - bytes->size < size) {
            size_max *= 2;
        }
        uint8_t *data = realloc(bytes->data, size_max);
        if (data == NULL) {
            die("out of memory");
        }
        bytes->data = data;
        bytes->size_max = size_max;
    }
    return bytes->data + bytes->size;
}

void
bytes_add(struct bytes *bytes, const void *data, size_t size)
{
    memcpy(bytes_room(bytes, size), data, size);
    bytes->size += size;
}

void
bytes_add_text(struct bytes *bytes, const char *text)
{
    bytes_add(bytes, text, strlen(text));
}

void
bytes_add_big(struct bytes *bytes, uint64_t number, size_t size)
{
    uint8_t *room = bytes_room(bytes, size);
    for (size_t i = 0; i < size; i++) {
        room[i] = (uint8_t)(number >> (8 * (size - 1 - i)));
    }
    bytes->size += size;
}

void
bytes_drop(struct bytes *bytes, size_t size)
{
    bytes->size -= size;
    if (bytes->size > 0) {
        memmove(bytes->data, bytes->data + size, bytes->size);
    }
}

uint64_t
big_at(const uint8_t *data, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | data[i];
    }
    return number;
}
