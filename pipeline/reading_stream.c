#include "pipeline/reading_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct guard_bounds object_bounds = {
    .depth_max = READING_OBJECT_DEPTH_MAX,
    .elements_max = READING_OBJECT_ELEMENTS_MAX,
};

int
reading_stream_init(struct reading_stream *stream, int fd, const char *name)
{
    *stream = (struct reading_stream){.fd = fd, .name = name};
    stream->data = malloc(READING_STREAM_BUFFER_SIZE);
    if (stream->data == NULL) {
        return ERROR_MEMORY;
    }
    int error = unpacked_init(&stream->unpacked);
    if (error != 0) {
        free(stream->data);
        stream->data = NULL;
    }
    return error;
}

void
reading_stream_fini(struct reading_stream *stream)
{
    unpacked_fini(&stream->unpacked);
    free(stream->data);
    stream->data = NULL;
}

/* Moves what is left to the front and reads once behind it. Returns 0 or ERROR_IO. */
static int
fill(struct reading_stream *stream, struct diagnostic *diagnostic)
{
    memmove(stream->data, stream->data + stream->start, stream->end - stream->start);
    stream->end -= stream->start;
    stream->start = 0;
    assert(stream->end < READING_STREAM_BUFFER_SIZE);

    ssize_t got;
    do {
        got =
            read(stream->fd, stream->data + stream->end, READING_STREAM_BUFFER_SIZE - stream->end);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return diagnostic_set(diagnostic, ERROR_IO, "cannot read %s at byte %llu: %s", stream->name,
            (unsigned long long)stream->offset, strerror(errno));
    }
    stream->at_end = got == 0;
    stream->end += (size_t)got;
    return 0;
}

static int
damaged(const struct reading_stream *stream, struct diagnostic *diagnostic, const char *reason)
{
    return diagnostic_set(diagnostic, ERROR_DAMAGED, "%s: byte %llu: object %llu %s", stream->name,
        (unsigned long long)stream->offset, (unsigned long long)stream->count + 1, reason);
}

/* Words for an object that is not even MessagePack within our bounds. */
static const char *
reason_of(const struct reading_stream *stream, enum guard_verdict verdict)
{
    switch (verdict) {
    case GUARD_SHORT:
        return stream->at_end ? "is cut off by the end of the file"
                              : "is larger than a reading may be";
    case GUARD_DEPTH:
        return "is nested too deeply for a reading";
    case GUARD_ELEMENTS:
        return "has more members than a reading may have";
    case GUARD_BYTE:
        return "has the byte 0xc1, which MessagePack never uses";
    case GUARD_OK:
        break;
    }
    return "is damaged";
}

/* Space that was reserved and not used reads as this; our files have it when a writer was killed.
 */
static bool
is_zero(const msgpack_object *object)
{
    return object->type == MSGPACK_OBJECT_POSITIVE_INTEGER && object->via.u64 == 0;
}

/* Reads the next reading, in a stream that has had no error. */
static int
next(struct reading_stream *stream, struct reading *reading, struct diagnostic *diagnostic)
{
    for (;;) {
        size_t size = stream->end - stream->start;
        if (size == 0 && stream->at_end) {
            return ERROR_CLOSED;
        }
        if (size > READING_OBJECT_SIZE_MAX) {
            size = READING_OBJECT_SIZE_MAX;
        }
        size_t used = 0;
        enum guard_verdict verdict = GUARD_OK;
        int error = unpack(
            &stream->unpacked, stream->data + stream->start, size, &object_bounds, &used, &verdict);
        if (error == ERROR_DAMAGED && verdict == GUARD_SHORT && !stream->at_end &&
            size < READING_OBJECT_SIZE_MAX) {
            error = fill(stream, diagnostic);
            if (error != 0) {
                return error;
            }
            continue;
        }
        if (error == ERROR_DAMAGED) {
            return damaged(stream, diagnostic, reason_of(stream, verdict));
        }
        if (error != 0) {
            return diagnostic_set(
                diagnostic, error, "cannot read %s: %s", stream->name, error_text(error));
        }
        const char *reason = NULL;
        error = reading_unpack(&stream->unpacked.object, reading, &reason);
        if (error != 0) {
            return damaged(stream, diagnostic,
                is_zero(&stream->unpacked.object)
                    ? "is a zero: the recording was killed, or is still being written"
                    : reason);
        }
        stream->start += used;
        stream->offset += used;
        stream->count++;
        return 0;
    }
}

int
reading_stream_next(
    struct reading_stream *stream, struct reading *reading, struct diagnostic *diagnostic)
{
    if (stream->error == 0) {
        stream->error = next(stream, reading, &stream->diagnostic);
    }
    if (stream->error != 0 && stream->error != ERROR_CLOSED) {
        diagnostic_set(diagnostic, stream->error, "%s", stream->diagnostic.text);
    }
    return stream->error;
}
