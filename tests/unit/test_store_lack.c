#include "support/scratch.h"
#include "support/sum_store.h"

#include <fcntl.h>
#include <inttypes.h>

/* What a store does while something is lacking: room on the disk, descriptors, a finished journal.
 */

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
    struct store_fold fold = fold_of(&sum);
    struct store_report report;
    struct store *store = NULL;
    uint64_t number = 1;
    assert_int_equal(store_open(&store, &files, *state, &fold, &sum_options, &report, NULL), 0);
    assert_int_equal(store_start(store, NULL), 0);
    while (number < 25) {
        add(store, &sum, number++);
    }
    files.pwrite = full_pwrite;
    int refused = 0;
    for (int i = 0; i < 3; i++) {
        refused += store_reserve(store, 1000) == ERROR_NO_SPACE;
    }
    assert_int_equal(refused, 3);
    files.pwrite = files_system()->pwrite;
    assert_int_equal(store_reserve(store, 1000), 0);
    add(store, &sum, number++);
    assert_int_equal(store_close(&store, false, NULL), 0);
    expect(*state, 25, &report);
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
        struct store_fold scratch = fold_of(&sum);
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
    struct store_fold fold = fold_of(&sum);
    struct store_fold scratch = fold_of(&scratch_sum);
    struct store_report report;
    struct store *store = NULL;
    files.fdatasync = disturbed_fdatasync;
    disturbances = 0;
    assert_int_equal(store_open(&store, &files, *state, &fold, &sum_options, &report, NULL), 0);
    assert_int_equal(store_start(store, NULL), 0);
    assert_int_equal(store_upkeep(store, &scratch, NULL), 0);
    for (uint64_t number = 1; number <= 300; number++) {
        /* The sync of the header of another journal, if this begins one. */
        disturbed = store;
        assert_int_equal(store_reserve(store, 1000), 0);
        disturbed = NULL;
        add(store, &sum, number);
    }
    assert_in_range(disturbances, 5, 300);
    assert_int_equal(store_close(&store, false, NULL), 0);
    expect(*state, 300, &report);
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
    struct store_fold fold = fold_of(&sum);
    struct store_report report;
    struct store *store = NULL;
    uint64_t number = 1;
    assert_int_equal(store_open(&store, &files, *state, &fold, &sum_options, &report, NULL), 0);
    assert_int_equal(store_start(store, NULL), 0);
    while (number < 25) {
        add(store, &sum, number++);
    }
    files.open = exhausted_open;
    int error = store_reserve(store, 1000);
    assert_int_equal(error, ERROR_TOO_MANY_FILES);
    assert_true(error_may_pass(error));
    files.open = files_system()->open;
    assert_int_equal(store_reserve(store, 1000), 0);
    add(store, &sum, number++);
    assert_int_equal(store_close(&store, false, NULL), 0);
    expect(*state, 25, &report);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(the_upkeep_never_touches_a_journal_that_is_being_begun),
        SCRATCH_TEST(a_lack_of_descriptors_refuses_a_reservation_until_it_passes),
        SCRATCH_TEST(a_full_disk_refuses_a_reservation_until_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
