/* Ours, through its public interface. TAKE is how many a consumer takes in one call. */
#include "harness.h"

#include "pipeline/bounded_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(sizeof(struct item) == sizeof(struct reading), "an item stands for a reading");

static struct bounded_list *list;

void
peer_open(int producers, int consumers, int capacity)
{
    (void)producers;
    (void)consumers;
    if (bounded_list_new(capacity, &list) != 0) {
        abort();
    }
}

void
peer_put(int number, const struct item *item)
{
    (void)number;
    struct reading reading;
    memcpy(&reading, item, sizeof reading);
    bounded_list_put(list, &reading, 1, BOUNDED_LIST_FOREVER);
}

int
peer_take(int number, struct item *items, int wanted)
{
    (void)number;
    (void)wanted;
    struct reading readings[TAKE];
    int got = bounded_list_take(list, readings, TAKE, BOUNDED_LIST_FOREVER);
    if (got < 0) {
        return 0;
    }
    memcpy(items, readings, (size_t)got * sizeof *items);
    return got;
}

void
peer_end(void)
{
    bounded_list_close(list);
}
