#include "pipeline/bounded_list.h"

#include "shared/error.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Parking a thread costs two system calls and two switches, some ten times what a reading costs
 * otherwise. So a thread that cannot go on gives its time slice away a few times first: mostly the
 * others have then filled or emptied the list. See docs/bench/list.txt for what that gains.
 */
enum {
    YIELDS_BEFORE_PARKING = 8, /* when the list is full, or empty */
    YIELDS_BEFORE_LOCKING = 4, /* when another thread has the lock */
};

struct bounded_list {
    pthread_mutex_t lock; /* guards all that stands below it */
    pthread_cond_t not_full;
    pthread_cond_t not_empty;
    int capacity; /* never changes */
    int first;    /* index of the oldest reading */
    int count;
    int putting; /* threads parked on not_full, those included that were woken but have no lock yet
                  */
    int taking;  /* the same on not_empty */
    bool closed;
    struct bounded_list_stats stats; /* but for `count` and `parked` */
    struct reading items[];
};

int
bounded_list_new(int capacity, struct bounded_list **list)
{
    assert(capacity >= 1 && capacity <= BOUNDED_LIST_CAPACITY_MAX);
    struct bounded_list *result =
        calloc(1, sizeof *result + (size_t)capacity * sizeof result->items[0]);
    if (result == NULL) {
        /* unreached: the tests that take memory away are those of broker and client */
        return ERROR_MEMORY;
    }
    result->capacity = capacity;

    pthread_condattr_t monotonic;
    if (pthread_condattr_init(&monotonic) != 0) {
        goto no_attributes;
    }
    if (pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) != 0 ||
        pthread_mutex_init(&result->lock, NULL) != 0) {
        goto no_lock;
    }
    if (pthread_cond_init(&result->not_full, &monotonic) != 0) {
        goto no_not_full;
    }
    if (pthread_cond_init(&result->not_empty, &monotonic) != 0) {
        goto no_not_empty;
    }
    pthread_condattr_destroy(&monotonic);
    *list = result;
    return 0;

no_not_empty:
    pthread_cond_destroy(&result->not_full);
no_not_full:
    pthread_mutex_destroy(&result->lock);
no_lock:
    pthread_condattr_destroy(&monotonic);
no_attributes:
    free(result);
    return ERROR_MEMORY;
}

void
bounded_list_free(struct bounded_list **list)
{
    if (*list == NULL) {
        return;
    }
    assert((*list)->putting == 0 && (*list)->taking == 0);
    pthread_cond_destroy(&(*list)->not_empty);
    pthread_cond_destroy(&(*list)->not_full);
    pthread_mutex_destroy(&(*list)->lock);
    free(*list);
    *list = NULL;
}

static void
lock(struct bounded_list *list)
{
    for (int i = 0; i < YIELDS_BEFORE_LOCKING; i++) {
        if (pthread_mutex_trylock(&list->lock) == 0) {
            return;
        }
        sched_yield();
    }
    int error = pthread_mutex_lock(&list->lock);
    assert(error == 0);
    (void)error;
}

static void
unlock(struct bounded_list *list)
{
    int error = pthread_mutex_unlock(&list->lock);
    assert(error == 0);
    (void)error;
}

static struct timespec
deadline_after(int64_t timeout_ms)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_ms / 1000;
    deadline.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        /* unreached: in a run whose every deadline falls into the second it was set in */
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    return deadline;
}

/* One call that waits: on what, until when, and how often it has yielded so far. */
struct wait {
    pthread_cond_t *changed;
    int *parked;        /* where the threads that wait for it are counted */
    uint64_t *waits;    /* where the calls that had to wait are counted */
    int64_t timeout_ms; /* as the caller gave it */
    struct timespec deadline;
    int yields;
    bool begun;
};

/*
 * Waits once, with the lock held before and after; the caller looks again at what it waits for.
 *
 * Returns 0, or ERROR_TIMEOUT when the time was over before anything changed.
 */
static int
wait_once(struct bounded_list *list, struct wait *wait)
{
    if (wait->timeout_ms == 0) {
        return ERROR_TIMEOUT;
    }
    if (!wait->begun) {
        wait->begun = true;
        ++*wait->waits;
        if (wait->timeout_ms > 0) {
            wait->deadline = deadline_after(wait->timeout_ms);
        }
    }
    if (wait->yields++ < YIELDS_BEFORE_PARKING) {
        unlock(list);
        sched_yield();
        lock(list);
        return 0;
    }
    ++*wait->parked;
    int error = wait->timeout_ms < 0
                    ? pthread_cond_wait(wait->changed, &list->lock)
                    : pthread_cond_timedwait(wait->changed, &list->lock, &wait->deadline);
    --*wait->parked;
    assert(error == 0 || error == ETIMEDOUT);
    return error == 0 ? 0 : ERROR_TIMEOUT;
}

/* Wakes as many as `changes` can serve; called without the lock, so that who wakes can have it. */
static void
wake(pthread_cond_t *changed, int parked, int changes)
{
    if (parked == 0) {
        return;
    }
    if (changes == 1) {
        pthread_cond_signal(changed);
    } else {
        pthread_cond_broadcast(changed);
    }
}

static int
min(int a, int b)
{
    return a < b ? a : b;
}

int
bounded_list_put(
    struct bounded_list *list, const struct reading *items, int count, int64_t timeout_ms)
{
    assert(count >= 1 && timeout_ms >= BOUNDED_LIST_FOREVER);
    struct wait wait = {.changed = &list->not_full,
        .parked = &list->putting,
        .waits = &list->stats.full_waits,
        .timeout_ms = timeout_ms};

    lock(list);
    int error = 0;
    while (!list->closed && list->count == list->capacity && error == 0) {
        error = wait_once(list, &wait);
    }
    /* Room that came with the last tick still counts. */
    if (list->closed || list->count == list->capacity) {
        int result = list->closed ? ERROR_CLOSED : ERROR_TIMEOUT;
        unlock(list);
        return result;
    }
    const int added = min(count, list->capacity - list->count);
    for (int i = 0; i < added; i++) {
        int index = list->first + list->count++;
        list->items[index < list->capacity ? index : index - list->capacity] = items[i];
    }
    if (list->count > list->stats.count_max) {
        list->stats.count_max = list->count;
    }
    const int parked = list->taking;
    unlock(list);
    wake(&list->not_empty, parked, added);
    return added;
}

int
bounded_list_take(struct bounded_list *list, struct reading *items, int wanted, int64_t timeout_ms)
{
    assert(wanted >= 1 && timeout_ms >= BOUNDED_LIST_FOREVER);
    struct wait wait = {.changed = &list->not_empty,
        .parked = &list->taking,
        .waits = &list->stats.empty_waits,
        .timeout_ms = timeout_ms};

    lock(list);
    int error = 0;
    while (!list->closed && list->count == 0 && error == 0) {
        error = wait_once(list, &wait);
    }
    if (list->count == 0) {
        int result = list->closed ? ERROR_CLOSED : ERROR_TIMEOUT;
        unlock(list);
        return result;
    }
    const int removed = min(wanted, list->count);
    for (int i = 0; i < removed; i++) {
        items[i] = list->items[list->first];
        list->first = list->first + 1 < list->capacity ? list->first + 1 : 0;
    }
    list->count -= removed;
    const int parked = list->putting;
    unlock(list);
    wake(&list->not_full, parked, removed);
    return removed;
}

void
bounded_list_close(struct bounded_list *list)
{
    lock(list);
    list->closed = true;
    unlock(list);
    pthread_cond_broadcast(&list->not_full);
    pthread_cond_broadcast(&list->not_empty);
}

void
bounded_list_look(struct bounded_list *list, struct bounded_list_stats *stats)
{
    lock(list);
    *stats = list->stats;
    stats->count = list->count;
    stats->parked = list->putting + list->taking;
    unlock(list);
}
