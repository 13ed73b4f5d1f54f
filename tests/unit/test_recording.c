#include "support/read_readings.h"
#include "support/scratch.h"
#include "support/small_disk.h"

#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#include "pipeline/generator.h"
#include "pipeline/recording.h"

static uint64_t seed;

/* The linker puts this in the place of pthread_create: the system gives out only so many threads.
 */
static int threads_left = -1; /* negative: as many as are wanted */

int
__real_pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *context);
int
__wrap_pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *context);

int
__wrap_pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *context)
{
    if (threads_left == 0) {
        return EAGAIN;
    }
    threads_left -= threads_left > 0;
    return __real_pthread_create(thread, attributes, body, context);
}

static const struct recording_settings usual = {
    .producers = 7,
    .consumers = 3,
    .capacity = 100,
    .count = 2000,
    .idle_timeout_ms = RECORDING_IDLE_TIMEOUT_MS_MAX,
    .seed = 1,
    .clock = READING_CLOCK_SIMULATED,
};

static void
note_finished(void *context)
{
    atomic_fetch_add((_Atomic int *)context, 1);
}

/*
 * Runs a recording until all was made or it ended by itself, stops it, and adds it up.
 * Returns the first error of a consumer.
 */
static int
run(struct recording *recording, const struct recording_settings *settings, struct files *files,
    struct recording_totals *totals)
{
    const uint64_t wanted = settings->count * (uint64_t)settings->producers;
    struct diagnostic diagnostic = {""};
    _Atomic int finished = 0;
    int error = 0;
    if (recording_open(recording, settings, files, &diagnostic) != 0 ||
        recording_start(recording, note_finished, &finished, &diagnostic) != 0) {
        fail_msg("%s", diagnostic.text);
    }
    do {
        sched_yield();
        recording_add_up(recording, totals);
    } while (totals->made < wanted && !recording_is_finished(recording));
    recording_stop(recording);
    recording_join(recording);
    recording_add_up(recording, totals);
    assert_int_equal(finished, 1);
    for (int i = 0; i < settings->consumers && error == 0; i++) {
        error = recording->consumers[i].error;
    }
    return error;
}

/*
 * Checks the files against the counts: each reading is in one file and once, in each file those of
 * one producer are in order, and each file has what its consumer says.
 */
static void
check_files(const struct recording *recording)
{
    const struct recording_settings *settings = &recording->settings;
    const size_t wanted = (size_t)settings->producers * settings->count;
    bool *seen = calloc(wanted + 1, sizeof *seen);
    struct reading *readings = calloc(wanted + 1, sizeof *readings);
    uint64_t *last = calloc((size_t)settings->producers + 1, sizeof *last);
    assert_true(seen != NULL && readings != NULL && last != NULL);
    for (int i = 0; i < settings->consumers; i++) {
        char path[FILES_PATH_SIZE];
        assert_int_equal(recording_path(path, sizeof path, settings->directory, i + 1), 0);
        uint64_t count = read_readings(path, readings, wanted);
        assert_true(count == recording->consumers[i].file.count);
        memset(last, 0, ((size_t)settings->producers + 1) * sizeof *last);
        for (uint64_t j = 0; j < count; j++) {
            const struct reading *reading = &readings[j];
            assert_in_range(reading->producer, 1, settings->producers);
            assert_in_range(reading->sequence, last[reading->producer] + 1, settings->count);
            last[reading->producer] = reading->sequence;
            size_t place = (reading->producer - 1) * settings->count + reading->sequence - 1;
            assert_false(seen[place]);
            seen[place] = true;
        }
    }
    free(last);
    free(readings);
    free(seen);
}

/* Runs a recording whose disk works, and checks that all is in its files. */
static void
record_all(struct recording_settings settings, const char *directory)
{
    struct recording recording;
    struct recording_totals totals;
    settings.directory = directory;
    assert_int_equal(run(&recording, &settings, files_system(), &totals), 0);
    assert_true(totals.made == settings.count * (uint64_t)settings.producers);
    assert_true(totals.written == totals.made);
    assert_true(totals.lost == 0 && totals.list.count == 0);
    assert_in_range(totals.list.count_max, totals.made > 0, settings.capacity);
    check_files(&recording);
    recording_close(&recording);
}

static void
the_usual_recording_has_every_reading_once(void **state)
{
    record_all(usual, *state);
}

static void
sixty_four_producers_and_sixteen_consumers_share_one_place(void **state)
{
    struct recording_settings settings = usual;
    settings.producers = 64;
    settings.consumers = 16;
    settings.capacity = 1;
    settings.count = 200;
    record_all(settings, *state);
}

static void
a_recording_of_nothing_has_empty_files(void **state)
{
    struct recording_settings settings = usual;
    settings.count = 0;
    record_all(settings, *state);
}

static void
two_hundred_recordings_in_a_row_with_random_settings(void **state)
{
    uint64_t random = seed;
    for (int i = 0; i < 200; i++) {
        struct recording_settings settings = usual;
        settings.producers = 1 + (int)(splitmix64_next(&random) % 12);
        settings.consumers = 1 + (int)(splitmix64_next(&random) % 6);
        settings.capacity = 1 + (int)(splitmix64_next(&random) % 20);
        settings.count = splitmix64_next(&random) % 200;
        settings.seed = splitmix64_next(&random);
        record_all(settings, *state);
    }
}

static void
files_of_consumers_that_are_no_more_are_removed(void **state)
{
    struct recording_settings settings = usual;
    char path[FILES_PATH_SIZE];
    int fd = -1;
    settings.consumers = 5;
    settings.count = 10;
    record_all(settings, *state);
    assert_int_equal(files_join(path, sizeof path, *state, "consumer-04.msgpack"), 0);
    assert_int_equal(files_open(files_system(), path, O_CREAT | O_RDWR, &fd), 0);
    files_close(files_system(), &fd);
    settings.consumers = 3;
    record_all(settings, *state);
    assert_int_equal(access(path, F_OK), 0); /* not a name of ours */
    for (int number = 1; number <= 5; number++) {
        assert_int_equal(recording_path(path, sizeof path, *state, number), 0);
        assert_int_equal(access(path, F_OK), number <= 3 ? 0 : -1);
    }
}

static void
consumers_end_when_nothing_comes_for_the_idle_timeout(void **state)
{
    struct recording recording;
    struct recording_totals totals;
    struct recording_settings settings = usual;
    _Atomic int finished = 0;
    settings.directory = *state;
    settings.count = 0;
    settings.idle_timeout_ms = 30;
    assert_int_equal(recording_open(&recording, &settings, files_system(), NULL), 0);
    assert_int_equal(recording_start(&recording, note_finished, &finished, NULL), 0);
    recording_join(&recording);
    recording_add_up(&recording, &totals);
    assert_int_equal(finished, 1);
    assert_true(recording_is_finished(&recording));
    assert_true(totals.wall_ns >= 29 * INT64_C(1000000));
    recording_close(&recording);
}

static void
on_a_full_disk_what_was_taken_is_in_the_files(void **state)
{
    for (int64_t space = 0; space < 1000000; space += 77777) {
        struct small_disk disk;
        struct recording recording;
        struct recording_totals totals;
        struct recording_settings settings = usual;
        char path[FILES_PATH_SIZE];
        settings.directory = *state;
        settings.count = 100000;
        for (int number = 1; number <= settings.consumers; number++) {
            assert_int_equal(recording_path(path, sizeof path, *state, number), 0);
            assert_int_equal(files_remove(files_system(), path), 0);
        }
        small_disk_init(&disk);
        disk.space = space;
        assert_int_equal(run(&recording, &settings, &disk.table, &totals), ERROR_NO_SPACE);
        assert_true(totals.lost == 0);
        assert_true(totals.made == totals.written + (uint64_t)totals.list.count);
        check_files(&recording);
        recording_close(&recording);
    }
}

static void
whenever_writes_fail_what_is_counted_is_in_the_files(void **state)
{
    for (int every = 1; every <= 20; every++) {
        struct small_disk disk;
        struct recording recording;
        struct recording_totals totals;
        struct recording_settings settings = usual;
        settings.directory = *state;
        settings.count = 10000;
        small_disk_init(&disk);
        disk.fail_every = every;
        assert_int_equal(run(&recording, &settings, &disk.table, &totals), ERROR_IO);
        assert_true(totals.made == totals.written + totals.lost + (uint64_t)totals.list.count);
        check_files(&recording);
        recording_close(&recording);
    }
}

static void
one_consumer_that_fails_does_not_stop_the_others(void **state)
{
    struct small_disk disk;
    struct recording recording;
    struct recording_totals totals;
    struct recording_settings settings = usual;
    settings.directory = *state;
    small_disk_init(&disk);
    disk.fail_at = 1;
    assert_int_equal(run(&recording, &settings, &disk.table, &totals), ERROR_IO);
    assert_true(totals.made == settings.count * (uint64_t)settings.producers);
    assert_true(totals.written == totals.made && totals.lost == 0);
    assert_int_equal(disk.fsyncs, 1); /* of the directory, when all names were there */
    check_files(&recording);
    recording_close(&recording);
}

/* How many readings are in the file of consumer `number`? */
static uint64_t
count_of(const char *directory, int number)
{
    char path[FILES_PATH_SIZE];
    assert_int_equal(recording_path(path, sizeof path, directory, number), 0);
    return read_readings(path, NULL, UINT64_MAX);
}

static void
a_refused_start_leaves_the_earlier_recording_as_it_is(void **state)
{
    struct recording recording;
    struct recording_settings settings = usual;
    struct diagnostic diagnostic = {""};
    uint64_t counts[4] = {0};
    char path[FILES_PATH_SIZE];
    settings.consumers = 4;
    record_all(settings, *state);
    for (int number = 1; number <= 4; number++) {
        counts[number - 1] = count_of(*state, number);
    }
    /* Consumer 5 cannot have a file. */
    assert_int_equal(recording_path(path, sizeof path, *state, 5), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    settings.consumers = 5;
    settings.directory = *state;
    assert_true(recording_open(&recording, &settings, files_system(), &diagnostic) < 0);
    assert_non_null(strstr(diagnostic.text, path));
    recording_close(&recording);
    recording_close(&recording);
    /* And one that is given up before it starts, which had fewer. */
    settings.consumers = 2;
    assert_int_equal(recording_open(&recording, &settings, files_system(), NULL), 0);
    recording_close(&recording);
    for (int number = 1; number <= 4; number++) {
        assert_true(count_of(*state, number) == counts[number - 1]);
    }
}

static void
a_recording_without_threads_leaves_the_earlier_one_as_it_is(void **state)
{
    struct recording recording;
    struct recording_settings settings = usual;
    struct diagnostic diagnostic = {""};
    _Atomic int finished = 0;
    record_all(settings, *state);
    const uint64_t count = count_of(*state, 1) + count_of(*state, 2) + count_of(*state, 3);
    settings.directory = *state;
    settings.producers = RECORDING_PRODUCERS_MAX;
    settings.consumers = 2;
    assert_int_equal(recording_open(&recording, &settings, files_system(), &diagnostic), 0);
    threads_left = 9;
    int error = recording_start(&recording, note_finished, &finished, &diagnostic);
    threads_left = -1;
    assert_int_equal(error, ERROR_IO);
    assert_string_equal(
        diagnostic.text, "cannot start thread 10 of 1026: Resource temporarily unavailable");
    recording_close(&recording);
    assert_int_equal(finished, 0);
    assert_true(count_of(*state, 1) + count_of(*state, 2) + count_of(*state, 3) == count);
}

static void
a_directory_is_taken_until_its_recording_is_closed(void **state)
{
    struct recording recording;
    struct recording other;
    struct recording_totals totals;
    struct recording_settings settings = usual;
    settings.directory = *state;
    assert_int_equal(run(&recording, &settings, files_system(), &totals), 0);
    /* All consumers have ended. */
    struct recording_settings more = settings;
    more.consumers = 5;
    assert_int_equal(recording_open(&other, &more, files_system(), NULL), ERROR_LOCKED);
    recording_close(&other);
    more.consumers = 1;
    assert_int_equal(recording_open(&other, &more, files_system(), NULL), ERROR_LOCKED);
    recording_close(&other);
    check_files(&recording);
    recording_close(&recording);
    assert_int_equal(recording_open(&other, &more, files_system(), NULL), 0);
    recording_close(&other);
}

int
main(int argc, char *argv[])
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %" PRIu64 "\n", seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_usual_recording_has_every_reading_once, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(sixty_four_producers_and_sixteen_consumers_share_one_place,
            scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            a_recording_of_nothing_has_empty_files, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            two_hundred_recordings_in_a_row_with_random_settings, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            files_of_consumers_that_are_no_more_are_removed, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            consumers_end_when_nothing_comes_for_the_idle_timeout, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            on_a_full_disk_what_was_taken_is_in_the_files, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            whenever_writes_fail_what_is_counted_is_in_the_files, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            a_refused_start_leaves_the_earlier_recording_as_it_is, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(a_recording_without_threads_leaves_the_earlier_one_as_it_is,
            scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            a_directory_is_taken_until_its_recording_is_closed, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            one_consumer_that_fails_does_not_stop_the_others, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
