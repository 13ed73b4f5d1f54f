#include "fuzz/normal.h"

#include "fuzz/target.h"

#include <string.h>

const msgpack_object *
normal_find(const msgpack_object *map, const char *key)
{
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        if (object_is_text(&map->via.map.ptr[i].key, key)) {
            return &map->via.map.ptr[i].val;
        }
    }
    return NULL;
}

void
normal_pack(struct buffer *buffer, const msgpack_object *object)
{
    msgpack_packer packer;
    pack_into(&packer, buffer);
    if (object->type == MSGPACK_OBJECT_FLOAT32) {
        msgpack_pack_double(&packer, object->via.f64);
    } else {
        msgpack_pack_object(&packer, *object);
    }
}

void
normal_pack_map(
    struct buffer *buffer, const msgpack_object *map, const char *const *keys, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += normal_find(map, keys[i]) != NULL;
    }
    msgpack_packer packer;
    pack_into(&packer, buffer);
    msgpack_pack_map(&packer, found);
    for (size_t i = 0; i < count; i++) {
        const msgpack_object *value = normal_find(map, keys[i]);
        if (value != NULL) {
            pack_text(&packer, keys[i]);
            normal_pack(buffer, value);
        }
    }
}

bool
normal_equal(const msgpack_object *a, const msgpack_object *b, size_t size_max)
{
    unsigned char *room = malloc(2 * size_max);
    REQUIRE(room != NULL);
    struct buffer first;
    struct buffer second;
    buffer_init(&first, room, size_max);
    buffer_init(&second, room + size_max, size_max);
    normal_pack(&first, a);
    normal_pack(&second, b);
    REQUIRE(!first.overflow && !second.overflow);
    bool equal = first.size == second.size && memcmp(first.data, second.data, first.size) == 0;
    free(room);
    return equal;
}
