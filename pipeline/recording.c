#include "pipeline/recording.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One thread and what it works on: one of the two. */
struct recording_worker {
    pthread_t thread;
    struct recording *recording;
    struct producer *producer;
    struct consumer *consumer;
};

int
recording_path(char *path, size_t path_size, const char *directory, int number)
{
    char name[64];
    snprintf(name, sizeof name, "consumer-%d.msgpack", number);
    return files_join(path, path_size, directory, name);
}

/* What remove_stale() hands to the walk over the directory. */
struct stale {
    struct files *files;
    const struct recording_settings *settings;
    int error;
};

static void
remove_if_stale(void *context, const char *name)
{
    struct stale *stale = context;
    char path[FILES_PATH_SIZE];
    char expected[64];
    int number = 0;
    if (sscanf(name, "consumer-%9d.msgpack", &number) != 1 ||
        number <= stale->settings->consumers) {
        return;
    }
    snprintf(expected, sizeof expected, "consumer-%d.msgpack", number);
    if (strcmp(name, expected) != 0 || stale->error != 0) {
        return;
    }
    stale->error = files_join(path, sizeof path, stale->settings->directory, name);
    if (stale->error == 0) {
        stale->error = files_remove(stale->files, path);
    }
}

/* Files of consumers that an earlier recording had and this one has not would spoil its count. */
static int
remove_stale(
    struct files *files, const struct recording_settings *settings, struct diagnostic *diagnostic)
{
    struct stale stale = {.files = files, .settings = settings};
    int error = files_list(files, settings->directory, remove_if_stale, &stale);
    if (error == 0) {
        error = stale.error;
    }
    if (error != 0) {
        return diagnostic_set(diagnostic, error,
            "cannot remove the files of an earlier recording in %s: %s", settings->directory,
            error_text(error));
    }
    return 0;
}

static int
open_files(struct recording *recording, struct files *files, struct diagnostic *diagnostic)
{
    const struct recording_settings *settings = &recording->settings;
    char path[FILES_PATH_SIZE];
    int directory = -1;
    int error = files_open(files, settings->directory, O_RDONLY | O_DIRECTORY, &directory);
    if (error != 0) {
        return diagnostic_set(diagnostic, error, "cannot open the output directory %s: %s",
            settings->directory, error_text(error));
    }
    files_close(files, &directory);

    for (int i = 0; i < settings->consumers; i++) {
        struct consumer *consumer = &recording->consumers[i];
        error = recording_path(path, sizeof path, settings->directory, i + 1);
        if (error != 0) {
            return diagnostic_set(
                diagnostic, error, "the path of the output directory is too long");
        }
        error = consumer_open(consumer, recording->list, files, path, settings->idle_timeout_ms);
        if (error != 0) {
            return diagnostic_set(diagnostic, error, "%s", consumer->diagnostic.text);
        }
        recording->opened++;
    }
    return remove_stale(files, settings, diagnostic);
}

int
recording_open(struct recording *recording, const struct recording_settings *settings,
    struct files *files, struct diagnostic *diagnostic)
{
    *recording = (struct recording){.settings = *settings};
    const size_t producers = (size_t)settings->producers;
    const size_t consumers = (size_t)settings->consumers;
    int error = bounded_list_new(settings->capacity, &recording->list);
    recording->producers = calloc(producers, sizeof *recording->producers);
    recording->consumers = calloc(consumers, sizeof *recording->consumers);
    recording->workers = calloc(producers + consumers, sizeof *recording->workers);
    if (error != 0 || recording->producers == NULL || recording->consumers == NULL ||
        recording->workers == NULL) {
        return diagnostic_set(diagnostic, ERROR_MEMORY, "%s", error_text(ERROR_MEMORY));
    }
    for (int i = 0; i < settings->producers; i++) {
        producer_init(&recording->producers[i], recording->list, settings->seed, (uint32_t)i + 1,
            settings->clock, settings->count);
    }
    return open_files(recording, files, diagnostic);
}

static void *
work(void *context)
{
    struct recording_worker *worker = context;
    struct recording *recording = worker->recording;
    if (worker->producer != NULL) {
        producer_run(worker->producer);
    } else {
        consumer_run(worker->consumer);
        if (atomic_fetch_sub(&recording->consuming, 1) == 1) {
            /* Nobody is left to take anything, so producers must not wait for room. */
            bounded_list_close(recording->list);
        }
        consumer_close(worker->consumer);
    }
    /* After the last one's call `recording` may be gone. */
    recording_finished_fn *finished = recording->finished;
    void *finished_context = recording->context;
    if (atomic_fetch_sub(&recording->running, 1) == 1) {
        finished(finished_context);
    }
    return NULL;
}

static int
start_worker(struct recording *recording, struct producer *producer, struct consumer *consumer)
{
    struct recording_worker *worker = &recording->workers[recording->started];
    *worker = (struct recording_worker){
        .recording = recording, .producer = producer, .consumer = consumer};
    int failed = pthread_create(&worker->thread, NULL, work, worker);
    if (failed != 0) {
        return error_from_errno(failed);
    }
    recording->started++;
    return 0;
}

int
recording_start(struct recording *recording, recording_finished_fn *finished, void *context,
    struct diagnostic *diagnostic)
{
    const struct recording_settings *settings = &recording->settings;
    recording->finished = finished;
    recording->context = context;
    recording->started_ns = monotonic_ns();
    /* One more, so that it is not finished before all of it was started. */
    atomic_store(&recording->running, settings->producers + settings->consumers + 1);
    atomic_store(&recording->consuming, settings->consumers);

    int error = 0;
    /* Producers first: the idle time of a consumer begins with its thread. */
    for (int i = 0; i < settings->producers && error == 0; i++) {
        error = start_worker(recording, &recording->producers[i], NULL);
    }
    for (int i = 0; i < settings->consumers && error == 0; i++) {
        error = start_worker(recording, NULL, &recording->consumers[i]);
    }
    if (error != 0) {
        int started = recording->started;
        recording_stop(recording);
        recording_join(recording);
        return diagnostic_set(diagnostic, error, "cannot start thread %d of %d", started + 1,
            settings->producers + settings->consumers);
    }
    if (atomic_fetch_sub(&recording->running, 1) == 1) {
        finished(context);
    }
    return 0;
}

void
recording_stop(struct recording *recording)
{
    bounded_list_close(recording->list);
}

bool
recording_is_finished(const struct recording *recording)
{
    return atomic_load(&recording->running) == 0;
}

void
recording_join(struct recording *recording)
{
    for (int i = 0; i < recording->started; i++) {
        int error = pthread_join(recording->workers[i].thread, NULL);
        assert(error == 0);
        (void)error;
    }
    recording->started = 0;
    recording->ended_ns = monotonic_ns();
}

void
recording_add_up(struct recording *recording, struct recording_totals *totals)
{
    const struct recording_settings *settings = &recording->settings;
    const int64_t end_ns = recording->ended_ns != 0 ? recording->ended_ns : monotonic_ns();
    int64_t written_ns = recording->started_ns;
    struct recording_totals result = {.wall_ns = end_ns - recording->started_ns};

    for (int i = 0; i < settings->consumers; i++) {
        struct consumer *consumer = &recording->consumers[i];
        result.written += atomic_load_explicit(&consumer->file.count, memory_order_relaxed);
        int64_t last_ns = atomic_load_explicit(&consumer->written_ns, memory_order_relaxed);
        if (last_ns > written_ns) {
            written_ns = last_ns;
        }
        if (recording->ended_ns != 0) {
            result.lost += consumer->file.lost;
        }
    }
    for (int i = 0; i < settings->producers; i++) {
        result.made += atomic_load_explicit(&recording->producers[i].made, memory_order_relaxed);
    }
    bounded_list_look(recording->list, &result.list);
    result.active_ns = written_ns - recording->started_ns;
    *totals = result;
}

bool
recording_is_idle(struct recording *recording, int64_t *left_ms)
{
    const int64_t now_ns = monotonic_ns();
    int64_t longest_ms = 0;
    int idle = 0;
    for (int i = 0; i < recording->settings.consumers; i++) {
        struct consumer *consumer = &recording->consumers[i];
        int64_t since_ns = atomic_load_explicit(&consumer->idle_since_ns, memory_order_relaxed);
        if (since_ns == 0) {
            continue;
        }
        int64_t left = consumer->idle_timeout_ms - (now_ns - since_ns) / 1000000;
        longest_ms = left > longest_ms ? left : longest_ms;
        idle++;
    }
    if (idle == 0 || idle < atomic_load(&recording->consuming)) {
        return false;
    }
    *left_ms = longest_ms;
    return true;
}

void
recording_close(struct recording *recording)
{
    assert(recording->started == 0);
    for (int i = 0; i < recording->opened; i++) {
        consumer_close(&recording->consumers[i]);
    }
    free(recording->workers);
    free(recording->consumers);
    free(recording->producers);
    bounded_list_free(&recording->list);
    *recording = (struct recording){0};
}
