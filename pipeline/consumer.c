#include "pipeline/consumer.h"

#include "pipeline/monotonic.h"

enum {
    BATCH = 128, /* readings taken under one lock: the fewer locks, the less the threads meet */

    /* A file lags behind the list by no more than this when readings are rare. */
    FLUSH_AFTER_MS = 10,
};

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

/* The first part of the idle timeout, which nobody is told of. */
static int64_t
soon_ms(const struct consumer *consumer)
{
    return consumer->idle_timeout_ms < FLUSH_AFTER_MS ? consumer->idle_timeout_ms : FLUSH_AFTER_MS;
}

/* Takes readings as bounded_list_take() does, for the rest of the idle timeout, and shows it. */
static int
take_late(struct consumer *consumer, struct reading *items, int wanted, int64_t idle_since_ns)
{
    const int64_t rest_ms = consumer->idle_timeout_ms - soon_ms(consumer);
    if (rest_ms == 0) {
        return ERROR_TIMEOUT;
    }
    atomic_store_explicit(&consumer->idle_since_ns, idle_since_ns, memory_order_relaxed);
    int got = bounded_list_take(consumer->list, items, wanted, rest_ms);
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
        const int wanted = room < BATCH ? room : BATCH;
        int got = bounded_list_take(consumer->list, items, wanted, soon_ms(consumer));
        if (got == ERROR_TIMEOUT) {
            const int64_t idle_since_ns = monotonic_ns() - soon_ms(consumer) * 1000000;
            consumer->error = flush(consumer);
            if (consumer->error != 0) {
                return;
            }
            got = take_late(consumer, items, wanted, idle_since_ns);
        }
        if (got < 0) {
            return; /* idle for too long, or closed */
        }
        for (int i = 0; i < got; i++) {
            reading_file_append(&consumer->file, &items[i]);
        }
    }
}

void
consumer_finish(struct consumer *consumer)
{
    if (consumer->error == 0) {
        consumer->error = flush(consumer);
    }
    /* A failure that came first is the one to tell. */
    struct diagnostic *diagnostic = consumer->error == 0 ? &consumer->diagnostic : NULL;
    int error = reading_file_finish(&consumer->file, diagnostic);
    if (consumer->error == 0) {
        consumer->error = error;
    }
}

void
consumer_close(struct consumer *consumer)
{
    reading_file_close(&consumer->file);
}
