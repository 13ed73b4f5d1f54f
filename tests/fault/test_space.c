/*
 * test_space.c: on a full disk orders are refused and nothing changes, views are served, and all
 * goes on when there is room again.
 */
#include "support/cmocka_headers.h"

#include "broker/engine.h"
#include "fault/broker_subject.h"

#include <errno.h>
#include <string.h>

enum {
    STEPS = 20
};

/* Runs the broker; the disk is full from step `number` on until the step was refused. */
static void
fill_up_before_step(struct subject *subject, size_t number)
{
    struct fake_disk *disk = fake_disk_new();
    struct diagnostic diagnostic = {""};
    bool refused = false;
    assert_int_equal(subject->calls->open(subject, fake_disk_files(disk), &diagnostic), 0);
    for (size_t i = 0; i < STEPS; i++) {
        if (i == number) {
            fake_disk_set_capacity(disk, fake_disk_used(disk));
        }
        int result = subject->calls->step(subject, i, &diagnostic);
        if (result == STEP_REFUSED) {
            refused = true;
            assert_int_equal(subject->calls->step(subject, i, &diagnostic), STEP_REFUSED);
            if (!subject->calls->matches(subject, i, &diagnostic)) {
                fail_msg("refused at step %zu: %s", i, diagnostic.text);
            }
            int upkeep = subject->calls->upkeep(subject, 0, &diagnostic);
            assert_true(upkeep == 0 || upkeep == STEP_REFUSED);
            fake_disk_set_capacity(disk, INT64_MAX);
            broker_subject_wait(1000);
            result = subject->calls->step(subject, i, &diagnostic);
        }
        if (result != 0) {
            fail_msg("full before step %zu, step %zu: %s", number, i, diagnostic.text);
        }
        int upkeep = subject->calls->upkeep(subject, i, &diagnostic);
        assert_true(upkeep == 0 || upkeep == STEP_REFUSED);
    }
    assert_true(refused);
    struct course course = {.answered = STEPS};
    (void)subject->calls->close(subject, false, NULL);
    fake_disk_crash(disk, &nothing_survives);
    if (!course_judge(subject, disk, &course, 2, &diagnostic)) {
        fail_msg("full before step %zu: %s", number, diagnostic.text);
    }
    fake_disk_free(&disk);
}

static void
orders_are_refused_while_the_disk_is_full_and_go_on_when_there_is_room(void **state)
{
    for (size_t number = 0; number < STEPS - 8; number++) {
        fill_up_before_step(*state, number);
    }
}

static void
a_disk_that_is_full_at_the_start_is_said_to_be(void **state)
{
    struct subject *subject = *state;
    for (int64_t capacity = 0; capacity < 200000; capacity += 5000) {
        struct fake_disk *disk = fake_disk_new();
        struct diagnostic diagnostic = {""};
        fake_disk_set_capacity(disk, capacity);
        int error = subject->calls->open(subject, fake_disk_files(disk), &diagnostic);
        if (error != 0) {
            assert_int_equal(error, ERROR_NO_SPACE);
            assert_non_null(strstr(diagnostic.text, error_text(ERROR_NO_SPACE)));
        }
        (void)subject->calls->close(subject, false, NULL);
        fake_disk_kill(disk);
        fake_disk_set_capacity(disk, INT64_MAX);
        const struct course course = {.answered = 0};
        if (!course_judge(subject, disk, &course, 2, &diagnostic)) {
            fail_msg("capacity %d: %s", (int)capacity, diagnostic.text);
        }
        fake_disk_free(&disk);
    }
}

/* Fails the `call`s from now on, and sees that the engine gives no reply to a purchase then. */
static void
expect_final(struct subject *subject, enum fake_call call, int verdict)
{
    struct fake_disk *disk = fake_disk_new();
    struct diagnostic diagnostic = {""};
    assert_int_equal(subject->calls->open(subject, fake_disk_files(disk), &diagnostic), 0);
    assert_int_equal(subject->calls->step(subject, 0, &diagnostic), 0);
    struct call_fault fault = {
        .first = fake_disk_calls(disk) + 1, .count = 1, .verdict = verdict, .calls = 1U << call};
    fault.first += call == FAKE_FDATASYNC;
    fake_disk_set_hooks(disk, call_fault_before, NULL, &fault);
    assert_true(subject->calls->step(subject, 1, &diagnostic) < 0);
    assert_int_equal(fault.hits, 1);
    (void)subject->calls->close(subject, false, NULL);
    fake_disk_free(&disk);
}

static void
an_error_of_writing_or_syncing_is_final(void **state)
{
    expect_final(*state, FAKE_PWRITE, -EIO);
    expect_final(*state, FAKE_FDATASYNC, -EIO);
    expect_final(*state, FAKE_FDATASYNC, -ENOSPC);
}

static int
setup(void **state)
{
    *state = broker_subject_new(false);
    return 0;
}

static int
teardown(void **state)
{
    struct subject *subject = *state;
    subject->calls->free(subject);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_are_refused_while_the_disk_is_full_and_go_on_when_there_is_room),
        cmocka_unit_test(a_disk_that_is_full_at_the_start_is_said_to_be),
        cmocka_unit_test(an_error_of_writing_or_syncing_is_final),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
