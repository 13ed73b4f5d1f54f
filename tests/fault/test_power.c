/*
 * test_power.c: the power fails before each file call of a run, and of what was not synced anything
 * may survive: in all combinations where they are few, in many random ones where they are not.
 *
 * usage: test_power SUBJECT [--seed N] [--states N] [--lie CALL]
 *
 * --states: random states a call (100). --lie: the disk does nothing on a CALL (fdatasync, fsync,
 * "fsync of a directory") and says that it did; then the test has to fail.
 */
#include "support/cmocka_headers.h"

#include "fault/subjects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COMBINATIONS_MAX = 64,
    STATES_MAX = 100000,
    CALLS_OF_A_START = 40
};

static struct {
    struct subject *subject;
    uint64_t seed;
    uint64_t states; /* random ones a call */
    uint64_t power;  /* call before which the power fails */
    unsigned lies;   /* calls that lie: bit 1 << enum fake_call */

    uint64_t seen[STATES_MAX]; /* hashes of the disks of this call */
    size_t seen_count;
    uint64_t total;
    uint64_t combinations;
    uint64_t twice;
} power = {.seed = 1, .states = 100};

static int
before(void *context, enum fake_call call, uint64_t number)
{
    (void)context;
    if (number >= power.power) {
        return FAKE_LOSE_POWER;
    }
    return (power.lies & 1U << call) != 0 ? FAKE_LIE : FAKE_GO;
}

/* Runs until call `number`. Returns the disk as it is then. */
static struct fake_disk *
run_until(uint64_t number, struct course *course)
{
    struct fake_disk *disk = fake_disk_new();
    *course = (struct course){.answered = 0};
    power.power = number;
    fake_disk_set_hooks(disk, before, NULL, NULL);
    course_run(power.subject, disk, power.subject->step_count, true, course);
    return disk;
}

static bool
is_new_state(const struct fake_disk *disk)
{
    uint64_t hash = fake_disk_hash(disk);
    for (size_t i = 0; i < power.seen_count; i++) {
        if (power.seen[i] == hash) {
            return false;
        }
    }
    assert_in_range(power.seen_count, 0, STATES_MAX - 1);
    power.seen[power.seen_count++] = hash;
    return true;
}

/* Lets the power fail once more while the subject starts. */
static void
fail_again(struct fake_disk *disk, const struct course *course, struct random_choices *random)
{
    struct course start = {.answered = course->answered};
    power.power = fake_disk_calls(disk) + 1 + random_below(&random->stream, CALLS_OF_A_START);
    fake_disk_set_hooks(disk, before, NULL, NULL);
    course_run(power.subject, disk, course->answered, false, &start);
    fake_disk_set_hooks(disk, NULL, NULL, NULL);
    fake_disk_crash(disk, &random->choices);
    power.twice++;
}

/* Takes one of the states that may be left and judges it. */
static void
judge(const struct fake_disk *disk, const struct course *course, uint64_t number,
    struct choices *choices, struct random_choices *again)
{
    struct fake_disk *left = fake_disk_clone(disk);
    struct diagnostic why = {""};
    fake_disk_crash(left, choices);
    if (again != NULL) {
        fail_again(left, course, again);
    }
    if (is_new_state(left)) {
        power.total++;
        if (!course_judge(power.subject, left, course, 2, &why)) {
            fake_disk_dump(disk, stderr);
            fail_msg("%s, seed %" PRIu64 ", no power from call %" PRIu64 " on: %s",
                power.subject->name, power.seed, number, why.text);
        }
    }
    fake_disk_free(&left);
}

static void
judge_states(const struct fake_disk *disk, const struct course *course, uint64_t number)
{
    power.seen_count = 0;
    if (fake_disk_crash_states(disk) <= COMBINATIONS_MAX) {
        struct enumeration all;
        enumeration_init(&all);
        do {
            judge(disk, course, number, &all.choices, NULL);
        } while (enumeration_next(&all));
        power.combinations += power.seen_count;
    }
    for (uint64_t i = 0; i < power.states; i++) {
        struct random_choices random;
        random_choices_init(&random, power.seed ^ number << 32 ^ i);
        judge(disk, course, number, &random.choices, i % 4 == 3 ? &random : NULL);
    }
}

static void
what_was_answered_is_there_whenever_the_power_fails(void **state)
{
    (void)state;
    bool is_over = false;
    uint64_t number = 1;
    for (; !is_over; number++) {
        struct course course;
        struct fake_disk *disk = run_until(number, &course);
        is_over = !fake_disk_is_down(disk);
        judge_states(disk, &course, number);
        fake_disk_free(&disk);
    }
    printf("%s: %" PRIu64 " calls, %" PRIu64 " states after a loss of power (%" PRIu64
           " in all combinations, %" PRIu64 " after a second loss), seed %" PRIu64 "\n",
        power.subject->name, number - 2, power.total, power.combinations, power.twice, power.seed);
}

static int
read_arguments(int count, char **arguments)
{
    for (int i = 2; i + 1 < count; i += 2) {
        if (strcmp(arguments[i], "--seed") == 0) {
            power.seed = strtoull(arguments[i + 1], NULL, 10);
        } else if (strcmp(arguments[i], "--states") == 0) {
            power.states = strtoull(arguments[i + 1], NULL, 10);
        } else if (strcmp(arguments[i], "--lie") == 0) {
            for (unsigned call = 0; call < FAKE_CALL_COUNT; call++) {
                if (strcmp(fake_call_word((enum fake_call)call), arguments[i + 1]) == 0) {
                    power.lies |= 1U << call;
                }
            }
        }
    }
    return count < 2 || count % 2 != 0 || power.states >= STATES_MAX ? -1 : 0;
}

int
main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_answered_is_there_whenever_the_power_fails),
    };
    if (read_arguments(count, arguments) != 0) {
        fprintf(stderr, "usage: test_power SUBJECT [--seed N] [--states N] [--lie CALL]\n");
        return 2;
    }
    power.subject = subject_named(arguments[1]);
    if (power.subject == NULL) {
        fprintf(stderr, "test_power: no subject is named '%s'\n", arguments[1]);
        return 2;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    power.subject->calls->free(power.subject);
    return failed;
}
