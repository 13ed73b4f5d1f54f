#include "support/scratch.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "shared/error.h"
#include "shared/files.h"

static void
make_directory_makes_parents_and_may_be_repeated(void **state)
{
    char path[512];
    snprintf(path, sizeof path, "%s/a/b//c/", (char *)*state);
    assert_int_equal(files_make_directory(files_system(), path), 0);
    assert_int_equal(files_make_directory(files_system(), path), 0);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
}

static void
a_directory_is_locked_once(void **state)
{
    int first = -1;
    int second = -1;
    assert_int_equal(files_lock_directory(files_system(), *state, &first), 0);
    assert_int_equal(files_lock_directory(files_system(), *state, &second), ERROR_LOCKED);
    assert_int_equal(second, -1);
    files_close(files_system(), &first);
    assert_int_equal(first, -1);
    assert_int_equal(files_lock_directory(files_system(), *state, &second), 0);
    files_close(files_system(), &second);
}

static void
what_was_written_is_read_back(void **state)
{
    struct files *files = files_system();
    char path[512];
    int fd = -1;
    assert_int_equal(files_join(path, sizeof path, *state, "file"), 0);
    assert_int_equal(files_open(files, path, O_RDWR | O_CREAT, &fd), 0);
    assert_int_equal(files_write(files, fd, "inventory", 9, 3), 0);
    assert_int_equal(files_sync_data(files, fd), 0);
    files_close(files, &fd);

    unsigned char *data = NULL;
    size_t size = 0;
    assert_int_equal(files_read_all(files, path, 11, &data, &size), ERROR_TOO_LARGE);
    assert_int_equal(files_read_all(files, path, 12, &data, &size), 0);
    assert_int_equal(size, 12);
    assert_memory_equal(data, "\0\0\0inventory", 12);
    free(data);
    assert_int_equal(files_remove(files, path), 0);
    assert_int_equal(files_remove(files, path), 0);
    assert_int_equal(files_read_all(files, path, 12, &data, &size), ERROR_NOT_FOUND);
}

/* A table that interrupts every other call and moves one byte at a time. */
static int calls;

static ssize_t
grudging_pwrite(struct files *files, int fd, const void *data, size_t size, int64_t offset)
{
    (void)files;
    (void)size;
    return ++calls % 2 == 0 ? -4 /* EINTR */ : pwrite(fd, data, 1, offset);
}

static ssize_t
grudging_pread(struct files *files, int fd, void *data, size_t size, int64_t offset)
{
    (void)files;
    (void)size;
    return ++calls % 2 == 0 ? -4 /* EINTR */ : pread(fd, data, 1, offset);
}

static void
short_and_interrupted_calls_are_finished(void **state)
{
    struct files files = *files_system();
    files.pwrite = grudging_pwrite;
    files.pread = grudging_pread;
    char path[512];
    char back[16] = "";
    size_t got = 0;
    int fd = -1;
    assert_int_equal(files_join(path, sizeof path, *state, "file"), 0);
    assert_int_equal(files_open(&files, path, O_RDWR | O_CREAT, &fd), 0);
    assert_int_equal(files_write(&files, fd, "inventory", 9, 0), 0);
    assert_int_equal(files_read(&files, fd, back, sizeof back, 0, &got), 0);
    assert_int_equal(got, 9);
    assert_string_equal(back, "inventory");
    files_close(&files, &fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            make_directory_makes_parents_and_may_be_repeated, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            a_directory_is_locked_once, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            what_was_written_is_read_back, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            short_and_interrupted_calls_are_finished, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
