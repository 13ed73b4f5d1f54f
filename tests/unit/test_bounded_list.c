#include "support/cmocka_headers.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pipeline/bounded_list.h"
#include "pipeline/generator.h"
#include "shared/error.h"

enum {
    PATIENCE_MS = 60000 /* for what comes soon on any machine that is not stuck */
};

static uint64_t seed;

static struct bounded_list *
new_list(int capacity)
{
    struct bounded_list *list = NULL;
    assert_int_equal(bounded_list_new(capacity, &list), 0);
    return list;
}

/* Puts `count` readings with ids from `first` on. */
static int
put_from(struct bounded_list *list, uint64_t first, int count, int64_t timeout_ms)
{
    struct reading items[64];
    memset(items, 0, sizeof items);
    for (int i = 0; i < count; i++) {
        items[i].id = first + (uint64_t)i;
    }
    return bounded_list_put(list, items, count, timeout_ms);
}

static int64_t
now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/*
 * The linker puts this in the place of pthread_cond_timedwait. A test may let it return at once,
 * so that what happens at a wake-up does not depend on chance.
 */
static struct {
    int vain;          /* it returns without a reason so often, and then because of the deadline */
    int vain_left;     /* of these */
    bool puts_at_end;  /* another puts a reading as the deadline passes */
    bool takes_at_end; /* or takes one */
    struct bounded_list *list;
    struct timespec deadline; /* of the first call */
} waking;

int
__real_pthread_cond_timedwait(
    pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *deadline);
int
__wrap_pthread_cond_timedwait(
    pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *deadline);

int
__wrap_pthread_cond_timedwait(
    pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *deadline)
{
    struct reading item;
    if (waking.list == NULL) {
        return __real_pthread_cond_timedwait(condition, mutex, deadline);
    }
    if (waking.vain_left == waking.vain) {
        waking.deadline = *deadline;
    }
    assert_true(deadline->tv_sec == waking.deadline.tv_sec);
    assert_true(deadline->tv_nsec == waking.deadline.tv_nsec);
    if (waking.vain_left-- > 0) {
        return 0;
    }
    pthread_mutex_unlock(mutex);
    if (waking.puts_at_end) {
        assert_int_equal(put_from(waking.list, 77, 1, 0), 1);
    }
    if (waking.takes_at_end) {
        assert_int_equal(bounded_list_take(waking.list, &item, 1, 0), 1);
    }
    pthread_mutex_lock(mutex);
    return ETIMEDOUT;
}

static void
readings_come_out_in_the_order_they_went_in(void **state)
{
    (void)state;
    struct bounded_list *list = new_list(5);
    struct reading items[8];
    assert_int_equal(put_from(list, 1, 3, 0), 3);
    assert_int_equal(bounded_list_take(list, items, 2, 0), 2);
    assert_int_equal(put_from(list, 4, 4, 0), 4); /* wraps around */
    assert_int_equal(bounded_list_take(list, items + 2, 6, 0), 5);
    for (uint64_t i = 0; i < 7; i++) {
        assert_true(items[i].id == i + 1);
    }
    bounded_list_free(&list);
    assert_null(list);
    bounded_list_free(&list);
}

static void
put_adds_only_what_there_is_room_for(void **state)
{
    (void)state;
    struct bounded_list *list = new_list(4);
    struct bounded_list_stats stats;
    assert_int_equal(put_from(list, 1, 3, 0), 3);
    assert_int_equal(put_from(list, 4, 3, BOUNDED_LIST_FOREVER), 1);
    assert_int_equal(put_from(list, 5, 1, 0), ERROR_TIMEOUT);
    bounded_list_look(list, &stats);
    assert_int_equal(stats.count, 4);
    assert_int_equal(stats.count_max, 4);
    assert_true(stats.full_waits == 0); /* nobody was ready to wait */
    bounded_list_free(&list);
}

static void
waits_end_at_their_deadline_and_not_before(void **state)
{
    (void)state;
    struct bounded_list *list = new_list(1);
    struct bounded_list_stats stats;
    struct reading item;
    int64_t start_ms = now_ms();
    assert_int_equal(bounded_list_take(list, &item, 1, 30), ERROR_TIMEOUT);
    assert_in_range(now_ms() - start_ms, 29, PATIENCE_MS);
    assert_int_equal(put_from(list, 1, 1, 0), 1);
    start_ms = now_ms();
    assert_int_equal(put_from(list, 2, 1, 30), ERROR_TIMEOUT);
    assert_in_range(now_ms() - start_ms, 29, PATIENCE_MS);
    bounded_list_look(list, &stats);
    assert_true(stats.full_waits == 1 && stats.empty_waits == 1);
    bounded_list_free(&list);
}

static void
vain_wake_ups_do_not_move_the_deadline(void **state)
{
    (void)state;
    struct bounded_list *list = new_list(1);
    struct reading item;
    waking.list = list;
    waking.vain = waking.vain_left = 5;
    assert_int_equal(bounded_list_take(list, &item, 1, 1000), ERROR_TIMEOUT);
    assert_int_equal(waking.vain_left, -1);
    assert_int_equal(put_from(list, 1, 1, 0), 1);
    waking.vain_left = 5;
    assert_int_equal(put_from(list, 2, 1, 1000), ERROR_TIMEOUT);
    assert_int_equal(waking.vain_left, -1);
    waking.list = NULL;
    bounded_list_free(&list);
}

static void
what_comes_with_the_deadline_still_counts(void **state)
{
    (void)state;
    struct bounded_list *list = new_list(1);
    struct reading item;
    waking.list = list;
    waking.vain = waking.vain_left = 0;
    waking.puts_at_end = true;
    assert_int_equal(bounded_list_take(list, &item, 1, 1000), 1);
    assert_true(item.id == 77);
    waking.puts_at_end = false;
    assert_int_equal(put_from(list, 1, 1, 0), 1);
    waking.vain_left = 0;
    waking.takes_at_end = true;
    assert_int_equal(put_from(list, 2, 1, 1000), 1);
    waking.takes_at_end = false;
    waking.list = NULL;
    bounded_list_free(&list);
}

static void
a_closed_list_takes_nothing_in_and_gives_out_the_rest(void **state)
{
    (void)state;
    struct bounded_list *list = new_list(4);
    struct reading items[4];
    assert_int_equal(put_from(list, 1, 3, 0), 3);
    bounded_list_close(list);
    bounded_list_close(list);
    assert_int_equal(put_from(list, 4, 1, BOUNDED_LIST_FOREVER), ERROR_CLOSED);
    assert_int_equal(bounded_list_take(list, items, 2, BOUNDED_LIST_FOREVER), 2);
    assert_int_equal(bounded_list_take(list, items + 2, 2, BOUNDED_LIST_FOREVER), 1);
    assert_true(items[0].id == 1 && items[1].id == 2 && items[2].id == 3);
    assert_int_equal(bounded_list_take(list, items, 1, BOUNDED_LIST_FOREVER), ERROR_CLOSED);
    assert_int_equal(bounded_list_take(list, items, 1, 0), ERROR_CLOSED);
    bounded_list_free(&list);
}

/* Threads that wait without a bound, until another one does what they wait for. */
struct waiter {
    pthread_t thread;
    struct bounded_list *list;
    int result;
};

static void *
wait_to_take(void *context)
{
    struct waiter *waiter = context;
    struct reading item;
    waiter->result = bounded_list_take(waiter->list, &item, 1, BOUNDED_LIST_FOREVER);
    return NULL;
}

static void *
wait_to_put(void *context)
{
    struct waiter *waiter = context;
    waiter->result = put_from(waiter->list, 1000, 1, BOUNDED_LIST_FOREVER);
    return NULL;
}

/* Starts `count` waiters and returns when all of them sleep. */
static void
start_waiters(struct bounded_list *list, struct waiter *waiters, int count, void *(*body)(void *))
{
    struct bounded_list_stats stats;
    for (int i = 0; i < count; i++) {
        waiters[i].list = list;
        assert_int_equal(pthread_create(&waiters[i].thread, NULL, body, &waiters[i]), 0);
    }
    const int64_t start_ms = now_ms();
    do {
        assert_in_range(now_ms() - start_ms, 0, PATIENCE_MS);
        bounded_list_look(list, &stats);
    } while (stats.parked < count);
}

static void
join_waiters(struct waiter *waiters, int count, int expected)
{
    for (int i = 0; i < count; i++) {
        assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
        assert_int_equal(waiters[i].result, expected);
    }
}

static void
close_wakes_all_who_wait(void **state)
{
    (void)state;
    struct waiter waiters[8];
    struct bounded_list *list = new_list(1);
    start_waiters(list, waiters, 8, wait_to_take);
    bounded_list_close(list);
    join_waiters(waiters, 8, ERROR_CLOSED);
    bounded_list_free(&list);

    list = new_list(1);
    assert_int_equal(put_from(list, 1, 1, 0), 1);
    start_waiters(list, waiters, 8, wait_to_put);
    bounded_list_close(list);
    join_waiters(waiters, 8, ERROR_CLOSED);
    bounded_list_free(&list);
}

static void
many_at_once_serve_as_many_who_wait(void **state)
{
    (void)state;
    struct waiter waiters[8];
    struct reading items[8];
    struct bounded_list *list = new_list(8);
    start_waiters(list, waiters, 8, wait_to_take);
    assert_int_equal(put_from(list, 1, 8, 0), 8);
    join_waiters(waiters, 8, 1);
    bounded_list_free(&list);

    list = new_list(8);
    assert_int_equal(put_from(list, 1, 8, 0), 8);
    start_waiters(list, waiters, 8, wait_to_put);
    assert_int_equal(bounded_list_take(list, items, 8, 0), 8);
    join_waiters(waiters, 8, 1);
    bounded_list_free(&list);
}

static void
one_at_a_time_wakes_one_each(void **state)
{
    (void)state;
    struct waiter waiters[8];
    struct reading item;
    struct bounded_list *list = new_list(8);
    start_waiters(list, waiters, 8, wait_to_take);
    for (uint64_t i = 0; i < 8; i++) {
        assert_int_equal(put_from(list, i, 1, 0), 1);
    }
    join_waiters(waiters, 8, 1);
    bounded_list_free(&list);

    list = new_list(8);
    assert_int_equal(put_from(list, 1, 8, 0), 8);
    start_waiters(list, waiters, 8, wait_to_put);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(bounded_list_take(list, &item, 1, 0), 1);
    }
    join_waiters(waiters, 8, 1);
    bounded_list_free(&list);
}

/* The list against a plain array that is shifted: any sequence of calls that do not wait. */
struct model {
    uint64_t ids[16];
    int count;
    int capacity;
    bool closed;
};

static int
model_put(struct model *model, uint64_t first, int count)
{
    if (model->closed || model->count == model->capacity) {
        return model->closed ? ERROR_CLOSED : ERROR_TIMEOUT;
    }
    int added = 0;
    while (added < count && model->count < model->capacity) {
        model->ids[model->count++] = first + (uint64_t)added++;
    }
    return added;
}

static int
model_take(struct model *model, uint64_t *ids, int wanted)
{
    if (model->count == 0) {
        return model->closed ? ERROR_CLOSED : ERROR_TIMEOUT;
    }
    int removed = wanted < model->count ? wanted : model->count;
    memcpy(ids, model->ids, (size_t)removed * sizeof *ids);
    model->count -= removed;
    memmove(model->ids, model->ids + removed, (size_t)model->count * sizeof *ids);
    return removed;
}

static void
any_sequence_of_calls_does_what_a_plain_array_does(void **state)
{
    (void)state;
    uint64_t random = seed;
    for (int round = 0; round < 200; round++) {
        struct model model = {.capacity = 1 + (int)(splitmix64_next(&random) % 16)};
        struct bounded_list *list = new_list(model.capacity);
        uint64_t next = 1;
        for (int step = 0; step < 300; step++) {
            struct bounded_list_stats stats;
            struct reading items[20];
            uint64_t ids[20];
            int many = 1 + (int)(splitmix64_next(&random) % 20);
            if (splitmix64_next(&random) % 2 == 0) {
                assert_int_equal(put_from(list, next, many, 0), model_put(&model, next, many));
                next += 20;
            } else {
                int got = bounded_list_take(list, items, many, 0);
                assert_int_equal(got, model_take(&model, ids, many));
                for (int i = 0; i < got; i++) {
                    assert_true(items[i].id == ids[i]);
                }
            }
            if (splitmix64_next(&random) % 256 == 0) {
                bounded_list_close(list);
                model.closed = true;
            }
            bounded_list_look(list, &stats);
            assert_int_equal(stats.count, model.count);
        }
        bounded_list_free(&list);
    }
}

/* The linker puts these in the place of what makes locks: the call with this number fails. */
static int failing;

static bool
fails(void)
{
    return failing > 0 && --failing == 0;
}

int
__real_pthread_condattr_init(pthread_condattr_t *attributes);
int
__wrap_pthread_condattr_init(pthread_condattr_t *attributes);
int
__real_pthread_condattr_setclock(pthread_condattr_t *attributes, clockid_t clock);
int
__wrap_pthread_condattr_setclock(pthread_condattr_t *attributes, clockid_t clock);
int
__real_pthread_mutex_init(pthread_mutex_t *lock, const pthread_mutexattr_t *attributes);
int
__wrap_pthread_mutex_init(pthread_mutex_t *lock, const pthread_mutexattr_t *attributes);
int
__real_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes);
int
__wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes);

int
__wrap_pthread_condattr_init(pthread_condattr_t *attributes)
{
    return fails() ? ENOMEM : __real_pthread_condattr_init(attributes);
}

int
__wrap_pthread_condattr_setclock(pthread_condattr_t *attributes, clockid_t clock)
{
    return fails() ? EINVAL : __real_pthread_condattr_setclock(attributes, clock);
}

int
__wrap_pthread_mutex_init(pthread_mutex_t *lock, const pthread_mutexattr_t *attributes)
{
    return fails() ? ENOMEM : __real_pthread_mutex_init(lock, attributes);
}

int
__wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes)
{
    return fails() ? EAGAIN : __real_pthread_cond_init(condition, attributes);
}

static void
a_list_whose_locks_cannot_be_made_is_none(void **state)
{
    struct bounded_list *list = NULL;
    int number = 1;
    (void)state;
    for (failing = number; bounded_list_new(4, &list) != 0; failing = ++number) {
        assert_null(list);
    }
    assert_int_equal(number, 6); /* each of five calls has failed once */
    failing = 0;
    bounded_list_free(&list);
}

int
main(int argc, char *argv[])
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %" PRIu64 "\n", seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_whose_locks_cannot_be_made_is_none),
        cmocka_unit_test(readings_come_out_in_the_order_they_went_in),
        cmocka_unit_test(put_adds_only_what_there_is_room_for),
        cmocka_unit_test(waits_end_at_their_deadline_and_not_before),
        cmocka_unit_test(vain_wake_ups_do_not_move_the_deadline),
        cmocka_unit_test(what_comes_with_the_deadline_still_counts),
        cmocka_unit_test(a_closed_list_takes_nothing_in_and_gives_out_the_rest),
        cmocka_unit_test(close_wakes_all_who_wait),
        cmocka_unit_test(many_at_once_serve_as_many_who_wait),
        cmocka_unit_test(one_at_a_time_wakes_one_each),
        cmocka_unit_test(any_sequence_of_calls_does_what_a_plain_array_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
