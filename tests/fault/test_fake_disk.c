/* test_fake_disk.c: the fake disk forgets what it says it forgets, and nothing else. */
#include "support/cmocka_headers.h"

#include "shared/error.h"
#include "support/fake_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct bench {
    struct fake_disk *disk;
    struct files *files;
    uint64_t fail_at;
    int verdict;
};

static int
setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    bench->disk = fake_disk_new();
    bench->files = fake_disk_files(bench->disk);
    *state = bench;
    return files_make_directory(bench->files, "data");
}

static int
teardown(void **state)
{
    struct bench *bench = *state;
    fake_disk_free(&bench->disk);
    free(bench);
    return 0;
}

static int
make_file(struct bench *bench, const char *path, const char *text)
{
    int fd = -1;
    assert_int_equal(files_open(bench->files, path, O_RDWR | O_CREAT | O_TRUNC, &fd), 0);
    assert_int_equal(files_write(bench->files, fd, text, strlen(text), 0), 0);
    return fd;
}

static size_t
pick_first(struct choices *choices, size_t count)
{
    (void)choices;
    (void)count;
    return 0;
}

static size_t
pick_last(struct choices *choices, size_t count)
{
    (void)choices;
    return count - 1;
}

static struct choices nothing_survives = {pick_first};
static struct choices all_survives = {pick_last};

static void
assert_text(struct bench *bench, const char *path, const char *text)
{
    size_t size = 0;
    const unsigned char *data = fake_disk_get(bench->disk, path, &size);
    assert_non_null(data);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(data, text, size);
}

static void
bytes_without_sync_are_gone_after_a_crash(void **state)
{
    struct bench *bench = *state;
    int fd = make_file(bench, "data/a", "one");
    assert_int_equal(files_sync(bench->files, fd), 0);
    assert_int_equal(files_sync_directory(bench->files, "data"), 0);
    assert_int_equal(files_write(bench->files, fd, "three", 5, 0), 0);
    assert_text(bench, "data/a", "three");
    fake_disk_crash(bench->disk, &nothing_survives);
    assert_text(bench, "data/a", "one");
}

static void
bytes_without_sync_may_survive(void **state)
{
    struct bench *bench = *state;
    (void)make_file(bench, "data/a", "three");
    fake_disk_crash(bench->disk, &all_survives);
    assert_text(bench, "data/a", "three");
}

static void
bytes_survive_the_end_of_a_process(void **state)
{
    struct bench *bench = *state;
    (void)make_file(bench, "data/a", "three");
    fake_disk_kill(bench->disk);
    assert_text(bench, "data/a", "three");
}

static void
a_name_is_gone_unless_its_directory_was_synced(void **state)
{
    struct bench *bench = *state;
    size_t size = 0;
    int fd = make_file(bench, "data/a", "one");
    assert_int_equal(files_sync(bench->files, fd), 0);
    fake_disk_crash(bench->disk, &nothing_survives);
    assert_null(fake_disk_get(bench->disk, "data/a", &size));
}

static void
a_rename_without_sync_of_the_file_gives_an_empty_file(void **state)
{
    struct bench *bench = *state;
    (void)make_file(bench, "data/a", "one");
    assert_int_equal(files_rename(bench->files, "data/a", "data/b"), 0);
    assert_int_equal(files_sync_directory(bench->files, "data"), 0);
    fake_disk_crash(bench->disk, &nothing_survives);
    assert_text(bench, "data/b", "");
}

static void
a_rename_happens_as_a_whole_or_not(void **state)
{
    struct bench *bench = *state;
    fake_disk_put(bench->disk, "data/a", "new", 3);
    fake_disk_put(bench->disk, "data/b", "old", 3);
    assert_int_equal(files_rename(bench->files, "data/a", "data/b"), 0);
    struct fake_disk *other = fake_disk_clone(bench->disk);
    fake_disk_crash(bench->disk, &nothing_survives);
    assert_text(bench, "data/a", "new");
    assert_text(bench, "data/b", "old");
    fake_disk_free(&bench->disk);
    bench->disk = other;
    fake_disk_crash(bench->disk, &all_survives);
    size_t size = 0;
    assert_null(fake_disk_get(bench->disk, "data/a", &size));
    assert_text(bench, "data/b", "new");
}

static void
every_mixture_of_unsynced_sectors_can_be_had(void **state)
{
    struct bench *bench = *state;
    unsigned char bytes[1024];
    memset(bytes, 'a', sizeof bytes);
    fake_disk_put(bench->disk, "data/a", bytes, sizeof bytes);
    int fd = -1;
    assert_int_equal(files_open(bench->files, "data/a", O_RDWR, &fd), 0);
    memset(bytes, 'b', sizeof bytes);
    assert_int_equal(files_write(bench->files, fd, bytes, sizeof bytes, 0), 0);
    memset(bytes, 'c', sizeof bytes);
    assert_int_equal(files_write(bench->files, fd, bytes, 512, 512), 0);

    struct enumeration all;
    enumeration_init(&all);
    unsigned seen = 0;
    do {
        struct fake_disk *disk = fake_disk_clone(bench->disk);
        fake_disk_crash(disk, &all.choices);
        size_t size = 0;
        const unsigned char *data = fake_disk_get(disk, "data/a", &size);
        assert_int_equal(size, 1024);
        seen |= 1U << ((data[0] - 'a') * 3 + (data[512] - 'a'));
        fake_disk_free(&disk);
    } while (enumeration_next(&all));
    assert_int_equal(seen, 0x3f); /* a or b, then a, b or c */
}

static void
a_file_that_grew_may_hold_zeros_or_old_bytes(void **state)
{
    struct bench *bench = *state;
    fake_disk_put(bench->disk, "data/old", "buried", 6);
    assert_int_equal(files_remove(bench->files, "data/old"), 0);
    fake_disk_put(bench->disk, "data/a", "", 0);
    (void)make_file(bench, "data/a", "newest");

    struct enumeration all;
    enumeration_init(&all);
    bool zeros = false;
    bool old = false;
    bool fresh = false;
    do {
        struct fake_disk *disk = fake_disk_clone(bench->disk);
        fake_disk_crash(disk, &all.choices);
        size_t size = 0;
        const unsigned char *data = fake_disk_get(disk, "data/a", &size);
        zeros |= size == 6 && memcmp(data, "\0\0\0\0\0\0", 6) == 0;
        old |= size == 6 && memcmp(data, "buried", 6) == 0;
        fresh |= size == 6 && memcmp(data, "newest", 6) == 0;
        fake_disk_free(&disk);
    } while (enumeration_next(&all));
    assert_true(zeros && old && fresh);
}

static int
fail_one(void *context, enum fake_call call, uint64_t number)
{
    struct bench *bench = context;
    (void)call;
    return number == bench->fail_at ? bench->verdict : FAKE_GO;
}

static void
what_a_failed_sync_lost_stays_lost(void **state)
{
    struct bench *bench = *state;
    int fd = make_file(bench, "data/a", "one");
    assert_int_equal(files_sync(bench->files, fd), 0);
    assert_int_equal(files_sync_directory(bench->files, "data"), 0);
    assert_int_equal(files_write(bench->files, fd, "two", 3, 0), 0);
    bench->fail_at = fake_disk_calls(bench->disk) + 1;
    bench->verdict = -EIO;
    fake_disk_set_hooks(bench->disk, fail_one, NULL, bench);
    assert_int_equal(files_sync(bench->files, fd), ERROR_IO);
    assert_int_equal(files_sync(bench->files, fd), 0);
    fake_disk_crash(bench->disk, &nothing_survives);
    assert_text(bench, "data/a", "one");
}

static void
without_power_nothing_happens_any_more(void **state)
{
    struct bench *bench = *state;
    int fd = make_file(bench, "data/a", "one");
    bench->fail_at = fake_disk_calls(bench->disk) + 1;
    bench->verdict = FAKE_LOSE_POWER;
    fake_disk_set_hooks(bench->disk, fail_one, NULL, bench);
    assert_int_equal(files_write(bench->files, fd, "two", 3, 0), ERROR_IO);
    assert_int_equal(files_remove(bench->files, "data/a"), ERROR_IO);
    assert_true(fake_disk_is_down(bench->disk));
    fake_disk_crash(bench->disk, &all_survives);
    assert_text(bench, "data/a", "one");
}

static void
a_full_disk_takes_what_fits_and_no_more(void **state)
{
    struct bench *bench = *state;
    int fd = make_file(bench, "data/a", "one");
    fake_disk_set_capacity(bench->disk, 5);
    assert_int_equal(files_write(bench->files, fd, "seven", 5, 3), ERROR_NO_SPACE);
    assert_text(bench, "data/a", "onese");
    assert_int_equal(files_write(bench->files, fd, "two", 3, 0), 0);
    int other = -1;
    assert_int_equal(files_open(bench->files, "data/b", O_RDWR | O_CREAT, &other), ERROR_NO_SPACE);
    fake_disk_set_capacity(bench->disk, 6);
    assert_int_equal(files_write(bench->files, fd, "x", 1, 5), 0);
}

static void
a_lock_is_held_until_it_is_closed_or_the_process_ends(void **state)
{
    struct bench *bench = *state;
    int first = -1;
    int second = -1;
    assert_int_equal(files_lock_directory(bench->files, "data", &first), 0);
    assert_int_equal(files_lock_directory(bench->files, "data", &second), ERROR_LOCKED);
    files_close(bench->files, &first);
    assert_int_equal(files_lock_directory(bench->files, "data", &first), 0);
    fake_disk_kill(bench->disk);
    assert_int_equal(files_lock_directory(bench->files, "data", &second), 0);
}

static void
a_file_that_was_cut_and_grew_again_never_shows_what_was_cut(void **state)
{
    struct bench *bench = *state;
    unsigned char bytes[1024];
    memset(bytes, 'a', sizeof bytes);
    fake_disk_put(bench->disk, "data/a", bytes, sizeof bytes);
    int fd = -1;
    assert_int_equal(files_open(bench->files, "data/a", O_RDWR, &fd), 0);
    assert_int_equal(files_resize(bench->files, fd, 100), 0);
    assert_int_equal(files_resize(bench->files, fd, 600), 0);
    struct enumeration all;
    enumeration_init(&all);
    do {
        struct fake_disk *disk = fake_disk_clone(bench->disk);
        fake_disk_crash(disk, &all.choices);
        size_t size = 0;
        const unsigned char *data = fake_disk_get(disk, "data/a", &size);
        assert_true(size == 1024 || size == 100 || size == 600);
        assert_int_equal(data[99], 'a');
        if (size == 600) {
            assert_int_equal(data[100], 0);
            assert_int_equal(data[599], 0);
        }
        fake_disk_free(&disk);
    } while (enumeration_next(&all));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_without_sync_are_gone_after_a_crash, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_without_sync_may_survive, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_survive_the_end_of_a_process, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_name_is_gone_unless_its_directory_was_synced, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_rename_without_sync_of_the_file_gives_an_empty_file, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rename_happens_as_a_whole_or_not, setup, teardown),
        cmocka_unit_test_setup_teardown(
            every_mixture_of_unsynced_sectors_can_be_had, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_file_that_grew_may_hold_zeros_or_old_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_failed_sync_lost_stays_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(without_power_nothing_happens_any_more, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_takes_what_fits_and_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_lock_is_held_until_it_is_closed_or_the_process_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_file_that_was_cut_and_grew_again_never_shows_what_was_cut, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
