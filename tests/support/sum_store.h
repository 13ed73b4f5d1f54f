/** sum_store.h: a store whose state is a sum, for the tests of store.h. */
#ifndef STOCKBUS_TESTS_SUM_STORE_H
#define STOCKBUS_TESTS_SUM_STORE_H

#include "support/cmocka_headers.h"

#include <string.h>

#include "shared/store.h"

/* The state: a sum, and how many numbers went into it. */
struct sum {
    uint64_t total;
    uint64_t count;
};

static inline void
sum_clear(void *state)
{
    *(struct sum *)state = (struct sum){0};
}

static inline int
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

static inline int
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

static inline int
sum_save(void *state, struct snapshot *snapshot)
{
    const struct sum *sum = state;
    msgpack_packer *packer = snapshot_begin(snapshot);
    msgpack_pack_array(packer, 2);
    msgpack_pack_uint64(packer, sum->total);
    msgpack_pack_uint64(packer, sum->count);
    return snapshot_append(snapshot);
}

static inline struct store_fold
fold_of(struct sum *sum)
{
    return (struct store_fold){"sum", sum, sum_clear, sum_load, sum_apply, sum_save};
}

static const struct store_options sum_options = {
    .segment_size = 4096, .record_size_max = 1024, .history_new = {1, 2, 3, 4, 5, 6, 7, 8}};

static inline struct store *
open_store(const char *directory, struct sum *sum, struct store_report *report)
{
    struct store *store = NULL;
    struct store_fold fold = fold_of(sum);
    struct diagnostic diagnostic = {""};
    int error =
        store_open(&store, files_system(), directory, &fold, &sum_options, report, &diagnostic);
    if (error != 0) {
        fail_msg("%s", diagnostic.text);
    }
    return store;
}

static inline void
add(struct store *store, struct sum *sum, uint64_t number)
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

static inline void
expect(const char *directory, uint64_t count, struct store_report *report)
{
    struct sum sum = {0};
    struct store *store = open_store(directory, &sum, report);
    assert_int_equal(sum.count, count);
    assert_int_equal(sum.total, count * (count + 1) / 2);
    assert_int_equal(store_position(store), count);
    assert_memory_equal(store_history(store), sum_options.history_new, HISTORY_SIZE);
    assert_int_equal(store_close(&store, false, NULL), 0);
}

#endif
