/*
 * test_calls.c: each file call of a run fails in turn, alone and with all that follow it, and what
 * was answered is still there.
 *
 * usage: test_calls SUBJECT [PLANS]     only the first PLANS ways to fail
 *        test_calls SUBJECT boast       count what failed as answered; then the test has to fail
 */
#include "support/cmocka_headers.h"

#include "fault/subjects.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct subject *subject;
static int plan_count; /* of the ways below, only as many */

struct plan {
    const char *name;
    int verdict;
    uint64_t count;
};

static const struct plan plans[] = {
    {"EIO once", -EIO, 1},
    {"ENOSPC from then on", -ENOSPC, UINT64_MAX},
    {"EIO from then on", -EIO, UINT64_MAX},
    {"ENOSPC once", -ENOSPC, 1},
    {"EINTR once", -EINTR, 1},
    {"EINTR three times", -EINTR, 3},
    {"short once", FAKE_SHORT, 1},
    {"short from then on", FAKE_SHORT, UINT64_MAX},
};

enum {
    PLANS = sizeof plans / sizeof *plans,
    MORE = 4
};

/* How many calls a run makes. */
static uint64_t
count_calls(void)
{
    struct fake_disk *disk = fake_disk_new();
    struct course course = {.answered = 0};
    course_run(subject, disk, subject->step_count, true, &course);
    assert_int_equal(course.error, 0);
    assert_int_equal(course.answered, subject->step_count);
    uint64_t calls = fake_disk_calls(disk);
    fake_disk_free(&disk);
    return calls;
}

/* A run with one fault; judged once as killed, and once as if the power had failed, too. */
static void
run_with_fault(const struct plan *plan, uint64_t number)
{
    struct fake_disk *disk = fake_disk_new();
    struct call_fault fault = {.first = number, .count = plan->count, .verdict = plan->verdict};
    struct course course = {.answered = 0};
    struct diagnostic why = {""};
    fake_disk_set_hooks(disk, call_fault_before, NULL, &fault);
    course_run(subject, disk, subject->step_count, true, &course);
    fake_disk_set_hooks(disk, NULL, NULL, NULL);
    assert_true(fault.hits > 0);
    fake_disk_kill(disk);

    struct fake_disk *dark = fake_disk_clone(disk);
    if (!course_judge(subject, disk, &course, MORE, &why)) {
        fail_msg("%s, call %" PRIu64 ": %s", plan->name, number, why.text);
    }
    fake_disk_crash(dark, &nothing_survives);
    if (!course_judge(subject, dark, &course, MORE, &why)) {
        fail_msg("%s, call %" PRIu64 ", then no power: %s", plan->name, number, why.text);
    }
    fake_disk_free(&disk);
    fake_disk_free(&dark);
}

static void
what_was_answered_is_there_whichever_call_fails(void **state)
{
    (void)state;
    uint64_t calls = count_calls();
    for (int plan = 0; plan < plan_count; plan++) {
        for (uint64_t number = 1; number <= calls; number++) {
            run_with_fault(&plans[plan], number);
        }
    }
    printf("%s: %" PRIu64 " calls, each failed in %d ways: %" PRIu64 " runs\n", subject->name,
        calls, plan_count, calls * (uint64_t)plan_count);
}

int
main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_answered_is_there_whichever_call_fails),
    };
    subject = count >= 2 ? subject_named(arguments[1]) : NULL;
    if (subject == NULL) {
        fprintf(stderr, "usage: test_calls SUBJECT [PLANS|boast]\n");
        return 2;
    }
    course_boasts = count == 3 && strcmp(arguments[2], "boast") == 0;
    plan_count = count == 3 && !course_boasts ? (int)strtol(arguments[2], NULL, 10) : PLANS;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    subject->calls->free(subject);
    return failed;
}
