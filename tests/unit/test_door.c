#include "support/cmocka_headers.h"

#include "broker/door.h"

static const struct lanes lanes;
static struct door door;
static int shut_count; /* calls that let nobody in */
static int open_count; /* calls that let everybody in again */

int
__wrap_lanes_shut_door(const struct lanes *given, bool is_shut);

/* Stands in front of the one in lanes.c, and counts. */
int
__wrap_lanes_shut_door(const struct lanes *given, bool is_shut)
{
    assert_ptr_equal(given, &lanes);
    (*(is_shut ? &shut_count : &open_count))++;
    return 0;
}

static int
setup(void **state)
{
    (void)state;
    door = (struct door){.lanes = &lanes};
    shut_count = 0;
    open_count = 0;
    return 0;
}

static void
leave_behind(int count, uint64_t now_ms)
{
    for (int i = 0; i < count; i++) {
        door_count_left(&door, now_ms);
    }
}

static void
it_shuts_at_so_many_messages_without_a_rest(void **state)
{
    (void)state;
    leave_behind(DOOR_LEFT_MAX - 1, 5000);
    assert_int_equal(shut_count, 0);
    leave_behind(1, 5000 + DOOR_MS);
    assert_int_equal(shut_count, 1);
    leave_behind(10 * DOOR_LEFT_MAX, 5000 + DOOR_MS);
    assert_int_equal(shut_count, 1);
}

static void
a_moment_of_rest_begins_the_count_anew(void **state)
{
    (void)state;
    leave_behind(DOOR_LEFT_MAX - 1, 5000);
    door_turn(&door, true, 5000);
    leave_behind(DOOR_LEFT_MAX - 1, 5000);
    assert_int_equal(shut_count, 0);
    leave_behind(1, 5000);
    assert_int_equal(shut_count, 1);
}

static void
what_was_left_long_ago_does_not_count(void **state)
{
    (void)state;
    leave_behind(DOOR_LEFT_MAX - 1, 5000);
    leave_behind(DOOR_LEFT_MAX - 1, 5000 + DOOR_MS + 1);
    assert_int_equal(shut_count, 0);
    leave_behind(1, 5000 + DOOR_MS + 1);
    assert_int_equal(shut_count, 1);
}

static void
it_opens_at_rest(void **state)
{
    (void)state;
    leave_behind(DOOR_LEFT_MAX, 5000);
    door_turn(&door, false, 5000);
    assert_int_equal(open_count, 0);
    door_turn(&door, true, 5000);
    assert_int_equal(open_count, 1);
    door_turn(&door, true, 5000);
    assert_int_equal(open_count, 1);
}

static void
it_opens_after_a_while_and_may_shut_again(void **state)
{
    (void)state;
    leave_behind(DOOR_LEFT_MAX, 5000);
    door_turn(&door, false, 5000 + DOOR_MS);
    assert_int_equal(open_count, 0);
    door_turn(&door, false, 5000 + DOOR_MS + 1);
    assert_int_equal(open_count, 1);
    leave_behind(DOOR_LEFT_MAX, 5000 + DOOR_MS + 1);
    assert_int_equal(shut_count, 2);
}

static void
who_leaves_leaves_it_open(void **state)
{
    (void)state;
    door_leave(&door);
    assert_int_equal(open_count, 0);
    leave_behind(DOOR_LEFT_MAX, 5000);
    door_leave(&door);
    assert_int_equal(open_count, 1);
}

#define DOOR_TEST(test) cmocka_unit_test_setup(test, setup)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DOOR_TEST(it_shuts_at_so_many_messages_without_a_rest),
        DOOR_TEST(a_moment_of_rest_begins_the_count_anew),
        DOOR_TEST(what_was_left_long_ago_does_not_count),
        DOOR_TEST(it_opens_at_rest),
        DOOR_TEST(it_opens_after_a_while_and_may_shut_again),
        DOOR_TEST(who_leaves_leaves_it_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
