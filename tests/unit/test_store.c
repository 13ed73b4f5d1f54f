#include "support/scratch.h"
#include "support/sum_store.h"

static void
everything_is_there_after_a_kill(void **state)
{
    struct store_report report;
    sum_store_make(*state);
    sum_store_expect(*state, 10, &report);
    assert_int_equal(report.snapshot_generation, 2);
    assert_int_equal(report.records, 5);
    assert_int_equal(report.torn_bytes, 0);
}

static void
a_directory_is_opened_once(void **state)
{
    struct sum sum = {0};
    struct store_report report;
    struct store *store = sum_store_open(*state, &sum, &report);
    struct store *second = NULL;
    struct store_fold fold = sum_store_fold(&sum);
    assert_int_equal(
        store_open(&second, files_system(), *state, &fold, &sum_store_options, &report, NULL),
        ERROR_LOCKED);
    assert_int_equal(store_close(&store, false, NULL), 0);
}

static void
a_start_that_was_cut_short_leaves_a_new_directory(void **state)
{
    struct sum sum = {0};
    struct store_report report;
    struct store *store = sum_store_open(*state, &sum, &report);
    assert_int_equal(store_start(store, NULL), 0);
    assert_int_equal(store_close(&store, false, NULL), 0);
    assert_int_equal(unlink(sum_store_path(*state, SNAPSHOT_1)), 0);
    store = sum_store_open(*state, &sum, &report);
    assert_true(report.is_new);
    assert_int_equal(store_start(store, NULL), 0);
    sum_store_add(store, &sum, 1);
    assert_int_equal(store_close(&store, false, NULL), 0);
    sum_store_expect(*state, 1, &report);
}

static void
journals_rotate_and_upkeep_makes_a_snapshot_of_them(void **state)
{
    struct sum sum = {0};
    struct sum scratch_sum = {0};
    struct store_fold scratch = sum_store_fold(&scratch_sum);
    struct store_report report;
    struct store *store = sum_store_open(*state, &sum, &report);
    assert_int_equal(store_start(store, NULL), 0);
    for (uint64_t number = 1; number <= 1000; number++) {
        sum_store_add(store, &sum, number);
        if (number % 10 == 0 && store_wants_upkeep(store)) {
            assert_int_equal(store_upkeep(store, &scratch, NULL), 0);
            assert_false(store_wants_upkeep(store));
        }
    }
    assert_int_equal(store_close(&store, false, NULL), 0);
    assert_int_not_equal(access(sum_store_path(*state, JOURNAL_1), F_OK), 0);
    assert_int_not_equal(access(sum_store_path(*state, "journal.spare"), F_OK), 0);
    sum_store_expect(*state, 1000, &report);
    assert_in_range(report.snapshot_generation, 20, 1000);
    assert_in_range(report.records, 1, 300);
}

static void
a_closed_store_opens_without_replay(void **state)
{
    struct sum sum = {0};
    struct store_report report;
    struct store *store = sum_store_open(*state, &sum, &report);
    assert_int_equal(store_start(store, NULL), 0);
    for (uint64_t number = 1; number <= 10; number++) {
        sum_store_add(store, &sum, number);
    }
    assert_int_equal(store_close(&store, true, NULL), 0);
    sum_store_expect(*state, 10, &report);
    assert_int_equal(report.records, 0);
}

static ssize_t
full_pwrite(struct files *files, int fd, const void *data, size_t size, int64_t offset)
{
    (void)files;
    (void)fd;
    (void)data;
    (void)size;
    (void)offset;
    return -28; /* ENOSPC */
}

static void
a_full_disk_refuses_a_reservation_until_there_is_room(void **state)
{
    struct files files = *files_system();
    struct sum sum = {0};
    struct store_fold fold = sum_store_fold(&sum);
    struct store_report report;
    struct store *store = NULL;
    uint64_t number = 1;
    assert_int_equal(
        store_open(&store, &files, *state, &fold, &sum_store_options, &report, NULL), 0);
    assert_int_equal(store_start(store, NULL), 0);
    while (number < 25) {
        sum_store_add(store, &sum, number++);
    }
    files.pwrite = full_pwrite;
    int refused = 0;
    for (int i = 0; i < 3; i++) {
        refused += store_reserve(store, 1000) == ERROR_NO_SPACE;
    }
    assert_int_equal(refused, 3);
    files.pwrite = files_system()->pwrite;
    assert_int_equal(store_reserve(store, 1000), 0);
    sum_store_add(store, &sum, number++);
    assert_int_equal(store_close(&store, false, NULL), 0);
    sum_store_expect(*state, 25, &report);
}

/* A table whose next data sync lets the upkeep in, as another thread might. */
static struct store *disturbed;

static int disturbances;

static int
disturbed_fdatasync(struct files *files, int fd)
{
    if (disturbed != NULL) {
        struct store *store = disturbed;
        struct sum sum = {0};
        struct store_fold scratch = sum_store_fold(&sum);
        disturbed = NULL;
        disturbances++;
        assert_int_equal(store_upkeep(store, &scratch, NULL), 0);
    }
    return files_system()->fdatasync(files, fd);
}

static void
the_upkeep_never_touches_a_journal_that_is_being_begun(void **state)
{
    struct files files = *files_system();
    struct sum sum = {0};
    struct sum scratch_sum = {0};
    struct store_fold fold = sum_store_fold(&sum);
    struct store_fold scratch = sum_store_fold(&scratch_sum);
    struct store_report report;
    struct store *store = NULL;
    files.fdatasync = disturbed_fdatasync;
    disturbances = 0;
    assert_int_equal(
        store_open(&store, &files, *state, &fold, &sum_store_options, &report, NULL), 0);
    assert_int_equal(store_start(store, NULL), 0);
    assert_int_equal(store_upkeep(store, &scratch, NULL), 0);
    for (uint64_t number = 1; number <= 300; number++) {
        /* The sync of the header of another journal, if this begins one. */
        disturbed = store;
        assert_int_equal(store_reserve(store, 1000), 0);
        disturbed = NULL;
        sum_store_add(store, &sum, number);
    }
    assert_in_range(disturbances, 5, 300);
    assert_int_equal(store_close(&store, false, NULL), 0);
    sum_store_expect(*state, 300, &report);
}

static int
exhausted_open(struct files *files, const char *path, int flags, mode_t mode)
{
    (void)files;
    (void)path;
    (void)flags;
    (void)mode;
    return -24; /* EMFILE */
}

static void
a_lack_of_descriptors_refuses_a_reservation_until_it_passes(void **state)
{
    struct files files = *files_system();
    struct sum sum = {0};
    struct store_fold fold = sum_store_fold(&sum);
    struct store_report report;
    struct store *store = NULL;
    uint64_t number = 1;
    assert_int_equal(
        store_open(&store, &files, *state, &fold, &sum_store_options, &report, NULL), 0);
    assert_int_equal(store_start(store, NULL), 0);
    while (number < 25) {
        sum_store_add(store, &sum, number++);
    }
    files.open = exhausted_open;
    int error = store_reserve(store, 1000);
    assert_int_equal(error, ERROR_TOO_MANY_FILES);
    assert_true(error_may_pass(error));
    files.open = files_system()->open;
    assert_int_equal(store_reserve(store, 1000), 0);
    sum_store_add(store, &sum, number++);
    assert_int_equal(store_close(&store, false, NULL), 0);
    sum_store_expect(*state, 25, &report);
}

static void
a_snapshot_is_not_made_of_journals_that_do_not_lead_up_to_the_next(void **state)
{
    struct sum sum = {0};
    struct sum scratch_sum = {0};
    struct store_fold scratch = sum_store_fold(&scratch_sum);
    struct store_report report;
    struct diagnostic diagnostic = {""};
    struct store *store = sum_store_open(*state, &sum, &report);
    assert_int_equal(store_start(store, NULL), 0);
    uint64_t number = 1;
    while (access(sum_store_path(*state, "journal-0000000005.msgpack"), F_OK) != 0) {
        sum_store_add(store, &sum, number++);
    }
    /* The last record of the journal before goes bad while the broker serves. */
    sum_store_flip(*state, "journal-0000000004.msgpack",
        sum_store_size(*state, "journal-0000000004.msgpack") - 5);
    assert_true(store_wants_upkeep(store));
    assert_int_equal(store_upkeep(store, &scratch, &diagnostic), ERROR_DAMAGED);
    assert_non_null(strstr(diagnostic.text, "journal-0000000005"));
    assert_int_not_equal(access(sum_store_path(*state, "snapshot-0000000005.msgpack"), F_OK), 0);
    assert_int_equal(store_close(&store, false, NULL), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(everything_is_there_after_a_kill),
        SCRATCH_TEST(a_directory_is_opened_once),
        SCRATCH_TEST(a_start_that_was_cut_short_leaves_a_new_directory),
        SCRATCH_TEST(journals_rotate_and_upkeep_makes_a_snapshot_of_them),
        SCRATCH_TEST(a_closed_store_opens_without_replay),
        SCRATCH_TEST(a_full_disk_refuses_a_reservation_until_there_is_room),
        SCRATCH_TEST(the_upkeep_never_touches_a_journal_that_is_being_begun),
        SCRATCH_TEST(a_lack_of_descriptors_refuses_a_reservation_until_it_passes),
        SCRATCH_TEST(a_snapshot_is_not_made_of_journals_that_do_not_lead_up_to_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
