#include "support/cmocka_headers.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/generator.h"
#include "pipeline/reading_source.h"

static void
generators_give_the_published_numbers(void **state)
{
    (void)state;
    uint64_t split = 1234567;
    static const uint64_t split_expected[] = {UINT64_C(6457827717110365317),
        UINT64_C(3203168211198807973), UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821)};
    for (int i = 0; i < 5; i++) {
        assert_true(splitmix64_next(&split) == split_expected[i]);
    }
    uint64_t xoshiro[4] = {1, 2, 3, 4};
    static const uint64_t xoshiro_expected[] = {UINT64_C(11520), UINT64_C(0), UINT64_C(1509978240),
        UINT64_C(1215971899390074240), UINT64_C(1216172134540287360), UINT64_C(607988272756665600)};
    for (int i = 0; i < 6; i++) {
        assert_true(xoshiro256_next(xoshiro) == xoshiro_expected[i]);
    }
}

static void
equal_seeds_make_equal_readings(void **state)
{
    (void)state;
    struct reading_source a;
    struct reading_source b;
    reading_source_init(&a, 5, 3, READING_CLOCK_SIMULATED);
    reading_source_init(&b, 5, 3, READING_CLOCK_SIMULATED);
    for (int i = 0; i < 1000; i++) {
        struct reading x;
        struct reading y;
        reading_source_next(&a, &x);
        reading_source_next(&b, &y);
        assert_memory_equal(&x, &y, sizeof x);
    }
}

static void
other_seeds_and_other_producers_make_others(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed;
        uint32_t producer;
    } keys[] = {{5, 1}, {5, 2}, {6, 1}, {6, 2}, {UINT64_MAX, 1}};
    enum {
        KEYS = sizeof keys / sizeof keys[0]
    };
    struct reading first[KEYS];
    for (int i = 0; i < KEYS; i++) {
        struct reading_source source;
        reading_source_init(&source, keys[i].seed, keys[i].producer, READING_CLOCK_SIMULATED);
        reading_source_next(&source, &first[i]);
        for (int j = 0; j < i; j++) {
            assert_true(first[i].id != first[j].id);
            assert_true(first[i].time_ns != first[j].time_ns);
        }
    }
}

static int
compare_numbers(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

static void
ids_are_unique_and_all_is_in_range(void **state)
{
    (void)state;
    enum {
        PRODUCERS = 64,
        EACH = 2000
    };
    uint64_t *ids = calloc(PRODUCERS * EACH, sizeof *ids);
    size_t count = 0;
    assert_non_null(ids);
    for (uint32_t producer = 1; producer <= PRODUCERS; producer++) {
        struct reading_source source;
        int64_t last_ns = 0;
        reading_source_init(&source, 99, producer, READING_CLOCK_REAL);
        for (uint64_t sequence = 1; sequence <= EACH; sequence++) {
            struct reading reading;
            reading_source_next(&source, &reading);
            assert_true(reading.id <= READING_ID_MAX);
            assert_true(reading.sequence == sequence);
            assert_int_equal(reading.producer, producer);
            assert_true(reading.time_ns > INT64_C(1500000000000000000));
            assert_true(strlen(reading.sensor) > 0 && strlen(reading.unit) > 0);
            assert_true(reading.value >= -100 && reading.value <= 2000);
            assert_true(reading.time_ns >= last_ns - INT64_C(60000000000)); /* clocks are set */
            last_ns = reading.time_ns;
            ids[count++] = reading.id;
        }
    }
    qsort(ids, count, sizeof *ids, compare_numbers);
    for (size_t i = 1; i < count; i++) {
        assert_true(ids[i] != ids[i - 1]);
    }
    free(ids);
}

static void
simulated_time_does_not_run_backwards(void **state)
{
    (void)state;
    struct reading_source source;
    struct reading reading;
    int64_t last_ns = INT64_C(1767225600000000000);
    reading_source_init(&source, 0, 1, READING_CLOCK_SIMULATED);
    for (int i = 0; i < 1000; i++) {
        reading_source_next(&source, &reading);
        assert_true(reading.time_ns >= last_ns);
        assert_true(reading.time_ns < last_ns + 2000000);
        last_ns = reading.time_ns;
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generators_give_the_published_numbers),
        cmocka_unit_test(equal_seeds_make_equal_readings),
        cmocka_unit_test(other_seeds_and_other_producers_make_others),
        cmocka_unit_test(ids_are_unique_and_all_is_in_range),
        cmocka_unit_test(simulated_time_does_not_run_backwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
