// moodycamel's BlockingConcurrentQueue: no bound, and no order between producers.
#include "harness.h"

#include <atomic>
#include <concurrentqueue/blockingconcurrentqueue.h>

static moodycamel::BlockingConcurrentQueue<item> queue;
static std::atomic<bool> ended;

void
peer_open(int, int, int)
{
}

void
peer_put(int, const item *put)
{
    queue.enqueue(*put);
}

int
peer_take(int, item *taken, int)
{
    // There is no order, so an item that says "end" could overtake others: look instead.
    while (!queue.wait_dequeue_timed(*taken, 1000)) {
        if (ended && queue.size_approx() == 0) {
            return 0;
        }
    }
    return 1;
}

void
peer_end()
{
    ended = true;
}
