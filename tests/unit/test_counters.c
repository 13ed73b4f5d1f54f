#include "support/cmocka_headers.h"

#include "broker/counters.h"

#include <string.h>

static struct counters counters;
static unsigned char bytes[MESSAGE_SIZE_MAX];

static int
reset(void **state)
{
    (void)state;
    counters_init(&counters, 1000);
    return 0;
}

static void
a_value_falls_into_the_bucket_of_its_length_in_bits(void **state)
{
    static const struct {
        uint64_t value;
        int bucket;
    } cases[] = {{0, 0}, {1, 1}, {2, 2}, {3, 2}, {4, 3}, {7, 3}, {8, 4}, {1023, 10}, {1024, 11},
        {((uint64_t)1 << 30) - 1, 30}, {(uint64_t)1 << 30, 31}, {UINT64_MAX, 31}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tally tally = {.count = 0};
        tally_add(&tally, cases[i].value);
        for (int bucket = 0; bucket < TALLY_BUCKETS; bucket++) {
            assert_int_equal(tally.buckets[bucket], bucket == cases[i].bucket ? 1 : 0);
        }
        assert_int_equal(tally.count, 1);
        assert_true(tally.total == cases[i].value && tally.max == cases[i].value);
    }
}

static void
a_percentile_is_reached_by_that_many_and_less_than_twice_too_high(void **state)
{
    static const unsigned percents[] = {1, 50, 99, 100};
    struct tally tally = {.count = 0};
    (void)state;
    assert_int_equal(tally_percentile(&tally, 50), 0);
    for (uint64_t value = 1; value <= 1000; value++) {
        tally_add(&tally, value);
        for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++) {
            uint64_t exact = (value * percents[i] + 99) / 100; /* of 1 to `value` */
            uint64_t told = tally_percentile(&tally, percents[i]);
            assert_true(told >= exact && told < 2 * exact && told <= value);
        }
    }
    tally_add(&tally, UINT64_MAX / 2);
    assert_true(tally_percentile(&tally, 100) == UINT64_MAX / 2);
    assert_true(tally_percentile(&tally, 99) < 1024);
}

static void
zeros_have_the_percentile_zero(void **state)
{
    struct tally tally = {.count = 0};
    (void)state;
    tally_add(&tally, 0);
    tally_add(&tally, 0);
    tally_add(&tally, 5);
    assert_int_equal(tally_percentile(&tally, 50), 0);
    assert_int_equal(tally_percentile(&tally, 99), 5);
}

static void
only_turns_with_answers_are_counted(void **state)
{
    const struct tally *turns = &counters.stats.tallies[STATS_TURNS];
    (void)state;
    counters_end_turn(&counters);
    assert_int_equal(turns->count, 0);
    for (int i = 0; i < 3; i++) {
        counters_answer(&counters, OPERATION_BUY, STATUS_OK);
    }
    counters_answer(&counters, OPERATION_COUNT, STATUS_BAD_REQUEST);
    counters_end_turn(&counters);
    counters_end_turn(&counters);
    counters_answer(&counters, OPERATION_PING, STATUS_OK);
    counters_end_turn(&counters);
    assert_int_equal(turns->count, 2);
    assert_int_equal(turns->total, 5);
    assert_int_equal(turns->max, 4);
    assert_int_equal(counters.stats.requests[OPERATION_BUY][STATUS_OK], 3);
    assert_int_equal(counters.stats.requests[OPERATION_COUNT][STATUS_BAD_REQUEST], 1);
}

static void
a_sync_counts_what_it_covered_and_how_long_it_took(void **state)
{
    (void)state;
    counters_sync(&counters, 3, 150);
    counters_sync(&counters, 1, 50);
    assert_int_equal(counters.stats.tallies[STATS_RECORDS].total, 4);
    assert_int_equal(counters.stats.tallies[STATS_RECORDS].max, 3);
    assert_int_equal(counters.stats.tallies[STATS_SYNCS_US].count, 2);
    assert_int_equal(counters.stats.tallies[STATS_SYNCS_US].total, 200);
    assert_int_equal(counters.stats.tallies[STATS_SYNCS_US].max, 150);
}

/* Encodes the figures in a reply and decodes that. */
static size_t
travel(struct reply_memory *memory, struct reply *arrived)
{
    const struct reply reply = {.status = STATUS_OK, .stats = &counters.stats};
    struct buffer buffer;
    struct diagnostic diagnostic = {""};
    buffer_init(&buffer, bytes, sizeof bytes);
    reply_encode(&buffer, &reply);
    assert_false(buffer.overflow);
    if (reply_decode(memory, buffer.data, buffer.size, arrived, &diagnostic) != 0) {
        fail_msg("%s", diagnostic.text);
    }
    return buffer.size;
}

static void
all_figures_at_their_largest_fit_a_reply_and_arrive(void **state)
{
    struct stats *stats = &counters.stats;
    struct reply_memory *memory = reply_memory_new();
    struct reply arrived;
    (void)state;
    assert_non_null(memory);
    memset(stats->version, 'v', sizeof stats->version - 1);
    for (int i = 0; i < STATS_NUMBER_COUNT; i++) {
        stats->numbers[i] = NUMBER_MAX - (uint64_t)i;
    }
    for (int i = 0; i < STATS_TALLY_COUNT; i++) {
        struct tally *tally = &stats->tallies[i];
        *tally = (struct tally){NUMBER_MAX, NUMBER_MAX - 1, NUMBER_MAX - 2, {0}};
        for (int bucket = 0; bucket < TALLY_BUCKETS; bucket++) {
            tally->buckets[bucket] = NUMBER_MAX - (uint64_t)(i + bucket);
        }
    }
    for (int row = 0; row <= OPERATION_COUNT; row++) {
        for (int status = 0; status < STATUS_COUNT; status++) {
            stats->requests[row][status] = NUMBER_MAX - (uint64_t)(row * STATUS_COUNT + status);
        }
    }
    assert_true(travel(memory, &arrived) < MESSAGE_SIZE_MAX / 8);
    assert_memory_equal(arrived.stats, stats, sizeof *stats);
    reply_memory_free(&memory);
}

static void
figures_of_a_later_version_are_passed_over(void **state)
{
    static const unsigned char later[] = "\x82\xa3new\xc0\xa8requests\x93"
                                         "\x93\xa5"
                                         "dance\xa2ok\x07"
                                         "\x93\xa3"
                                         "buy\xa4late\x08"
                                         "\x93\xa3"
                                         "buy\xa2ok\x09";
    struct unpacked unpacked;
    struct stats stats;
    enum guard_verdict verdict;
    size_t used;
    (void)state;
    assert_int_equal(unpacked_init(&unpacked), 0);
    assert_int_equal(
        unpack(&unpacked, later, sizeof later - 1, &message_bounds, &used, &verdict), 0);
    assert_true(stats_take(&unpacked.object, &stats));
    uint64_t total = 0;
    for (int row = 0; row <= OPERATION_COUNT; row++) {
        for (int status = 0; status < STATUS_COUNT; status++) {
            total += stats.requests[row][status];
        }
    }
    assert_int_equal(total, 9);
    assert_int_equal(stats.requests[OPERATION_BUY][STATUS_OK], 9);
    unpacked_fini(&unpacked);
}

static void
figures_that_are_none_are_refused(void **state)
{
    static const struct {
        const char *data;
        size_t size;
    } cases[] = {
#define CASE(text) {text, sizeof text - 1}
        CASE("\x90"),
        CASE("\x81\xa7version\x01"),
        CASE("\x81\xa7version\xd9\x20"
             "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"),
        CASE("\x81\xa8sessions\xff"),
        CASE("\x81\xa8sessions\xcf\x00\x20\x00\x00\x00\x00\x00\x00"),
        CASE("\x81\xa5turns\x93\x01\x01\x01"),
        CASE("\x81\xa5turns\x94\x01\x01\x01\x01"),
        CASE("\x81\xa5turns\x94\x01\x01\xc0\x90"),
        CASE("\x81\xa5turns\x94\x01\x01\x01\x91\xc0"),
        CASE("\x81\xa5turns\x94\x01\x01\x01\xdc\x00\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
             "\0\0"
             "\0\0\0\0\0\0\0\0\0"),
        CASE("\x81\xa8requests\x01"),
        CASE("\x81\xa8requests\x91\x92\xa3"
             "buy\xa2ok"),
        CASE("\x81\xa8requests\x91\x93\xa3"
             "buy\xa2ok\xa1x"),
#undef CASE
    };
    struct unpacked unpacked;
    struct stats stats;
    enum guard_verdict verdict;
    size_t used;
    (void)state;
    assert_int_equal(unpacked_init(&unpacked), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            unpack(&unpacked, cases[i].data, cases[i].size, &message_bounds, &used, &verdict), 0);
        assert_int_equal(used, cases[i].size);
        if (stats_take(&unpacked.object, &stats)) {
            fail_msg("case %zu is taken", i);
        }
    }
    unpacked_fini(&unpacked);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_value_falls_into_the_bucket_of_its_length_in_bits, reset),
        cmocka_unit_test_setup(
            a_percentile_is_reached_by_that_many_and_less_than_twice_too_high, reset),
        cmocka_unit_test_setup(zeros_have_the_percentile_zero, reset),
        cmocka_unit_test_setup(only_turns_with_answers_are_counted, reset),
        cmocka_unit_test_setup(a_sync_counts_what_it_covered_and_how_long_it_took, reset),
        cmocka_unit_test_setup(all_figures_at_their_largest_fit_a_reply_and_arrive, reset),
        cmocka_unit_test_setup(figures_of_a_later_version_are_passed_over, reset),
        cmocka_unit_test_setup(figures_that_are_none_are_refused, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
