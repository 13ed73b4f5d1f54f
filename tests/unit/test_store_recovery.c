#include "support/fake_disk.h"
#include "support/scratch.h"
#include "support/sum_store.h"

#include <fcntl.h>

/* Opens a directory that must be refused as damaged; returns the sentence. */
static struct diagnostic
open_damaged(const char *directory)
{
    struct sum sum = {0};
    struct store *store = NULL;
    struct store_fold fold = sum_store_fold(&sum);
    struct store_report report;
    struct diagnostic diagnostic = {""};
    assert_int_equal(store_open(&store, files_system(), directory, &fold, &sum_store_options,
                         &report, &diagnostic),
        ERROR_DAMAGED);
    assert_null(store);
    assert_non_null(strstr(diagnostic.text, directory));
    return diagnostic;
}

static void
a_damaged_snapshot_is_passed_over_for_the_older_one(void **state)
{
    struct store_report report;
    sum_store_make(*state);
    sum_store_flip(*state, SNAPSHOT_2, 100);
    sum_store_expect(*state, 10, &report);
    assert_int_equal(report.snapshot_generation, 1);
    assert_int_equal(report.records, 10);
    assert_non_null(strstr(report.warning.text, SNAPSHOT_2));
    assert_int_equal(
        access(sum_store_path(*state, "snapshot-0000000002.msgpack.damaged"), F_OK), 0);
    /* It is not in the way any more. */
    sum_store_expect(*state, 10, &report);
    assert_string_equal(report.warning.text, "");
}

static void
without_a_good_snapshot_the_directory_is_damaged(void **state)
{
    sum_store_make(*state);
    sum_store_flip(*state, SNAPSHOT_1, 100);
    sum_store_flip(*state, SNAPSHOT_2, 100);
    assert_non_null(strstr(open_damaged(*state).text, SNAPSHOT_2));
    assert_int_equal(unlink(sum_store_path(*state, SNAPSHOT_1)), 0);
    assert_int_equal(unlink(sum_store_path(*state, SNAPSHOT_2)), 0);
    (void)open_damaged(*state);
}

static void
a_missing_journal_is_damage(void **state)
{
    sum_store_make(*state);
    assert_int_equal(unlink(sum_store_path(*state, JOURNAL_2)), 0);
    assert_non_null(strstr(open_damaged(*state).text, JOURNAL_2));
    /* Also where the older snapshot has to do. */
    sum_store_flip(*state, SNAPSHOT_2, 100);
    assert_int_equal(unlink(sum_store_path(*state, JOURNAL_1)), 0);
    assert_non_null(strstr(open_damaged(*state).text, JOURNAL_1));
}

static void
a_damaged_record_with_a_good_one_behind_it_is_damage(void **state)
{
    sum_store_make(*state);
    sum_store_flip(*state, JOURNAL_2, 200);
    struct diagnostic diagnostic = open_damaged(*state);
    assert_non_null(strstr(diagnostic.text, JOURNAL_2));
    assert_non_null(strstr(diagnostic.text, "offset"));
    assert_non_null(strstr(diagnostic.text, "record 6"));
}

static void
a_torn_tail_is_set_aside_and_cut(void **state)
{
    struct store_report report;
    sum_store_make(*state);
    off_t end =
        sum_store_size(*state, JOURNAL_2); /* cut at the last record by the first opening below */
    sum_store_expect(*state, 10, &report);
    int fd = open(sum_store_path(*state, JOURNAL_2), O_RDWR | O_CLOEXEC);
    unsigned char *bytes = calloc(1, (size_t)end);
    assert_int_equal(pread(fd, bytes, (size_t)end, 0), end);
    off_t last = end;
    while (last > 0 && bytes[last - 1] == 0) {
        last--;
    }
    /* A record that was being written: half of it came to the disk. */
    assert_int_equal(pwrite(fd, "\x93\xcf\0\0\0\0\0\0\0\x0b\x92torn", 16, last), 16);
    close(fd);
    free(bytes);
    sum_store_expect(*state, 10, &report);
    assert_int_equal(report.torn_bytes, 15);
    assert_int_equal(sum_store_size(*state, "journal-0000000002.msgpack.torn"), 15);
    assert_int_equal(sum_store_size(*state, JOURNAL_2), last);
    sum_store_expect(*state, 10, &report);
    assert_int_equal(report.torn_bytes, 0);
}

/* Puts `size` bytes behind the last byte of a file that is not zero. */
static void
put_behind(const char *directory, const char *name, const void *data, size_t size)
{
    off_t last = sum_store_size(directory, name);
    int fd = open(sum_store_path(directory, name), O_RDWR | O_CLOEXEC);
    unsigned char byte = 0;
    while (last > 0 && pread(fd, &byte, 1, last - 1) == 1 && byte == 0) {
        last--;
    }
    assert_int_equal(pwrite(fd, data, size, last), (ssize_t)size);
    close(fd);
}

static void
a_torn_tail_before_another_journal_is_passed_over_when_no_record_is_gone(void **state)
{
    struct store_report report;
    sum_store_make(*state);
    put_behind(*state, JOURNAL_1, "\x93\xcf torn", 7);
    sum_store_flip(*state, SNAPSHOT_2, 100);
    sum_store_expect(*state, 10, &report);
    assert_int_equal(report.snapshot_generation, 1);
    assert_int_equal(report.records, 10);
    assert_int_equal(report.torn_bytes, 0); /* only the last journal is cut */
}

static void
old_bytes_of_another_journal_are_no_records_of_this_one(void **state)
{
    char other[512];
    struct store_report report;
    struct sum sum = {0};
    unsigned char old[1024];
    sum_store_make(*state);
    snprintf(other, sizeof other, "%s/other", (char *)*state);
    sum_store_make(other);
    struct store *store = sum_store_open(other, &sum, &report);
    assert_int_equal(store_start(store, NULL), 0);
    for (uint64_t number = 11; number <= 20; number++) {
        sum_store_add(store, &sum, number);
    }
    assert_int_equal(store_close(&store, false, NULL), 0);
    /* The record that would be next, of a journal with the same history, and those behind it. */
    int fd = open(sum_store_path(other, "journal-0000000003.msgpack"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(fd, old, sizeof old, 0), sizeof old);
    close(fd);
    put_behind(*state, JOURNAL_2, old, sizeof old);
    sum_store_expect(*state, 10, &report);
    assert_in_range(report.torn_bytes, 1, sizeof old);
    sum_store_expect(*state, 10, &report);
    assert_int_equal(report.torn_bytes, 0);
}

static void
a_torn_tail_before_another_journal_is_damage_when_records_are_gone(void **state)
{
    sum_store_make(*state);
    sum_store_flip(*state, SNAPSHOT_2, 100);
    /* The last record of the first journal, which was answered long ago. */
    off_t at = sum_store_size(*state, JOURNAL_1) - 5;
    sum_store_flip(*state, JOURNAL_1, at);
    assert_non_null(strstr(open_damaged(*state).text, JOURNAL_2));
}

static void
a_file_of_another_history_is_damage(void **state)
{
    char other[512];
    snprintf(other, sizeof other, "%s/other", (char *)*state);
    sum_store_make(*state);
    struct sum sum = {0};
    struct store *store = NULL;
    struct store_fold fold = sum_store_fold(&sum);
    struct store_report report;
    struct store_options others = sum_store_options;
    others.history_new[0] = 99;
    assert_int_equal(store_open(&store, files_system(), other, &fold, &others, &report, NULL), 0);
    assert_int_equal(store_start(store, NULL), 0);
    assert_int_equal(store_close(&store, true, NULL), 0);
    char from[600];
    snprintf(from, sizeof from, "%s", sum_store_path(other, JOURNAL_2));
    assert_int_equal(rename(from, sum_store_path(*state, JOURNAL_2)), 0);
    assert_non_null(strstr(open_damaged(*state).text, "another history"));
}

/* Opens the directory of a fake disk. Returns 0 or an error. */
static int
open_on_disk(struct fake_disk *disk, struct sum *sum, struct store **store)
{
    struct store_fold fold = sum_store_fold(sum);
    struct store_report report;
    struct diagnostic diagnostic = {""};
    int error = store_open(
        store, fake_disk_files(disk), "data", &fold, &sum_store_options, &report, &diagnostic);
    if (error == ERROR_DAMAGED) {
        print_error("%s\n", diagnostic.text);
    }
    return error;
}

static int
lose_power_at(void *context, enum fake_call call, uint64_t number)
{
    const uint64_t *at = context;
    (void)call;
    return number == *at ? (int)FAKE_LOSE_POWER : (int)FAKE_GO;
}

/* Starts, and is killed at call `call` of that. Returns whether the start was over before. */
static bool
start_and_die(struct fake_disk *disk, uint64_t call)
{
    struct sum sum = {0};
    struct store *store = NULL;
    assert_int_equal(open_on_disk(disk, &sum, &store), 0);
    uint64_t at = fake_disk_calls(disk) + call;
    fake_disk_set_hooks(disk, lose_power_at, NULL, &at);
    bool is_over = store_start(store, NULL) == 0;
    (void)store_close(&store, false, NULL);
    fake_disk_set_hooks(disk, NULL, NULL, NULL);
    return is_over;
}

/* Makes a disk with one number, and another that was written but not synced before a kill. */
static struct fake_disk *
make_killed_disk(void)
{
    struct fake_disk *disk = fake_disk_new();
    struct sum sum = {0};
    struct store *store = NULL;
    assert_int_equal(open_on_disk(disk, &sum, &store), 0);
    assert_int_equal(store_start(store, NULL), 0);
    sum_store_add(store, &sum, 1);
    msgpack_packer *packer = store_begin(store);
    msgpack_pack_array(packer, 2);
    msgpack_pack_uint64(packer, 2);
    msgpack_pack_nil(packer);
    assert_int_equal(store_append(store), 0);
    assert_int_equal(store_close(&store, false, NULL), 0);
    fake_disk_kill(disk);
    return disk;
}

static void
a_start_after_a_kill_survives_a_loss_of_power(void **state)
{
    (void)state;
    bool first_is_over = false;
    for (uint64_t first = 1; !first_is_over; first++) {
        bool second_is_over = false;
        for (uint64_t second = 1; !second_is_over; second++) {
            struct fake_disk *disk = make_killed_disk();
            first_is_over = start_and_die(disk, first);
            fake_disk_kill(disk);
            second_is_over = start_and_die(disk, second);
            for (uint64_t seed = 1; seed <= 16; seed++) {
                struct fake_disk *copy = fake_disk_clone(disk);
                struct random_choices choices;
                struct sum sum = {0};
                struct store *store = NULL;
                random_choices_init(&choices, seed);
                fake_disk_crash(copy, &choices.choices);
                assert_int_equal(open_on_disk(copy, &sum, &store), 0);
                assert_true(sum.count == 1 || sum.count == 2);
                assert_int_equal(store_close(&store, false, NULL), 0);
                fake_disk_free(&copy);
            }
            fake_disk_free(&disk);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_damaged_snapshot_is_passed_over_for_the_older_one),
        SCRATCH_TEST(without_a_good_snapshot_the_directory_is_damaged),
        SCRATCH_TEST(a_missing_journal_is_damage),
        SCRATCH_TEST(a_damaged_record_with_a_good_one_behind_it_is_damage),
        SCRATCH_TEST(a_torn_tail_is_set_aside_and_cut),
        SCRATCH_TEST(a_torn_tail_before_another_journal_is_passed_over_when_no_record_is_gone),
        SCRATCH_TEST(old_bytes_of_another_journal_are_no_records_of_this_one),
        SCRATCH_TEST(a_torn_tail_before_another_journal_is_damage_when_records_are_gone),
        SCRATCH_TEST(a_file_of_another_history_is_damage),
        cmocka_unit_test(a_start_after_a_kill_survives_a_loss_of_power),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
