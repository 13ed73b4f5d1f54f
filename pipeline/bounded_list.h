/**
 * bounded_list.h: a first-in first-out list of fixed capacity between threads.
 *
 * There is one order for all: readings come out in the order in which they went in, so what one
 * producer put first comes out first. A reading is copied in and copied out, and comes out once.
 *
 * Invariant while nobody holds the lock: 0 <= count <= capacity. One mutex guards everything that
 * changes; two conditions tell of it: "not full" to those who put, "not empty" to those who take.
 *
 * A list is open until bounded_list_close(). From then on nothing goes in, and what is in it can
 * still be taken.
 *
 * All functions but new and free may be called by any number of threads at once.
 */
#ifndef STOCKBUS_PIPELINE_BOUNDED_LIST_H
#define STOCKBUS_PIPELINE_BOUNDED_LIST_H

#include <stdint.h>

#include "pipeline/reading.h"

enum {
    BOUNDED_LIST_CAPACITY_MAX = 1000000,
    BOUNDED_LIST_FOREVER = -1, /**< as a timeout: wait without a bound */
};

struct bounded_list;

/** What a list has seen; one consistent view. */
struct bounded_list_stats {
    int count;            /**< readings in it now */
    int count_max;        /**< the most there ever were */
    int parked;           /**< threads that sleep in put or take now */
    uint64_t full_waits;  /**< calls of put that found it full and were ready to wait */
    uint64_t empty_waits; /**< calls of take that found it empty and were ready to wait */
};

/**
 * Makes an empty list for `capacity` readings, 1 to BOUNDED_LIST_CAPACITY_MAX.
 *
 * Returns 0 with the list in `*list`, the caller's to free, or ERROR_MEMORY, also when
 * the system has no room for a lock.
 */
int
bounded_list_new(int capacity, struct bounded_list **list);

/** Frees the list and makes `*list` NULL; nothing if it is NULL. No thread may be using it. */
void
bounded_list_free(struct bounded_list **list);

/**
 * Adds up to `count` (at least 1) readings of `items`, in their order; waits while the list is
 * full.
 *
 * Blocks for at most `timeout_ms` (0: not at all; BOUNDED_LIST_FOREVER; no other negative number),
 * measured by the monotonic clock. Returns how many it added, 1 to `count`: as many as there was
 * room for; readings of others may come to stand before those it did not add. Returns ERROR_TIMEOUT
 * when there was no room in time, ERROR_CLOSED when the list is or becomes closed; then nothing was
 * added.
 */
int
bounded_list_put(
    struct bounded_list *list, const struct reading *items, int count, int64_t timeout_ms);

/**
 * Removes up to `wanted` (at least 1) readings into `items`, oldest first; waits while the list is
 * empty.
 *
 * Blocks for at most `timeout_ms` (0: not at all; BOUNDED_LIST_FOREVER; no other negative number),
 * measured by the monotonic clock. Returns how many it removed, 1 to `wanted`; ERROR_TIMEOUT when
 * nothing came in time, or ERROR_CLOSED when the list is closed and nothing is left in it.
 */
int
bounded_list_take(struct bounded_list *list, struct reading *items, int wanted, int64_t timeout_ms);

/**
 * Closes the list, once and for all, and wakes all who wait. Does not block for longer than the
 * lock is held. May be called again.
 */
void
bounded_list_close(struct bounded_list *list);

/** Looks at the list. */
void
bounded_list_look(struct bounded_list *list, struct bounded_list_stats *stats);

#endif
