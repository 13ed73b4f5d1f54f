#include "support/scratch.h"

#include <fcntl.h>

#include "shared/journal.h"
#include "shared/snapshot.h"

enum {
    RECORDS = 5
};

static struct journal_header
header_of(uint64_t first)
{
    struct journal_header header = {
        .kind = "test", .history = {1, 2, 3, 4, 5, 6, 7, 8}, .generation = 1, .first = first};
    memset(header.previous, 0x5a, sizeof header.previous);
    return header;
}

static void
path_of(char *path, size_t size, void **state)
{
    assert_int_equal(files_join(path, size, *state, "journal"), 0);
}

/* Writes RECORDS records whose bodies are [number, text]; remembers where each begins. */
static void
write_journal(const char *path, int64_t zeroed, int64_t *offsets)
{
    struct journal journal;
    struct journal_header header = header_of(7);
    int fd = -1;
    assert_int_equal(journal_zero(files_system(), path, zeroed, &fd), 0);
    assert_int_equal(journal_start(&journal, files_system(), fd, zeroed, 4096, &header), 0);
    for (uint64_t i = 0; i < RECORDS; i++) {
        offsets[i] = journal.offset;
        msgpack_packer *packer = journal_begin(&journal);
        msgpack_pack_array(packer, 2);
        msgpack_pack_uint64(packer, i);
        pack_text(packer, "some words");
        assert_int_equal(journal_append(&journal), 0);
    }
    offsets[RECORDS] = journal.offset;
    assert_int_equal(journal_sync(&journal), 0);
    journal_close(&journal, false);
}

struct seen {
    uint64_t count;
};

static int
see(void *context, uint64_t number, const msgpack_object *body, int64_t offset,
    struct diagnostic *diagnostic)
{
    struct seen *seen = context;
    (void)offset;
    (void)diagnostic;
    assert_int_equal(number, 7 + seen->count);
    assert_true(object_array(body, 2));
    assert_int_equal(body->via.array.ptr[0].via.u64, seen->count);
    seen->count++;
    return 0;
}

static int
read_back(const char *path, struct seen *seen, struct journal_summary *summary)
{
    struct diagnostic diagnostic = {""};
    *seen = (struct seen){0};
    int error = journal_read(files_system(), path, see, seen, summary, &diagnostic);
    if (error != 0) {
        assert_non_null(strstr(diagnostic.text, path));
        assert_non_null(strstr(diagnostic.text, "offset"));
    }
    return error;
}

static void
records_are_read_back_in_order(void **state)
{
    char path[512];
    path_of(path, sizeof path, state);
    for (int64_t zeroed = 0; zeroed <= 8192; zeroed += 8192) {
        int64_t offsets[RECORDS + 1];
        struct seen seen;
        struct journal_summary summary;
        write_journal(path, zeroed, offsets);
        assert_int_equal(read_back(path, &seen, &summary), 0);
        assert_int_equal(seen.count, RECORDS);
        assert_int_equal(summary.next, 7 + RECORDS);
        assert_int_equal(summary.end, offsets[RECORDS]);
        assert_int_equal(summary.tail, JOURNAL_ENDS);
        assert_int_equal(summary.header.first, 7);
        assert_string_equal(summary.header.kind, "test");
    }
}

static void
numbers_beyond_the_protocol_are_damage(void **state)
{
    const uint64_t firsts[] = {NUMBER_MAX, (uint64_t)NUMBER_MAX + 1, UINT64_MAX};
    char path[512];
    path_of(path, sizeof path, state);
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        struct journal journal;
        struct journal_summary summary;
        struct journal_header header = header_of(firsts[i]);
        int fd = -1;
        assert_int_equal(journal_zero(files_system(), path, 0, &fd), 0);
        assert_int_equal(journal_start(&journal, files_system(), fd, 0, 4096, &header), 0);
        journal_close(&journal, false);
        assert_int_equal(journal_read(files_system(), path, NULL, NULL, &summary, NULL),
            firsts[i] == NUMBER_MAX ? 0 : ERROR_DAMAGED);
    }
}

static void
a_journal_cut_anywhere_keeps_the_records_before_the_cut(void **state)
{
    char path[512];
    int64_t offsets[RECORDS + 1];
    path_of(path, sizeof path, state);
    write_journal(path, 0, offsets);
    for (int64_t size = offsets[RECORDS]; size >= 0; size--) {
        struct seen seen;
        struct journal_summary summary;
        assert_int_equal(truncate(path, size), 0);
        int error = read_back(path, &seen, &summary);
        if (size < offsets[0]) {
            assert_int_equal(error, ERROR_DAMAGED);
            continue;
        }
        uint64_t whole = 0;
        while (whole < RECORDS && offsets[whole + 1] <= size) {
            whole++;
        }
        assert_int_equal(error, 0);
        assert_int_equal(seen.count, whole);
        assert_int_equal(summary.end, offsets[whole]);
        assert_int_equal(summary.tail, size == offsets[whole] ? JOURNAL_ENDS : JOURNAL_TORN);
    }
}

static void
a_flipped_byte_is_damage_unless_it_is_in_the_last_record(void **state)
{
    char path[512];
    int64_t offsets[RECORDS + 1];
    path_of(path, sizeof path, state);
    write_journal(path, 8192, offsets);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    for (int64_t at = 0; at < offsets[RECORDS]; at++) {
        struct seen seen;
        struct journal_summary summary;
        unsigned char byte;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x41;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        int error = read_back(path, &seen, &summary);
        if (at >= offsets[RECORDS - 1]) {
            assert_int_equal(error, 0);
            assert_int_equal(summary.tail, JOURNAL_TORN);
        } else {
            assert_int_equal(error, ERROR_DAMAGED);
        }
        byte ^= 0x41;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
}

static void
a_record_that_does_not_fit_is_refused_and_the_journal_goes_on(void **state)
{
    char path[512];
    char body[300] = "";
    struct journal journal;
    struct journal_header header = header_of(1);
    int fd = -1;
    path_of(path, sizeof path, state);
    assert_int_equal(journal_zero(files_system(), path, 512, &fd), 0);
    assert_int_equal(journal_start(&journal, files_system(), fd, 512, 256, &header), 0);
    pack_bytes(journal_begin(&journal), body, sizeof body);
    assert_int_equal(journal_append(&journal), ERROR_TOO_LARGE);
    while (journal_room(&journal) >= 3) {
        pack_bytes(journal_begin(&journal), body, 1);
        assert_int_equal(journal_append(&journal), 0);
    }
    pack_bytes(journal_begin(&journal), body, 1);
    assert_int_equal(journal_append(&journal), ERROR_TOO_LARGE);
    uint64_t next = journal.next;
    journal_close(&journal, true);

    struct journal_summary summary;
    assert_int_equal(journal_read(files_system(), path, NULL, NULL, &summary, NULL), 0);
    assert_int_equal(summary.next, next);
}

static void
a_snapshot_is_whole_or_damaged(void **state)
{
    char path[512];
    struct snapshot snapshot;
    struct journal_header header = header_of(7);
    struct seen seen = {0};
    assert_int_equal(snapshot_create(&snapshot, files_system(), *state, "snapshot", &header), 0);
    for (uint64_t i = 0; i < RECORDS; i++) {
        msgpack_packer *packer = snapshot_begin(&snapshot);
        msgpack_pack_array(packer, 2);
        msgpack_pack_uint64(packer, i);
        msgpack_pack_nil(packer);
        assert_int_equal(snapshot_append(&snapshot), 0);
    }
    assert_int_equal(files_join(path, sizeof path, *state, "snapshot"), 0);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(snapshot_commit(&snapshot), 0);
    assert_int_equal(snapshot_read(files_system(), path, see, &seen, &header, NULL), 0);
    assert_int_equal(seen.count, RECORDS);

    unsigned char *data = NULL;
    size_t size = 0;
    assert_int_equal(files_read_all(files_system(), path, 65536, &data, &size), 0);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    for (size_t at = 0; at < size; at++) {
        unsigned char byte = data[at] ^ 0x41;
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
        seen.count = 0;
        assert_int_equal(
            snapshot_read(files_system(), path, see, &seen, &header, NULL), ERROR_DAMAGED);
        assert_int_equal(pwrite(fd, &data[at], 1, (off_t)at), 1);
    }
    for (size_t cut = size; cut-- > 0;) {
        assert_int_equal(ftruncate(fd, (off_t)cut), 0);
        seen.count = 0;
        assert_int_equal(
            snapshot_read(files_system(), path, see, &seen, &header, NULL), ERROR_DAMAGED);
    }
    close(fd);
    free(data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            records_are_read_back_in_order, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            numbers_beyond_the_protocol_are_damage, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(a_journal_cut_anywhere_keeps_the_records_before_the_cut,
            scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(a_flipped_byte_is_damage_unless_it_is_in_the_last_record,
            scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            a_record_that_does_not_fit_is_refused_and_the_journal_goes_on, scratch_setup,
            scratch_teardown),
        cmocka_unit_test_setup_teardown(
            a_snapshot_is_whole_or_damaged, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
