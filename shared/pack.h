/**
 * pack.h: small helpers around msgpack-c, for writing into memory that the caller has and for
 * taking unpacked objects apart.
 */
#ifndef STOCKBUS_SHARED_PACK_H
#define STOCKBUS_SHARED_PACK_H

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/guard.h"

/**
 * Bytes of a fixed room that the caller owns. What does not fit is dropped and `overflow` stays
 * true, so that a writer packs everything and looks once at the end.
 */
struct buffer {
    unsigned char *data; /**< the caller's */
    size_t size;         /**< bytes that were appended */
    size_t size_max;     /**< bytes that there is room for */
    bool overflow;       /**< something did not fit */
};

/** Makes `buffer` empty over `size_max` bytes at `data`, which stay the caller's. */
void
buffer_init(struct buffer *buffer, void *data, size_t size_max);

/** Appends bytes; the callback form that msgpack_packer wants. Returns 0, or -1 on overflow. */
int
buffer_append(void *buffer, const char *data, size_t size);

/** Makes `packer` write into `buffer`. */
void
pack_into(msgpack_packer *packer, struct buffer *buffer);

/** Packs a text; `text` ends with a zero that is not packed. */
void
pack_text(msgpack_packer *packer, const char *text);

/** Packs a text of `size` bytes. */
void
pack_text_sized(msgpack_packer *packer, const char *text, size_t size);

/** Packs a byte string. */
void
pack_bytes(msgpack_packer *packer, const void *data, size_t size);

/** Packs one member of a map: a text key and an unsigned value. */
void
pack_uint_member(msgpack_packer *packer, const char *key, uint64_t value);

/**
 * One unpacked object and the memory it needs, kept from one message to the next.
 *
 * Texts and byte strings of the object point into the bytes it was unpacked from.
 */
struct unpacked {
    msgpack_zone zone;     /**< where the parts of the object are */
    msgpack_object object; /**< unpacked last */
};

/** Returns 0 or ERROR_MEMORY. */
int
unpacked_init(struct unpacked *unpacked);

/**
 * Frees the memory; the struct may be given to unpacked_init() again. One that is all zero, or
 * whose unpacked_init() failed, is fine.
 */
void
unpacked_fini(struct unpacked *unpacked);

/**
 * Checks the object at `data` against `bounds` and unpacks it into `unpacked->object`, in place of
 * what was there.
 *
 * Returns 0 with the size of the object in bytes in `*used`; ERROR_DAMAGED when a bound is broken,
 * with the offset in `*used` and the reason in `*verdict`; or ERROR_MEMORY.
 */
int
unpack(struct unpacked *unpacked, const void *data, size_t size, const struct guard_bounds *bounds,
    size_t *used, enum guard_verdict *verdict);

/** Is `object` an unsigned integer from `min` to `max`? Then it is in `*value`. */
bool
object_uint(const msgpack_object *object, uint64_t min, uint64_t max, uint64_t *value);

/** Is `object` a byte string of exactly `size` bytes? Then they are copied to `data`. */
bool
object_bytes(const msgpack_object *object, void *data, size_t size);

/** Is `object` an array? Of exactly `size` objects, unless `size` is 0? */
bool
object_array(const msgpack_object *object, size_t size);

/** Is `object` a text that equals `text`? */
bool
object_is_text(const msgpack_object *object, const char *text);

/**
 * Is `object` a text of 1 to `size_max` bytes of UTF-8 without control characters? Then `*text`
 * points to its bytes, with no zero behind them, and `*size` counts them.
 */
bool
object_text(const msgpack_object *object, size_t size_max, const char **text, size_t *size);

/** Is `object` a text as in object_text()? Then it is copied to `target` with a zero behind it. */
bool
object_copy_text(const msgpack_object *object, size_t size_max, char *target);

#endif
