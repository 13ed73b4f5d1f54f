/*
 * The list under many threads: they put and take at random, note what each call did and when it
 * began and ended, and afterwards the history is held against what a first-in first-out list of
 * that capacity could have done.
 *
 * "When" is a ticket from one counter: a call with a larger first ticket than another's last ticket
 * began after that one had ended.
 */
#include "support/cmocka_headers.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pipeline/bounded_list.h"
#include "pipeline/generator.h"
#include "shared/error.h"

enum {
    ROUNDS = 40,
    THREADS_MAX = 8,
    CALLS = 150, /* of a thread */
    MANY_MAX = 5 /* readings of a call */
};

static uint64_t seed;
static _Atomic uint64_t tickets;

struct call {
    uint64_t first;
    uint64_t last;
    bool takes;
    bool waits;
    int result;
    uint64_t ids[MANY_MAX];
};

struct actor {
    pthread_t thread;
    struct bounded_list *list;
    uint64_t random;
    uint64_t next_id;
    int calls;
    struct call history[CALLS];
};

static void
act_once(struct actor *actor, struct call *call)
{
    struct reading items[MANY_MAX];
    const int many = 1 + (int)(splitmix64_next(&actor->random) % MANY_MAX);
    memset(items, 0, sizeof items);
    call->takes = splitmix64_next(&actor->random) % 2 == 0;
    call->waits = splitmix64_next(&actor->random) % 4 == 0;
    if (!call->takes) {
        for (int i = 0; i < many; i++) {
            call->ids[i] = items[i].id = actor->next_id + (uint64_t)i;
        }
    }
    call->first = atomic_fetch_add(&tickets, 1);
    call->result = call->takes ? bounded_list_take(actor->list, items, many, call->waits)
                               : bounded_list_put(actor->list, items, many, call->waits);
    call->last = atomic_fetch_add(&tickets, 1);
    for (int i = 0; call->takes && i < call->result; i++) {
        call->ids[i] = items[i].id;
    }
    if (!call->takes && call->result > 0) {
        actor->next_id += (uint64_t)call->result;
    }
}

static void *
act(void *context)
{
    struct actor *actor = context;
    for (int i = 0; i < actor->calls; i++) {
        act_once(actor, &actor->history[i]);
    }
    return NULL;
}

/* What happened to one reading. */
struct life {
    uint64_t id;
    const struct call *put;
    const struct call *take; /* all are taken: what is left at the end is drained */
    int place;               /* among those of its take */
};

struct lives {
    struct life *all;
    int count;
};

static int
compare_ids(const void *a, const void *b)
{
    const struct life *x = a;
    const struct life *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static void
collect_puts(struct lives *lives, const struct actor *actor)
{
    for (int i = 0; i < actor->calls; i++) {
        const struct call *call = &actor->history[i];
        assert_true(call->result > 0 || call->result == ERROR_TIMEOUT);
        for (int j = 0; !call->takes && j < call->result; j++) {
            lives->all[lives->count++] = (struct life){.id = call->ids[j], .put = call};
        }
    }
}

/* Every reading that is taken was put, and is taken once. */
static void
collect_takes(struct lives *lives, const struct call *call)
{
    for (int j = 0; call->takes && j < call->result; j++) {
        struct life key = {.id = call->ids[j]};
        struct life *life =
            bsearch(&key, lives->all, (size_t)lives->count, sizeof key, compare_ids);
        if (life == NULL) {
            fail_msg("a reading was taken that nobody put");
            return;
        }
        assert_null(life->take);
        life->take = call;
        life->place = j;
    }
}

/* What went in first came out first. */
static void
check_order(const struct lives *lives)
{
    for (int i = 0; i < lives->count; i++) {
        const struct life *a = &lives->all[i];
        for (int j = 0; j < lives->count; j++) {
            const struct life *b = &lives->all[j];
            bool a_went_first = a->put->last < b->put->first || (a->put == b->put && a->id < b->id);
            if (a_went_first) {
                assert_false(b->take->last < a->take->first);
                assert_false(a->take == b->take && b->place < a->place);
            }
        }
    }
}

/*
 * Readings that were in the list all the time from ticket `from` to ticket `to`, and those that
 * can have been in it at any time between.
 */
static void
count_between(const struct lives *lives, uint64_t from, uint64_t to, int *certain, int *possible)
{
    *certain = 0;
    *possible = 0;
    for (int i = 0; i < lives->count; i++) {
        const struct life *life = &lives->all[i];
        *certain += life->put->last < from && life->take->first > to;
        *possible += life->put->first < to && life->take->last > from;
    }
}

/* The list never held more than its capacity, and nobody was refused without a reason. */
static void
check_fill(const struct lives *lives, const struct actor *actor, int capacity)
{
    for (int i = 0; i < actor->calls; i++) {
        const struct call *call = &actor->history[i];
        int certain;
        int possible;
        count_between(lives, call->first, call->last, &certain, &possible);
        assert_in_range(certain, 0, capacity);
        if (call->result == ERROR_TIMEOUT && call->takes) {
            assert_int_equal(certain, 0);
        }
        if (call->result == ERROR_TIMEOUT && !call->takes) {
            assert_in_range(possible, capacity, INT32_MAX);
        }
    }
}

static void
check_history(struct actor *actors, int threads, int capacity, const struct call *rest)
{
    struct lives lives = {.all = calloc(THREADS_MAX * CALLS * MANY_MAX, sizeof *lives.all)};
    assert_non_null(lives.all);
    for (int i = 0; i < threads; i++) {
        collect_puts(&lives, &actors[i]);
    }
    qsort(lives.all, (size_t)lives.count, sizeof *lives.all, compare_ids);
    for (int i = 0; i < threads; i++) {
        for (int j = 0; j < actors[i].calls; j++) {
            collect_takes(&lives, &actors[i].history[j]);
        }
    }
    for (const struct call *call = rest; call->result > 0; call++) {
        collect_takes(&lives, call);
    }
    for (int i = 0; i < lives.count; i++) {
        assert_non_null(lives.all[i].take); /* nothing was lost */
    }
    check_order(&lives);
    for (int i = 0; i < threads; i++) {
        check_fill(&lives, &actors[i], capacity);
    }
    free(lives.all);
}

/* Takes what is left when all others are done; the last call has no result. */
static void
drain(struct bounded_list *list, struct call *rest)
{
    bounded_list_close(list);
    for (;; rest++) {
        struct reading items[MANY_MAX];
        *rest = (struct call){.takes = true, .first = atomic_fetch_add(&tickets, 1)};
        rest->result = bounded_list_take(list, items, MANY_MAX, BOUNDED_LIST_FOREVER);
        rest->last = atomic_fetch_add(&tickets, 1);
        for (int i = 0; i < rest->result; i++) {
            rest->ids[i] = items[i].id;
        }
        if (rest->result < 0) {
            return;
        }
    }
}

static void
every_history_is_one_of_a_first_in_first_out_list(void **state)
{
    (void)state;
    enum {
        CAPACITY_MAX = 12
    };
    uint64_t random = seed;
    struct actor *actors = calloc(THREADS_MAX, sizeof *actors);
    assert_non_null(actors);
    for (int round = 0; round < ROUNDS; round++) {
        struct call rest[CAPACITY_MAX + 1];
        struct bounded_list *list = NULL;
        const int threads = 2 + (int)(splitmix64_next(&random) % (THREADS_MAX - 1));
        const int capacity = 1 + (int)(splitmix64_next(&random) % CAPACITY_MAX);
        assert_int_equal(bounded_list_new(capacity, &list), 0);
        for (int i = 0; i < threads; i++) {
            actors[i] = (struct actor){.list = list,
                .random = splitmix64_next(&random),
                .next_id = (uint64_t)(i + 1) << 32,
                .calls = CALLS};
            assert_int_equal(pthread_create(&actors[i].thread, NULL, act, &actors[i]), 0);
        }
        for (int i = 0; i < threads; i++) {
            assert_int_equal(pthread_join(actors[i].thread, NULL), 0);
        }
        drain(list, rest);
        check_history(actors, threads, capacity, rest);
        bounded_list_free(&list);
    }
    free(actors);
}

int
main(int argc, char *argv[])
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %" PRIu64 "\n", seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_history_is_one_of_a_first_in_first_out_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
