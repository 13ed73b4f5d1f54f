#include "shared/pack.h"

#include "shared/error.h"
#include "shared/text.h"

#include <string.h>

void
buffer_init(struct buffer *buffer, void *data, size_t size_max)
{
    *buffer = (struct buffer){.data = data, .size_max = size_max};
}

int
buffer_append(void *target, const char *data, size_t size)
{
    struct buffer *buffer = target;
    if (size > buffer->size_max - buffer->size) {
        buffer->overflow = true;
        return -1;
    }
    if (size > 0) {
        memcpy(buffer->data + buffer->size, data, size);
        buffer->size += size;
    }
    return 0;
}

void
pack_into(msgpack_packer *packer, struct buffer *buffer)
{
    msgpack_packer_init(packer, buffer, buffer_append);
}

void
pack_text(msgpack_packer *packer, const char *text)
{
    pack_text_sized(packer, text, strlen(text));
}

void
pack_text_sized(msgpack_packer *packer, const char *text, size_t size)
{
    msgpack_pack_str(packer, size);
    msgpack_pack_str_body(packer, text, size);
}

void
pack_bytes(msgpack_packer *packer, const void *data, size_t size)
{
    msgpack_pack_bin(packer, size);
    msgpack_pack_bin_body(packer, data, size);
}

void
pack_uint_member(msgpack_packer *packer, const char *key, uint64_t value)
{
    pack_text(packer, key);
    msgpack_pack_uint64(packer, value);
}

int
unpacked_init(struct unpacked *unpacked)
{
    memset(unpacked, 0, sizeof *unpacked);
    return msgpack_zone_init(&unpacked->zone, MSGPACK_ZONE_CHUNK_SIZE) ? 0 : ERROR_MEMORY;
}

void
unpacked_fini(struct unpacked *unpacked)
{
    /* A zone that was never made has no chunk, which msgpack-c does not look for. */
    if (unpacked->zone.chunk_list.head != NULL) {
        msgpack_zone_destroy(&unpacked->zone);
    }
    memset(unpacked, 0, sizeof *unpacked);
}

int
unpack(struct unpacked *unpacked, const void *data, size_t size, const struct guard_bounds *bounds,
    size_t *used, enum guard_verdict *verdict)
{
    *verdict = guard_measure(data, size, bounds, used);
    if (*verdict != GUARD_OK) {
        return ERROR_DAMAGED;
    }
    size_t offset = 0;
    msgpack_zone_clear(&unpacked->zone);
    /* The guard knows where the object ends, so what msgpack-c can still fail on is memory. */
    msgpack_unpack_return result =
        msgpack_unpack(data, *used, &offset, &unpacked->zone, &unpacked->object);
    if (result != MSGPACK_UNPACK_SUCCESS && result != MSGPACK_UNPACK_EXTRA_BYTES) {
        return ERROR_MEMORY;
    }
    return 0;
}

bool
object_uint(const msgpack_object *object, uint64_t min, uint64_t max, uint64_t *value)
{
    if (object->type != MSGPACK_OBJECT_POSITIVE_INTEGER || object->via.u64 < min ||
        object->via.u64 > max) {
        return false;
    }
    *value = object->via.u64;
    return true;
}

bool
object_bytes(const msgpack_object *object, void *data, size_t size)
{
    if (object->type != MSGPACK_OBJECT_BIN || object->via.bin.size != size) {
        return false;
    }
    memcpy(data, object->via.bin.ptr, size);
    return true;
}

bool
object_array(const msgpack_object *object, size_t size)
{
    return object->type == MSGPACK_OBJECT_ARRAY && (size == 0 || object->via.array.size == size);
}

bool
object_is_text(const msgpack_object *object, const char *text)
{
    size_t size = strlen(text);
    return object->type == MSGPACK_OBJECT_STR && object->via.str.size == size &&
           memcmp(object->via.str.ptr, text, size) == 0;
}

bool
object_text(const msgpack_object *object, size_t size_max, const char **text, size_t *size)
{
    if (object->type != MSGPACK_OBJECT_STR || object->via.str.size == 0 ||
        object->via.str.size > size_max ||
        !text_is_printable(object->via.str.ptr, object->via.str.size)) {
        return false;
    }
    *text = object->via.str.ptr;
    *size = object->via.str.size;
    return true;
}

bool
object_copy_text(const msgpack_object *object, size_t size_max, char *target)
{
    const char *text;
    size_t size;
    if (!object_text(object, size_max, &text, &size)) {
        return false;
    }
    memcpy(target, text, size);
    target[size] = '\0';
    return true;
}
