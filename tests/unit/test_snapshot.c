#include "support/scratch.h"

#include "shared/files.h"
#include "shared/snapshot.h"

enum {
    PADDING = 100000,
    RECORDS = 10 /* more in all than is written between two syncs */
};

static const struct journal_header header = {
    .kind = "sum", .history = {1, 2, 3, 4, 5, 6, 7, 8}, .generation = 1, .first = 8};
static const char name[] = "snapshot-0000000001.msgpack";
static int syncs;

static int
counted_fdatasync(struct files *files, int fd)
{
    (void)files;
    syncs++;
    return files_system()->fdatasync(files_system(), fd);
}

static void
write_snapshot(const char *directory)
{
    static const char padding[PADDING];
    struct files files = *files_system();
    struct snapshot snapshot;
    files.fdatasync = counted_fdatasync;
    syncs = 0;
    assert_int_equal(snapshot_create(&snapshot, &files, directory, name, &header), 0);
    for (int i = 0; i < RECORDS; i++) {
        pack_bytes(snapshot_begin(&snapshot), padding, sizeof padding);
        assert_int_equal(snapshot_append(&snapshot), 0);
    }
    assert_int_equal(snapshot_commit(&snapshot), 0);
}

static int
count_record(void *context, uint64_t number, const msgpack_object *body, int64_t offset,
    struct diagnostic *diagnostic)
{
    int *count = context;
    (void)number;
    (void)offset;
    (void)diagnostic;
    assert_int_equal(body->type, MSGPACK_OBJECT_BIN);
    ++*count;
    return 0;
}

static void
a_large_snapshot_is_synced_on_the_way_and_read_back(void **state)
{
    struct journal_header found;
    char path[512];
    int count = 0;
    write_snapshot(*state);
    assert_true(syncs >= 3);
    assert_int_equal(files_join(path, sizeof path, *state, name), 0);
    assert_int_equal(snapshot_read(files_system(), path, count_record, &count, &found, NULL), 0);
    assert_int_equal(count, RECORDS);
    assert_int_equal(found.first, header.first);
    assert_memory_equal(found.history, header.history, sizeof found.history);
}

static void
a_snapshot_that_is_abandoned_leaves_nothing(void **state)
{
    struct snapshot snapshot;
    assert_int_equal(snapshot_create(&snapshot, files_system(), *state, name, &header), 0);
    pack_text(snapshot_begin(&snapshot), "a state");
    assert_int_equal(snapshot_append(&snapshot), 0);
    snapshot_abandon(&snapshot);
    assert_int_equal(rmdir(*state), 0);
    assert_int_equal(mkdir(*state, 0700), 0);
}

static void
a_snapshot_beside_no_directory_cannot_be_made(void **state)
{
    struct snapshot snapshot;
    char path[512];
    assert_int_equal(files_join(path, sizeof path, *state, "gone"), 0);
    assert_int_equal(
        snapshot_create(&snapshot, files_system(), path, name, &header), ERROR_NOT_FOUND);
}

static void
a_path_that_is_too_long_is_no_place_for_a_snapshot(void **state)
{
    static char directory[FILES_PATH_SIZE + 1];
    const struct {
        size_t size;
        const char *name;
    } cases[] = {
        {FILES_PATH_SIZE, name},     /* too long itself */
        {FILES_PATH_SIZE - 9, name}, /* with the name behind it */
        {FILES_PATH_SIZE - 9, "s"},  /* with what the file is called until it is complete */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct snapshot snapshot;
        memset(directory, 'd', sizeof directory);
        directory[cases[i].size] = '\0';
        assert_int_equal(
            snapshot_create(&snapshot, files_system(), directory, cases[i].name, &header),
            ERROR_TOO_LARGE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_large_snapshot_is_synced_on_the_way_and_read_back),
        SCRATCH_TEST(a_snapshot_that_is_abandoned_leaves_nothing),
        cmocka_unit_test(a_path_that_is_too_long_is_no_place_for_a_snapshot),
        SCRATCH_TEST(a_snapshot_beside_no_directory_cannot_be_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
