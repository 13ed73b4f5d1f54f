/* GLib's GAsyncQueue: pointers, no bound; so each item has its own memory. */
#include "harness.h"

#include <glib.h>

static GAsyncQueue *queue;
static struct item last; /* its address tells a consumer to end */
static int consumer_count;

void
peer_open(int producers, int consumers, int capacity)
{
    (void)producers;
    (void)capacity;
    consumer_count = consumers;
    queue = g_async_queue_new();
}

void
peer_put(int number, const struct item *item)
{
    (void)number;
    struct item *copy = g_new(struct item, 1);
    *copy = *item;
    g_async_queue_push(queue, copy);
}

int
peer_take(int number, struct item *item, int wanted)
{
    (void)number;
    (void)wanted;
    struct item *taken = g_async_queue_pop(queue);
    if (taken == &last) {
        return 0;
    }
    *item = *taken;
    g_free(taken);
    return 1;
}

void
peer_end(void)
{
    for (int i = 0; i < consumer_count; i++) {
        g_async_queue_push(queue, &last);
    }
}
