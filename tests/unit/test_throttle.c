#include "support/cmocka_headers.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "broker/throttle.h"

static struct throttle throttle;

/* With a fixed key, so that no two of the names below share a place. */
static int
setup(void **state)
{
    (void)state;
    throttle_init(&throttle);
    memset(throttle.key, 1, sizeof throttle.key);
    return 0;
}

/* Takes tokens for `user` until there is none. Returns how many there were. */
static int
take_all(const char *user, uint64_t now_ms)
{
    int count = 0;
    while (throttle_wait_ms(&throttle, user, now_ms) == 0) {
        throttle_take(&throttle, user, now_ms);
        count++;
    }
    return count;
}

static void
one_name_has_a_few_tokens_and_then_one_a_second(void **state)
{
    (void)state;
    assert_int_equal(take_all("north", 0), THROTTLE_USER_BURST);
    assert_int_equal(throttle_wait_ms(&throttle, "north", 0), THROTTLE_USER_COST_MS);
    assert_int_equal(throttle_wait_ms(&throttle, "north", THROTTLE_USER_COST_MS - 1), 1);
    int count = 0;
    for (uint64_t now_ms = 1; now_ms <= 100000; now_ms++) {
        assert_true(throttle_wait_ms(&throttle, "north", now_ms) <= THROTTLE_USER_COST_MS);
        count += take_all("north", now_ms);
    }
    assert_int_equal(count, 100000 / THROTTLE_USER_COST_MS);
    /* Left alone, it has them all again, and no more than that. */
    assert_int_equal(take_all("north", 1000000), THROTTLE_USER_BURST);
}

static void
one_name_without_tokens_slows_no_other(void **state)
{
    (void)state;
    assert_int_equal(take_all("north", 0), THROTTLE_USER_BURST);
    assert_int_equal(throttle_wait_ms(&throttle, "south", 0), 0);
    assert_int_equal(throttle_wait_ms(&throttle, "North", 0), 0);
}

static void
all_names_together_have_some_tokens_and_then_five_a_second(void **state)
{
    (void)state;
    int count = 0;
    int first = 0;
    for (uint64_t now_ms = 0; now_ms <= 10000; now_ms++) {
        char name[16];
        snprintf(name, sizeof name, "name %d", (int)now_ms);
        count += take_all(name, now_ms);
        if (now_ms == 10) {
            first = count;
        }
        assert_true(throttle_wait_ms(&throttle, "another", now_ms) <= THROTTLE_ALL_COST_MS);
    }
    assert_int_equal(first, THROTTLE_ALL_BURST);
    assert_int_equal(count, THROTTLE_ALL_BURST + 10000 / THROTTLE_ALL_COST_MS);
}

static void
what_was_right_costs_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(throttle_wait_ms(&throttle, "north", 5), 0);
        throttle_take(&throttle, "north", 5);
        throttle_give_back(&throttle, "north");
        assert_int_equal(throttle_burden(&throttle, 7, 5), 0);
        throttle_add_burden(&throttle, 7, 5);
        throttle_take_burden(&throttle, 7);
    }
    assert_int_equal(take_all("north", 5), THROTTLE_USER_BURST);
}

static void
a_source_is_burdened_by_each_login_and_freed_by_time(void **state)
{
    (void)state;
    uint64_t source = throttle_source(&throttle, "192.0.2.1 17");
    uint64_t other = throttle_source(&throttle, "192.0.2.1 18");
    assert_true(source != other);
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t burden = i < THROTTLE_SOURCE_BURDEN_MAX ? i : THROTTLE_SOURCE_BURDEN_MAX;
        assert_int_equal(throttle_burden(&throttle, source, 0), burden);
        throttle_add_burden(&throttle, source, 0);
    }
    assert_int_equal(throttle_burden(&throttle, other, 0), 0);
    assert_int_equal(throttle_burden(&throttle, source, THROTTLE_SOURCE_COST_MS * 2),
        THROTTLE_SOURCE_BURDEN_MAX - 2);
    assert_int_equal(throttle_burden(&throttle, source, THROTTLE_SOURCE_COST_MS * 100), 0);
}

static void
each_throttle_has_a_key_of_its_own(void **state)
{
    (void)state;
    struct throttle another;
    throttle_init(&another);
    assert_true(throttle_source(&another, "north") != throttle_source(&throttle, "north"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_name_has_a_few_tokens_and_then_one_a_second, setup),
        cmocka_unit_test_setup(one_name_without_tokens_slows_no_other, setup),
        cmocka_unit_test_setup(all_names_together_have_some_tokens_and_then_five_a_second, setup),
        cmocka_unit_test_setup(what_was_right_costs_nothing, setup),
        cmocka_unit_test_setup(a_source_is_burdened_by_each_login_and_freed_by_time, setup),
        cmocka_unit_test_setup(each_throttle_has_a_key_of_its_own, setup),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
