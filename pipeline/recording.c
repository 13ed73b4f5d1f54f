#include "pipeline/recording.h"

#include "pipeline/monotonic.h"

#include <assert.h>
#include <errno.h>
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
    struct recording *recording;
    struct diagnostic *diagnostic;
    int error;
};

static void
remove_if_stale(void *context, const char *name)
{
    struct stale *stale = context;
    const struct recording_settings *settings = &stale->recording->settings;
    char path[FILES_PATH_SIZE];
    char expected[64];
    int number = 0;
    /* NOLINTNEXTLINE(cert-err34-c): at most nine digits, and the name is made again to compare */
    if (sscanf(name, "consumer-%9d.msgpack", &number) != 1 || number <= settings->consumers) {
        return;
    }
    snprintf(expected, sizeof expected, "consumer-%d.msgpack", number);
    if (strcmp(name, expected) != 0 || stale->error != 0) {
        return;
    }
    int error = files_join(path, sizeof path, settings->directory, name);
    if (error == 0) {
        error = files_remove(stale->recording->files, path);
    }
    if (error != 0) {
        stale->error = diagnostic_set(stale->diagnostic, error,
            "cannot remove %s/%s of an earlier recording: %s", settings->directory, name,
            error_text(error));
    }
}

/*
 * Files of consumers that an earlier recording had and this one has not would spoil its count.
 * Nobody writes them: who did would have consumer 1, which is ours.
 */
static int
remove_stale(struct recording *recording, struct diagnostic *diagnostic)
{
    const char *directory = recording->settings.directory;
    struct stale stale = {.recording = recording, .diagnostic = diagnostic};
    int error = files_list(recording->files, directory, remove_if_stale, &stale);
    if (error != 0) {
        return diagnostic_set(diagnostic, error, "cannot list the output directory %s: %s",
            directory, error_text(error));
    }
    return stale.error;
}

/* Opening a file would name the file; who named the directory wrong is to be told that. */
static int
check_directory(struct recording *recording, struct diagnostic *diagnostic)
{
    const char *path = recording->settings.directory;
    int fd = -1;
    int error = files_open(recording->files, path, O_RDONLY | O_DIRECTORY, &fd);
    if (error != 0) {
        return diagnostic_set(
            diagnostic, error, "cannot open the output directory %s: %s", path, error_text(error));
    }
    files_close(recording->files, &fd);
    return 0;
}

static int
open_files(struct recording *recording, struct diagnostic *diagnostic)
{
    const struct recording_settings *settings = &recording->settings;
    for (int i = 0; i < settings->consumers; i++) {
        struct consumer *consumer = &recording->consumers[i];
        char path[FILES_PATH_SIZE];
        int error = recording_path(path, sizeof path, settings->directory, i + 1);
        if (error != 0) {
            return diagnostic_set(diagnostic, error,
                "the path of the output directory has %zu bytes, more than its files may have: %s",
                strlen(settings->directory), settings->directory);
        }
        error = consumer_open(
            consumer, recording->list, recording->files, path, settings->idle_timeout_ms);
        if (error != 0) {
            return diagnostic_set(diagnostic, error, "%s", consumer->diagnostic.text);
        }
        recording->opened++;
    }
    return 0;
}

int
recording_open(struct recording *recording, const struct recording_settings *settings,
    struct files *files, struct diagnostic *diagnostic)
{
    *recording = (struct recording){.settings = *settings,
        .files = files,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .gate_moved = PTHREAD_COND_INITIALIZER};
    const size_t producers = (size_t)settings->producers;
    const size_t consumers = (size_t)settings->consumers;
    int error = bounded_list_new(settings->capacity, &recording->list);
    recording->producers = calloc(producers, sizeof *recording->producers);
    recording->consumers = calloc(consumers, sizeof *recording->consumers);
    recording->workers = calloc(producers + consumers, sizeof *recording->workers);
    if (error != 0 || recording->producers == NULL || recording->consumers == NULL ||
        recording->workers == NULL) {
        return diagnostic_set(diagnostic, ERROR_MEMORY,
            "cannot make a list of capacity %d for %d producers and %d consumers: %s",
            settings->capacity, settings->producers, settings->consumers, error_text(ERROR_MEMORY));
    }
    for (int i = 0; i < settings->producers; i++) {
        producer_init(&recording->producers[i], recording->list, settings->seed, (uint32_t)i + 1,
            settings->clock, settings->count);
    }
    error = check_directory(recording, diagnostic);
    return error != 0 ? error : open_files(recording, diagnostic);
}

/* Makes the directory that of this recording; what is in it of an earlier one is lost from here. */
static int
replace_earlier(struct recording *recording, struct diagnostic *diagnostic)
{
    const char *directory = recording->settings.directory;
    int error = remove_stale(recording, diagnostic);
    for (int i = 0; i < recording->opened && error == 0; i++) {
        error = reading_file_empty(&recording->consumers[i].file, diagnostic);
    }
    if (error != 0) {
        return error;
    }
    error = files_sync_directory(recording->files, directory);
    if (error != 0 && error != ERROR_INVALID) { /* what a file system says that cannot do it */
        return diagnostic_set(diagnostic, error,
            "cannot force the names in the output directory %s to the disk: %s", directory,
            error_text(error));
    }
    return 0;
}

/* Waits at the gate. Returns whether there is work to do. */
static bool
is_let_in(struct recording *recording)
{
    pthread_mutex_lock(&recording->lock);
    while (recording->gate == RECORDING_GATE_SHUT) {
        pthread_cond_wait(&recording->gate_moved, &recording->lock);
    }
    const bool is_open = recording->gate == RECORDING_GATE_OPEN;
    pthread_mutex_unlock(&recording->lock);
    return is_open;
}

static void
move_gate(struct recording *recording, enum recording_gate gate)
{
    pthread_mutex_lock(&recording->lock);
    recording->gate = gate;
    pthread_mutex_unlock(&recording->lock);
    pthread_cond_broadcast(&recording->gate_moved);
}

static void *
work(void *context)
{
    struct recording_worker *worker = context;
    struct recording *recording = worker->recording;
    if (!is_let_in(recording)) {
        return NULL;
    }
    if (worker->producer != NULL) {
        producer_run(worker->producer);
    } else {
        consumer_run(worker->consumer);
        if (atomic_fetch_sub(&recording->consuming, 1) == 1) {
            /* Nobody is left to take anything, so producers must not wait for room. */
            bounded_list_close(recording->list);
        }
        consumer_finish(worker->consumer);
    }
    if (atomic_fetch_sub(&recording->running, 1) == 1) {
        recording->finished(recording->context);
    }
    return NULL;
}

static int
start_worker(struct recording *recording, struct producer *producer, struct consumer *consumer,
    struct diagnostic *diagnostic)
{
    const struct recording_settings *settings = &recording->settings;
    struct recording_worker *worker = &recording->workers[recording->started];
    *worker = (struct recording_worker){
        .recording = recording, .producer = producer, .consumer = consumer};
    int failed = pthread_create(&worker->thread, NULL, work, worker);
    if (failed != 0) {
        /* Its EAGAIN means that there are too many threads, which no code of ours says. */
        return diagnostic_set(diagnostic, failed == ENOMEM ? ERROR_MEMORY : ERROR_IO,
            "cannot start thread %d of %d: %s", recording->started + 1,
            settings->producers + settings->consumers, strerror(failed));
    }
    recording->started++;
    return 0;
}

/* Starts all threads; they wait at the gate. */
static int
start_workers(struct recording *recording, struct diagnostic *diagnostic)
{
    const struct recording_settings *settings = &recording->settings;
    int error = 0;
    for (int i = 0; i < settings->producers && error == 0; i++) {
        error = start_worker(recording, &recording->producers[i], NULL, diagnostic);
    }
    for (int i = 0; i < settings->consumers && error == 0; i++) {
        error = start_worker(recording, NULL, &recording->consumers[i], diagnostic);
    }
    return error;
}

int
recording_start(struct recording *recording, recording_finished_fn *finished, void *context,
    struct diagnostic *diagnostic)
{
    const struct recording_settings *settings = &recording->settings;
    recording->finished = finished;
    recording->context = context;
    /* One more, so that it is not finished before all of it was started. */
    atomic_store(&recording->running, settings->producers + settings->consumers + 1);
    atomic_store(&recording->consuming, settings->consumers);

    int error = start_workers(recording, diagnostic);
    if (error == 0) {
        error = replace_earlier(recording, diagnostic);
    }
    recording->started_ns = monotonic_ns();
    move_gate(recording, error == 0 ? RECORDING_GATE_OPEN : RECORDING_GATE_GIVEN_UP);
    if (error != 0) {
        recording_join(recording);
        return error;
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
