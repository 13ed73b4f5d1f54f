// oneTBB's concurrent_bounded_queue.
#include "harness.h"

#include <tbb/concurrent_queue.h>

static tbb::concurrent_bounded_queue<item> queue;
static int consumer_count;

void
peer_open(int, int consumers, int capacity)
{
    consumer_count = consumers;
    queue.set_capacity(capacity);
}

void
peer_put(int, const item *put)
{
    queue.push(*put);
}

int
peer_take(int, item *taken, int)
{
    queue.pop(*taken);
    return taken->words[0] == UINT64_MAX ? 0 : 1;
}

void
peer_end()
{
    item last = {{UINT64_MAX}};
    for (int i = 0; i < consumer_count; i++) {
        queue.push(last);
    }
}
