#include "support/cmocka_headers.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/reading_source.h"
#include "pipeline/reading_stream.h"

/* The linker puts this in the place of read: like a pipe, it may give less than is wanted. */
static size_t read_size_max = SIZE_MAX;
static size_t reads;

ssize_t
__real_read(int fd, void *data, size_t size);
ssize_t
__wrap_read(int fd, void *data, size_t size);

ssize_t
__wrap_read(int fd, void *data, size_t size)
{
    reads++;
    return __real_read(fd, data, size < read_size_max ? size : read_size_max);
}

/* Bytes that a stream is to read, and what came of them. */
struct bytes {
    unsigned char data[1 << 16];
    struct buffer buffer;
    uint64_t count;
    int error; /* that ended the stream */
    struct diagnostic diagnostic;
};

static void
bytes_init(struct bytes *bytes)
{
    buffer_init(&bytes->buffer, bytes->data, sizeof bytes->data);
    bytes->diagnostic.text[0] = '\0';
}

static void
add_readings(struct bytes *bytes, int count)
{
    struct reading_source source;
    reading_source_init(&source, 1, 1, READING_CLOCK_SIMULATED);
    for (int i = 0; i < count; i++) {
        struct reading reading;
        reading_source_next(&source, &reading);
        bytes->buffer.size += reading_pack(&reading, bytes->data + bytes->buffer.size);
    }
}

/* Reads the bytes through a file until the stream ends. */
static void
read_all(struct bytes *bytes)
{
    struct reading_stream stream;
    struct reading reading;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(bytes->buffer.data, 1, bytes->buffer.size, file), bytes->buffer.size);
    rewind(file);
    assert_int_equal(reading_stream_init(&stream, fileno(file), "some.msgpack"), 0);
    do {
        bytes->error = reading_stream_next(&stream, &reading, &bytes->diagnostic);
    } while (bytes->error == 0);
    bytes->count = stream.count;
    /* It gives nothing more. */
    assert_int_equal(reading_stream_next(&stream, &reading, NULL), bytes->error);
    reading_stream_fini(&stream);
    fclose(file);
}

static void
an_empty_stream_has_no_readings(void **state)
{
    (void)state;
    struct bytes bytes;
    bytes_init(&bytes);
    read_all(&bytes);
    assert_int_equal(bytes.error, ERROR_CLOSED);
    assert_true(bytes.count == 0);
}

static void
a_stream_that_is_cut_anywhere_gives_what_is_whole(void **state)
{
    (void)state;
    struct bytes bytes;
    size_t ends[4] = {0};
    bytes_init(&bytes);
    for (int i = 1; i < 4; i++) {
        bytes_init(&bytes);
        add_readings(&bytes, i);
        ends[i] = bytes.buffer.size;
    }
    for (size_t size = 0; size <= ends[3]; size++) {
        char told[128];
        uint64_t whole = 0;
        while (whole < 3 && ends[whole + 1] <= size) {
            whole++;
        }
        bytes.buffer.size = size;
        read_all(&bytes);
        assert_true(bytes.count == whole);
        assert_int_equal(bytes.error, size == ends[whole] ? ERROR_CLOSED : ERROR_DAMAGED);
        if (bytes.error == ERROR_DAMAGED) {
            snprintf(told, sizeof told, "some.msgpack: byte %zu: object %d is cut off", ends[whole],
                (int)whole + 1);
            assert_non_null(strstr(bytes.diagnostic.text, told));
        }
    }
}

static void
no_single_byte_changed_does_more_than_end_the_stream(void **state)
{
    (void)state;
    struct bytes bytes;
    bytes_init(&bytes);
    add_readings(&bytes, 3);
    for (size_t at = 0; at < bytes.buffer.size; at++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes.data[at] ^= (unsigned char)(1 << bit);
            read_all(&bytes);
            assert_true(bytes.count <= 3);
            assert_true(bytes.error == ERROR_DAMAGED || bytes.count == 3);
            bytes.data[at] ^= (unsigned char)(1 << bit);
        }
    }
}

/* Two good readings, and then `size` bytes that are told as `told`. */
static void
refuse(const char *data, size_t size, const char *told)
{
    struct bytes bytes;
    bytes_init(&bytes);
    add_readings(&bytes, 2);
    buffer_append(&bytes.buffer, data, size);
    read_all(&bytes);
    assert_true(bytes.count == 2);
    assert_int_equal(bytes.error, ERROR_DAMAGED);
    assert_non_null(strstr(bytes.diagnostic.text, "object 3 "));
    assert_non_null(strstr(bytes.diagnostic.text, told));
}

static void
what_is_no_reading_is_told_as_what_it_is(void **state)
{
    (void)state;
    char large[READING_OBJECT_SIZE_MAX + 100];
    memset(large, 'x', sizeof large);
    memcpy(large, "\xda\x10\x00", 3);
    refuse(large, sizeof large, "is larger than a reading may be");
    refuse("\xdb\xff\xff\xff\xff", 5, "is cut off");
    refuse("\xc1", 1, "0xc1");
    refuse("\xdd\xff\xff\xff\xff", 5, "more members");
    refuse("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01", 10, "nested too deeply");
    refuse("\x00\x00\x00", 3, "is a zero: the recording was killed");
    refuse("\x93\x01\x02\x03", 4, "is not a map");
    refuse("\x80", 1, "has no valid \"id\"");
}

static void
a_pipe_may_give_a_byte_at_a_time(void **state)
{
    (void)state;
    struct bytes bytes;
    bytes_init(&bytes);
    add_readings(&bytes, 20);
    read_size_max = 1;
    reads = 0;
    read_all(&bytes);
    read_size_max = SIZE_MAX;
    assert_true(bytes.count == 20);
    assert_int_equal(bytes.error, ERROR_CLOSED);
    assert_true(reads > bytes.buffer.size);
}

static void
a_descriptor_that_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    struct reading_stream stream;
    struct reading reading;
    struct diagnostic diagnostic = {""};
    assert_int_equal(reading_stream_init(&stream, -1, "nothing"), 0);
    assert_int_equal(reading_stream_next(&stream, &reading, &diagnostic), ERROR_IO);
    assert_non_null(strstr(diagnostic.text, "cannot read nothing at byte 0"));
    /* The same again, also if reading would work by now. */
    diagnostic.text[0] = '\0';
    stream.fd = open("/dev/null", O_RDONLY);
    assert_true(stream.fd >= 0);
    assert_int_equal(reading_stream_next(&stream, &reading, &diagnostic), ERROR_IO);
    assert_non_null(strstr(diagnostic.text, "cannot read nothing at byte 0"));
    close(stream.fd);
    reading_stream_fini(&stream);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_stream_has_no_readings),
        cmocka_unit_test(a_stream_that_is_cut_anywhere_gives_what_is_whole),
        cmocka_unit_test(no_single_byte_changed_does_more_than_end_the_stream),
        cmocka_unit_test(what_is_no_reading_is_told_as_what_it_is),
        cmocka_unit_test(a_pipe_may_give_a_byte_at_a_time),
        cmocka_unit_test(a_descriptor_that_cannot_be_read_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
