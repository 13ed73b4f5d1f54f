#include "support/cmocka_headers.h"

#include <string.h>

#include "shared/guard.h"

static const struct guard_bounds bounds = {.depth_max = 8, .elements_max = 4096};

static enum guard_verdict
measure(const void *data, size_t size, size_t *used)
{
    return guard_measure(data, size, &bounds, used);
}

static void
every_first_byte_has_the_size_that_the_encoding_gives_it(void **state)
{
    (void)state;
    /* Sizes of the smallest object that begins with 0xc0 to 0xdf and has length 1 where it has one.
     */
    static const size_t sizes[32] = {1, 0, 1, 1, 3, 4, 6, 4, 5, 7, 5, 9, 2, 3, 5, 9, 2, 3, 5, 9, 3,
        4, 6, 10, 18, 3, 4, 6, 4, 6, 5, 7};
    static const size_t length_sizes[32] = {0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4};
    for (int first = 0; first < 256; first++) {
        unsigned char data[64] = {(unsigned char)first};
        size_t expected = 1;
        if (first >= 0x80 && first <= 0x8f) {
            expected = 1 + 2 * (size_t)(first & 0x0f);
        } else if (first >= 0x90 && first <= 0x9f) {
            expected = 1 + (size_t)(first & 0x0f);
        } else if (first >= 0xa0 && first <= 0xbf) {
            expected = 1 + (size_t)(first & 0x1f);
        } else if (first >= 0xc0 && first <= 0xdf) {
            expected = sizes[first - 0xc0];
            if (length_sizes[first - 0xc0] > 0) {
                data[length_sizes[first - 0xc0]] = 1;
            }
        }
        size_t used = 99;
        if (first == 0xc1) {
            assert_int_equal(measure(data, sizeof data, &used), GUARD_BYTE);
            continue;
        }
        assert_int_equal(measure(data, sizeof data, &used), GUARD_OK);
        assert_int_equal(used, expected);
        /* The same object cut anywhere is short, never read beyond its end. */
        for (size_t size = 0; size < expected; size++) {
            assert_int_equal(measure(data, size, &used), GUARD_SHORT);
        }
    }
}

static void
counts_that_the_bytes_cannot_hold_are_refused_at_once(void **state)
{
    (void)state;
    size_t used;
    assert_int_equal(measure("\xdd\xff\xff\xff\xff", 5, &used), GUARD_ELEMENTS);
    assert_int_equal(measure("\xdf\xff\xff\xff\xff", 5, &used), GUARD_ELEMENTS);
    assert_int_equal(measure("\xc6\xff\xff\xff\xff", 5, &used), GUARD_SHORT);
    assert_int_equal(measure("\xdb\xff\xff\xff\xff", 5, &used), GUARD_SHORT);
    assert_int_equal(measure("\xdc\x00\x10\xc0", 4, &used), GUARD_SHORT);
}

static void
depth_is_bounded(void **state)
{
    (void)state;
    unsigned char data[101];
    size_t used;
    memset(data, 0x91, sizeof data);
    data[100] = 0xc0;
    assert_int_equal(measure(data, sizeof data, &used), GUARD_DEPTH);
    assert_int_equal(measure(data + 100 - 7, 8, &used), GUARD_OK);
    assert_int_equal(used, 8);
    assert_int_equal(measure(data + 100 - 8, 9, &used), GUARD_DEPTH);
}

static void
objects_are_counted_in_all(void **state)
{
    (void)state;
    unsigned char data[3 + 4096] = {0xdc, 0x0f, 0xff};
    size_t used;
    memset(data + 3, 0x01, 4096);
    assert_int_equal(measure(data, sizeof data, &used), GUARD_OK);
    assert_int_equal(used, 3 + 4095);
    data[1] = 0x10;
    data[2] = 0x00;
    assert_int_equal(measure(data, sizeof data, &used), GUARD_ELEMENTS);
}

static void
offset_names_the_object_that_broke_the_bound(void **state)
{
    (void)state;
    size_t used;
    assert_int_equal(measure("\x93\x01\x02\xc1", 4, &used), GUARD_BYTE);
    assert_int_equal(used, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_first_byte_has_the_size_that_the_encoding_gives_it),
        cmocka_unit_test(counts_that_the_bytes_cannot_hold_are_refused_at_once),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(objects_are_counted_in_all),
        cmocka_unit_test(offset_names_the_object_that_broke_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
