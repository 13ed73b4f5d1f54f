#include "pipeline/consumer.h"

#include <time.h>

enum {
    BATCH = 128, /* readings taken under one lock: the fewer locks, the less the threads meet */

    /* A file lags behind the list by no more than this when readings are rare. */
    FLUSH_AFTER_MS = 10,
};

int64_t
monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int
consumer_open(struct consumer *consumer, struct bounded_list *list, struct files *files,
    const char *path, int64_t idle_timeout_ms)
{
    *consumer = (struct consumer){.list = list, .idle_timeout_ms = idle_timeout_ms};
    consumer->error = reading_file_open(&consumer->file, files, path, &consumer->diagnostic);
    return consumer->error;
}

/* Notes the time if the file has grown since it had `count` readings. */
static void
note_written(struct consumer *consumer, uint64_t count)
{
    if (atomic_load_explicit(&consumer->file.count, memory_order_relaxed) != count) {
        atomic_store_explicit(&consumer->written_ns, monotonic_ns(), memory_order_relaxed);
    }
}

static int
flush(struct consumer *consumer)
{
    const uint64_t count = atomic_load_explicit(&consumer->file.count, memory_order_relaxed);
    int error = reading_file_flush(&consumer->file, &consumer->diagnostic);
    note_written(consumer, count);
    return error;
}

static int
prepare(struct consumer *consumer, int *room)
{
    const uint64_t count = atomic_load_explicit(&consumer->file.count, memory_order_relaxed);
    int error = reading_file_prepare(&consumer->file, room, &consumer->diagnostic);
    note_written(consumer, count);
    return error;
}

/*
 * Takes readings as bounded_list_take() does, with the idle timeout; writes the file before it
 * waits for long.
 */
static int
take(struct consumer *consumer, struct reading *items, int wanted)
{
    const int64_t soon_ms =
        consumer->idle_timeout_ms < FLUSH_AFTER_MS ? consumer->idle_timeout_ms : FLUSH_AFTER_MS;
    int got = bounded_list_take(consumer->list, items, wanted, soon_ms);
    if (got != ERROR_TIMEOUT || soon_ms == consumer->idle_timeout_ms) {
        return got;
    }
    int64_t idle_since_ns = monotonic_ns() - soon_ms * 1000000;
    int error = flush(consumer);
    if (error != 0) {
        consumer->error = error;
        return error;
    }
    atomic_store_explicit(&consumer->idle_since_ns, idle_since_ns, memory_order_relaxed);
    got = bounded_list_take(consumer->list, items, wanted, consumer->idle_timeout_ms - soon_ms);
    atomic_store_explicit(&consumer->idle_since_ns, 0, memory_order_relaxed);
    return got;
}

void
consumer_run(struct consumer *consumer)
{
    struct reading items[BATCH];
    for (;;) {
        int room = 0;
        consumer->error = prepare(consumer, &room);
        if (consumer->error != 0) {
            return;
        }
        int got = take(consumer, items, room < BATCH ? room : BATCH);
        if (got < 0) {
            return; /* idle for too long, closed, or a failure that take() has noted */
        }
        for (int i = 0; i < got; i++) {
            reading_file_append(&consumer->file, &items[i]);
        }
    }
}

int
consumer_close(struct consumer *consumer)
{
    if (consumer->error == 0) {
        consumer->error = flush(consumer);
    }
    /* A failure that came first is the one to tell. */
    struct diagnostic *diagnostic = consumer->error == 0 ? &consumer->diagnostic : NULL;
    int error = reading_file_close(&consumer->file, diagnostic);
    if (consumer->error == 0) {
        consumer->error = error;
    }
    return consumer->error;
}
