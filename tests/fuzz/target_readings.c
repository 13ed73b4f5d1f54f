/*
 * What readings-cat reads. For any bytes in a stream:
 *
 * - it ends behind a whole reading or with a reason, and says the same when it is asked again;
 * - a reading is within the limits, and packs to the members that came, in their shortest form;
 * - the readings, packed and read again, are the same;
 * - in what pieces the bytes come changes nothing.
 */
#include "fuzz/normal.h"
#include "fuzz/target.h"

#include "pipeline/reading_stream.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum {
    SOURCE_FD = 1 << 20 /* no descriptor of the system has this number */
};

/* What the stream reads; see --wrap in ld(1). */
static struct source {
    const uint8_t *data;
    size_t size;
    size_t piece_max;
} source;

/* What was read of a stream. */
struct result {
    uint64_t count;
    uint64_t offset;
    int error;
    struct diagnostic diagnostic;
    struct buffer packed;
};

static const char *const keys[] = {
    "id", "producer", "sequence", "time_ns", "sensor", "unit", "value"};

ssize_t
__real_read(int fd, void *data, size_t size);

ssize_t
__wrap_read(int fd, void *data, size_t size);

ssize_t
__wrap_read(int fd, void *data, size_t size)
{
    if (fd != SOURCE_FD) {
        return __real_read(fd, data, size);
    }
    size = size < source.piece_max ? size : source.piece_max;
    size = size < source.size ? size : source.size;
    if (size > 0) {
        memcpy(data, source.data, size);
        source.data += size;
        source.size -= size;
    }
    return (ssize_t)size;
}

static void
check_reading(const struct reading *reading, const msgpack_object *object)
{
    unsigned char packed[READING_SIZE_MAX];
    unsigned char expected[READING_SIZE_MAX];
    struct buffer normal;
    REQUIRE(reading->id <= READING_ID_MAX && reading->time_ns >= 0 && isfinite(reading->value));
    REQUIRE(reading->sequence >= 1 && reading->sequence <= READING_SEQUENCE_MAX);
    REQUIRE(reading->producer >= 1 && reading->producer <= READING_PRODUCER_MAX);
    REQUIRE(reading->sensor[0] != '\0' && reading->unit[0] != '\0');
    buffer_init(&normal, expected, sizeof expected);
    normal_pack_map(&normal, object, keys, sizeof keys / sizeof keys[0]);
    REQUIRE(!normal.overflow);
    size_t size = reading_pack(reading, packed);
    REQUIRE(size == normal.size && memcmp(packed, expected, size) == 0);
}

/* Reads all of `size` bytes in pieces, and packs what was read. */
static void
read_all(const uint8_t *data, size_t size, size_t piece_max, struct result *result)
{
    struct reading_stream stream;
    struct reading reading;
    struct diagnostic again = {""};
    unsigned char packed[READING_SIZE_MAX];
    source = (struct source){.data = data, .size = size, .piece_max = piece_max};
    *result = (struct result){.count = 0};
    void *room = malloc(size + READING_SIZE_MAX); /* a reading packs to no more than came */
    REQUIRE(room != NULL && reading_stream_init(&stream, SOURCE_FD, "input") == 0);
    buffer_init(&result->packed, room, size + READING_SIZE_MAX);
    for (;;) {
        uint64_t offset = stream.offset;
        result->error = reading_stream_next(&stream, &reading, &result->diagnostic);
        if (result->error != 0) {
            break;
        }
        REQUIRE(stream.offset > offset && stream.offset <= size);
        check_reading(&reading, &stream.unpacked.object);
        size_t packed_size = reading_pack(&reading, packed);
        REQUIRE(buffer_append(&result->packed, (const char *)packed, packed_size) == 0);
    }
    result->count = stream.count;
    result->offset = stream.offset;
    REQUIRE(result->error == ERROR_CLOSED ||
            (result->error == ERROR_DAMAGED && result->diagnostic.text[0] != '\0'));
    REQUIRE(result->error != ERROR_CLOSED || result->offset == size);
    REQUIRE(reading_stream_next(&stream, &reading, &again) == result->error);
    REQUIRE(strcmp(again.text, result->diagnostic.text) == 0);
    reading_stream_fini(&stream);
}

static void
require_same_readings(const struct result *a, const struct result *b)
{
    REQUIRE(a->count == b->count && a->packed.size == b->packed.size);
    REQUIRE(memcmp(a->packed.data, b->packed.data, a->packed.size) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct result whole;
    struct result pieces;
    struct result again;
    read_all(data, size, SIZE_MAX, &whole);
    read_all(data, size, size > 0 ? 1 + data[0] % 7 : 1, &pieces);
    require_same_readings(&whole, &pieces);
    REQUIRE(whole.error == pieces.error && whole.offset == pieces.offset);
    REQUIRE(strcmp(whole.diagnostic.text, pieces.diagnostic.text) == 0);
    read_all(whole.packed.data, whole.packed.size, SIZE_MAX, &again);
    require_same_readings(&whole, &again);
    REQUIRE(again.error == ERROR_CLOSED);
    free(whole.packed.data);
    free(pieces.packed.data);
    free(again.packed.data);
    return 0;
}
