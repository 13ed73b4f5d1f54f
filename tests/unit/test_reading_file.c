#include "support/read_readings.h"
#include "support/scratch.h"
#include "support/small_disk.h"

#include "pipeline/reading_file.h"
#include "pipeline/reading_source.h"

enum {
    MANY = 5000 /* readings; some seven blocks */
};

/* Finishes and closes; returns what finishing returned. */
static int
end(struct reading_file *file, struct diagnostic *diagnostic)
{
    int error = reading_file_finish(file, diagnostic);
    reading_file_close(file);
    return error;
}

/* Appends up to `count` readings, and returns how many the file took before it failed, or all. */
static uint64_t
append(struct reading_file *file, uint64_t count, struct diagnostic *diagnostic)
{
    struct reading_source source;
    reading_source_init(&source, 1, 1, READING_CLOCK_SIMULATED);
    for (uint64_t i = 0; i < count; i++) {
        struct reading reading;
        int room = 0;
        if (reading_file_prepare(file, &room, diagnostic) != 0) {
            return i;
        }
        assert_in_range(room, 1, READING_FILE_BLOCK_SIZE);
        reading_source_next(&source, &reading);
        reading_file_append(file, &reading);
    }
    return count;
}

/* Checks that the file holds the first `count` readings of the source and nothing else. */
static void
check_content(const char *path, uint64_t count)
{
    struct reading *readings = calloc(MANY, sizeof *readings);
    struct reading_source source;
    assert_non_null(readings);
    assert_true(read_readings(path, readings, MANY) == count);
    reading_source_init(&source, 1, 1, READING_CLOCK_SIMULATED);
    for (uint64_t i = 0; i < count; i++) {
        struct reading expected;
        reading_source_next(&source, &expected);
        assert_memory_equal(&readings[i], &expected, sizeof expected);
    }
    free(readings);
}

static void
all_that_was_appended_is_in_the_file(void **state)
{
    struct small_disk disk;
    struct reading_file file;
    struct diagnostic diagnostic = {""};
    char path[512];
    small_disk_init(&disk);
    disk.shortens = true;
    assert_int_equal(files_join(path, sizeof path, *state, "file"), 0);
    assert_int_equal(reading_file_open(&file, &disk.table, path, &diagnostic), 0);
    assert_true(append(&file, MANY, &diagnostic) == MANY);
    assert_int_equal(end(&file, &diagnostic), 0);
    reading_file_close(&file);
    assert_true(file.count == MANY && file.lost == 0);
    assert_string_equal(diagnostic.text, "");
    check_content(path, MANY);
}

static void
an_older_file_is_emptied(void **state)
{
    struct reading_file file;
    char path[512];
    assert_int_equal(files_join(path, sizeof path, *state, "file"), 0);
    for (uint64_t count = 20; count > 0; count -= 10) {
        assert_int_equal(reading_file_open(&file, files_system(), path, NULL), 0);
        if (count == 10) {
            check_content(path, 20); /* not by opening it */
        }
        assert_int_equal(reading_file_empty(&file, NULL), 0);
        assert_true(append(&file, count, NULL) == count);
        assert_int_equal(end(&file, NULL), 0);
        check_content(path, count);
    }
}

static void
a_file_that_is_being_written_is_left_alone(void **state)
{
    struct reading_file file;
    struct reading_file other;
    struct diagnostic diagnostic = {""};
    char path[512];
    assert_int_equal(files_join(path, sizeof path, *state, "file"), 0);
    assert_int_equal(reading_file_open(&file, files_system(), path, NULL), 0);
    assert_true(append(&file, 10, NULL) == 10);
    assert_int_equal(reading_file_flush(&file, NULL), 0);
    assert_int_equal(reading_file_open(&other, files_system(), path, &diagnostic), ERROR_LOCKED);
    assert_non_null(strstr(diagnostic.text, path));
    assert_int_equal(reading_file_finish(&file, NULL), 0);
    assert_int_equal(reading_file_open(&other, files_system(), path, NULL), ERROR_LOCKED);
    check_content(path, 10);
    reading_file_close(&file);
    assert_int_equal(reading_file_open(&other, files_system(), path, NULL), 0);
    reading_file_close(&other);
    check_content(path, 10);
}

static void
a_full_disk_costs_no_reading_wherever_it_ends(void **state)
{
    char path[512];
    assert_int_equal(files_join(path, sizeof path, *state, "file"), 0);
    for (int64_t space = 0; space < 6 * READING_FILE_BLOCK_SIZE; space += 4999) {
        struct small_disk disk;
        struct reading_file file;
        struct diagnostic diagnostic = {""};
        small_disk_init(&disk);
        disk.space = space;
        assert_int_equal(files_remove(files_system(), path), 0);
        assert_int_equal(reading_file_open(&file, &disk.table, path, &diagnostic), 0);
        uint64_t taken = append(&file, MANY, &diagnostic);
        assert_true(taken < MANY);
        assert_non_null(strstr(diagnostic.text, path));
        assert_non_null(strstr(diagnostic.text, "no space left"));
        assert_int_equal(end(&file, &diagnostic), 0);
        assert_true(file.count == taken && file.lost == 0);
        check_content(path, taken);
    }
}

static void
whichever_write_fails_what_is_counted_is_in_the_file(void **state)
{
    char path[512];
    assert_int_equal(files_join(path, sizeof path, *state, "file"), 0);
    for (int n = 1;; n++) {
        struct small_disk disk;
        struct reading_file file;
        struct diagnostic diagnostic = {""};
        small_disk_init(&disk);
        disk.fail_at = n;
        assert_int_equal(reading_file_open(&file, &disk.table, path, &diagnostic), 0);
        assert_int_equal(reading_file_empty(&file, &diagnostic), 0);
        uint64_t taken = append(&file, MANY, &diagnostic);
        int error = end(&file, diagnostic.text[0] == '\0' ? &diagnostic : NULL);
        assert_true(file.count + file.lost == taken);
        check_content(path, file.count);
        if (disk.writes < n) {
            assert_true(taken == MANY && error == 0);
            assert_in_range(n, 10, 100); /* the loop has been through all writes */
            break;
        }
        assert_true(taken < MANY || error == ERROR_IO);
        assert_non_null(strstr(diagnostic.text, path));
    }
}

static void
failures_at_the_end_are_told(void **state)
{
    struct small_disk disk;
    struct reading_file file;
    struct diagnostic diagnostic = {""};
    char path[512];
    assert_int_equal(files_join(path, sizeof path, *state, "file"), 0);
    small_disk_init(&disk);
    disk.sync_error = EIO;
    assert_int_equal(reading_file_open(&file, &disk.table, path, &diagnostic), 0);
    assert_true(append(&file, 10, &diagnostic) == 10);
    assert_int_equal(end(&file, &diagnostic), ERROR_IO);
    assert_non_null(strstr(diagnostic.text, "cannot force"));

    small_disk_init(&disk);
    disk.resize_error = EIO;
    assert_int_equal(reading_file_open(&file, &disk.table, path, &diagnostic), 0);
    assert_true(append(&file, 10, &diagnostic) == 10);
    assert_int_equal(end(&file, &diagnostic), ERROR_IO);
    assert_non_null(strstr(diagnostic.text, "cannot cut"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            all_that_was_appended_is_in_the_file, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(an_older_file_is_emptied, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            a_file_that_is_being_written_is_left_alone, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            a_full_disk_costs_no_reading_wherever_it_ends, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            whichever_write_fails_what_is_counted_is_in_the_file, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            failures_at_the_end_are_told, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
