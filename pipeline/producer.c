#include "pipeline/producer.h"

void
producer_init(struct producer *producer, struct bounded_list *list, uint64_t seed, uint32_t number,
    enum reading_clock clock, uint64_t wanted)
{
    *producer = (struct producer){.list = list, .wanted = wanted};
    reading_source_init(&producer->source, seed, number, clock);
}

void
producer_run(struct producer *producer)
{
    struct reading reading;
    for (uint64_t made = 0; made < producer->wanted; made++) {
        reading_source_next(&producer->source, &reading);
        /* One at a time: a reading that waits for others of its batch would be late. */
        if (bounded_list_put(producer->list, &reading, 1, BOUNDED_LIST_FOREVER) < 0) {
            break; /* closed */
        }
        atomic_store_explicit(&producer->made, made + 1, memory_order_relaxed);
    }
}
