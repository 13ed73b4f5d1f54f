#include "support/sum_store.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "support/cmocka_headers.h"

static void
sum_clear(void *state)
{
    *(struct sum *)state = (struct sum){0};
}

static int
sum_load(void *state, const msgpack_object *body, struct diagnostic *diagnostic)
{
    struct sum *sum = state;
    if (!object_array(body, 2)) {
        return diagnostic_set(diagnostic, ERROR_DAMAGED, "no sum");
    }
    sum->total = body->via.array.ptr[0].via.u64;
    sum->count = body->via.array.ptr[1].via.u64;
    return 0;
}

static int
sum_apply(void *state, uint64_t number, const msgpack_object *body, struct diagnostic *diagnostic)
{
    struct sum *sum = state;
    (void)number;
    if (!object_array(body, 2)) {
        return diagnostic_set(diagnostic, ERROR_DAMAGED, "no number");
    }
    sum->total += body->via.array.ptr[0].via.u64;
    sum->count++;
    return 0;
}

static int
sum_save(void *state, struct snapshot *snapshot)
{
    const struct sum *sum = state;
    msgpack_packer *packer = snapshot_begin(snapshot);
    msgpack_pack_array(packer, 2);
    msgpack_pack_uint64(packer, sum->total);
    msgpack_pack_uint64(packer, sum->count);
    return snapshot_append(snapshot);
}

struct store_fold
sum_store_fold(struct sum *sum)
{
    return (struct store_fold){"sum", sum, sum_clear, sum_load, sum_apply, sum_save};
}

const struct store_options sum_store_options = {
    .segment_size = 4096, .record_size_max = 1024, .history_new = {1, 2, 3, 4, 5, 6, 7, 8}};

struct store *
sum_store_open(const char *directory, struct sum *sum, struct store_report *report)
{
    struct store *store = NULL;
    struct store_fold fold = sum_store_fold(sum);
    struct diagnostic diagnostic = {""};
    int error = store_open(
        &store, files_system(), directory, &fold, &sum_store_options, report, &diagnostic);
    if (error != 0) {
        fail_msg("%s", diagnostic.text);
    }
    return store;
}

void
sum_store_add(struct store *store, struct sum *sum, uint64_t number)
{
    char padding[100] = "";
    assert_int_equal(store_reserve(store, 120), 0);
    msgpack_packer *packer = store_begin(store);
    msgpack_pack_array(packer, 2);
    msgpack_pack_uint64(packer, number);
    pack_bytes(packer, padding, sizeof padding);
    assert_int_equal(store_append(store), 0);
    assert_int_equal(store_sync(store), 0);
    sum->total += number;
    sum->count++;
}

void
sum_store_make(const char *directory)
{
    struct store_report report;
    uint64_t number = 1;
    for (int start = 0; start < 2; start++) {
        struct sum sum = {0};
        struct store *store = sum_store_open(directory, &sum, &report);
        assert_int_equal(report.is_new, start == 0);
        assert_int_equal(store_start(store, NULL), 0);
        for (int i = 0; i < 5; i++) {
            sum_store_add(store, &sum, number++);
        }
        assert_int_equal(store_position(store), number - 1);
        assert_int_equal(store_close(&store, false, NULL), 0);
    }
}

void
sum_store_expect(const char *directory, uint64_t count, struct store_report *report)
{
    struct sum sum = {0};
    struct store *store = sum_store_open(directory, &sum, report);
    assert_int_equal(sum.count, count);
    assert_int_equal(sum.total, count * (count + 1) / 2);
    assert_int_equal(store_position(store), count);
    assert_memory_equal(store_history(store), sum_store_options.history_new, HISTORY_SIZE);
    assert_int_equal(store_close(&store, false, NULL), 0);
}

const char *
sum_store_path(const char *directory, const char *name)
{
    static char path[512];
    assert_int_equal(files_join(path, sizeof path, directory, name), 0);
    return path;
}

void
sum_store_flip(const char *directory, const char *name, off_t at)
{
    unsigned char byte;
    int fd = open(sum_store_path(directory, name), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

off_t
sum_store_size(const char *directory, const char *name)
{
    int fd = open(sum_store_path(directory, name), O_RDONLY | O_CLOEXEC);
    off_t size = lseek(fd, 0, SEEK_END);
    close(fd);
    return size;
}
