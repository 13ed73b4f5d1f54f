/** read_readings.h: all readings of a file, for a look at what was written. */
#ifndef STOCKBUS_TESTS_READ_READINGS_H
#define STOCKBUS_TESTS_READ_READINGS_H

#include <fcntl.h>
#include <unistd.h>

#include "pipeline/reading_stream.h"
#include "support/cmocka_headers.h"

/**
 * Reads up to `size_max` readings of file `path` into `readings`, which may be NULL. Fails the test
 * unless all of the file is whole readings, no more of them than `size_max`. Returns how many.
 */
static inline uint64_t
read_readings(const char *path, struct reading *readings, uint64_t size_max)
{
    struct reading_stream stream;
    struct diagnostic diagnostic = {""};
    struct reading reading;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(reading_stream_init(&stream, fd, path), 0);
    for (;;) {
        int error = reading_stream_next(&stream, &reading, &diagnostic);
        if (error == ERROR_CLOSED) {
            break;
        }
        if (error != 0) {
            fail_msg("%s", diagnostic.text);
        }
        assert_true(stream.count <= size_max);
        if (readings != NULL) {
            readings[stream.count - 1] = reading;
        }
    }
    uint64_t count = stream.count;
    reading_stream_fini(&stream);
    close(fd);
    return count;
}

#endif
