/**
 * normal.h: MessagePack in one form: each object in its shortest encoding, the members of a map in
 * a given order.
 *
 * It is made from the bytes alone, by msgpack-c, so that what a decoder understood can be held
 * against what was there.
 */
#ifndef STOCKBUS_TESTS_FUZZ_NORMAL_H
#define STOCKBUS_TESTS_FUZZ_NORMAL_H

#include <msgpack.h>
#include <stdbool.h>

#include "shared/pack.h"

/** Returns the value of member `key` of `map`, or NULL. */
const msgpack_object *
normal_find(const msgpack_object *map, const char *key);

/** Packs `object` into `buffer` in its shortest form; a float 32 as a float 64. */
void
normal_pack(struct buffer *buffer, const msgpack_object *object);

/** Packs the members of `map` that are among the `count` keys, in the order of the keys. */
void
normal_pack_map(
    struct buffer *buffer, const msgpack_object *map, const char *const *keys, size_t count);

/** Are `a` and `b` the same in their shortest form? At most `size_max` bytes each. */
bool
normal_equal(const msgpack_object *a, const msgpack_object *b, size_t size_max);

#endif
