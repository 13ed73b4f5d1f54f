#include "broker/engine.h"

#include "broker/image.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    LACK_RETRY_MS = 1000,  /* what a client is told */
    LACK_RECHECK_MS = 100, /* how soon the disk is asked again */
    BATCH_OVERHEAD = 32,   /* bytes of a record's body besides its events */
};

struct engine {
    struct environment environment;
    struct store *store;
    struct ledger *ledger;
    struct ledger *scratch; /* for engine_upkeep(): that thread's alone */
    size_t batch_max;
    int lack;           /* why no journal could be begun, an error that may pass; 0: nothing */
    uint64_t lack_ms;   /* when that was */
    struct event event; /* the one at work */
    struct counters counters;
};

static uint64_t
read_clock(const struct engine *engine)
{
    return engine->environment.now_us != NULL ? engine->environment.now_us() : 0;
}

/* The fold of a store over a ledger. */

static void
fold_clear(void *state)
{
    ledger_clear(state);
}

static int
fold_load(void *state, const msgpack_object *body, struct diagnostic *diagnostic)
{
    return image_load(state, body, diagnostic);
}

/* Applies one record of the journal: [time, [event, ...]]. */
static int
fold_apply(void *state, uint64_t number, const msgpack_object *body, struct diagnostic *diagnostic)
{
    uint64_t time_ms;
    struct event event;
    if (!object_array(body, 2) || !object_uint(&body->via.array.ptr[0], 0, UINT64_MAX, &time_ms) ||
        !object_array(&body->via.array.ptr[1], 0)) {
        return diagnostic_set(diagnostic, ERROR_DAMAGED, "not a record of a broker's journal");
    }
    const msgpack_object_array *events = &body->via.array.ptr[1].via.array;
    int error = 0;
    for (uint32_t i = 0; error == 0 && i < events->size; i++) {
        error = event_decode(&events->ptr[i], &event, diagnostic);
        if (error == 0) {
            error = ledger_apply(state, &event, number, diagnostic);
        }
    }
    return error;
}

static int
fold_save(void *state, struct snapshot *snapshot)
{
    return image_save(state, snapshot);
}

struct store_fold
engine_fold(struct ledger *ledger)
{
    return (struct store_fold){"broker", ledger, fold_clear, fold_load, fold_apply, fold_save};
}

/* The most that a batch can take in the journal, in bytes. */
static size_t
batch_size_max(size_t batch_max)
{
    const struct request largest = {.line_count = ORDER_LINES_MAX};
    return BATCH_OVERHEAD + batch_max * event_size_max(&largest);
}

int64_t
engine_segment_size_min(size_t batch_max)
{
    return 2 * (int64_t)batch_size_max(batch_max);
}

/* Opens the store and starts it, with a new stock where the directory is new. */
static int
open_store(struct engine *engine, const struct engine_options *options, struct store_report *report,
    struct diagnostic *diagnostic)
{
    struct store_fold fold = engine_fold(engine->ledger);
    struct store_options store_options = {
        .segment_size = options->segment_size,
        .record_size_max = batch_size_max(options->batch_max) + 64,
    };
    assert(options->segment_size >= engine_segment_size_min(options->batch_max));
    engine->environment.random(store_options.history_new, sizeof store_options.history_new);
    int error = store_open(&engine->store, engine->environment.files, options->directory, &fold,
        &store_options, report, diagnostic);
    if (error == 0 && report->is_new) {
        error = options->fill(options->fill_context, &engine->ledger->stock, diagnostic);
    }
    if (error == 0) {
        error = store_start(engine->store, diagnostic);
    }
    return error;
}

int
engine_open(struct engine **result, const struct environment *environment,
    const struct engine_options *options, struct store_report *report,
    struct diagnostic *diagnostic)
{
    struct engine *engine = calloc(1, sizeof *engine);
    int error = ERROR_MEMORY;
    if (engine != NULL) {
        engine->environment = *environment;
        engine->batch_max = options->batch_max;
        engine->ledger = ledger_new(&options->limits);
        engine->scratch = ledger_new(&options->limits);
    }
    if (engine == NULL || engine->ledger == NULL || engine->scratch == NULL) {
        diagnostic_set(diagnostic, error, "out of memory");
    } else {
        error = open_store(engine, options, report, diagnostic);
    }
    if (error != 0) {
        (void)engine_close(&engine, false, NULL);
        return error;
    }
    counters_init(&engine->counters, read_clock(engine)); /* reading the journal is not serving */
    *result = engine;
    return 0;
}

struct ledger *
engine_ledger(struct engine *engine)
{
    return engine->ledger;
}

struct counters *
engine_counters(struct engine *engine)
{
    return &engine->counters;
}

bool
engine_may_change(const struct request *request)
{
    return request->operation != OPERATION_PING && request->operation != OPERATION_VIEW &&
           request->operation != OPERATION_STATS;
}

/*
 * Sees to it that the events of the batch will fit the journal. Returns 0, an error that may pass,
 * or one that is final. What was lacking is not asked for again at every turn.
 */
static int
reserve(struct engine *engine, struct exchange *const *exchanges, size_t count, uint64_t now_ms)
{
    size_t size = BATCH_OVERHEAD;
    for (size_t i = 0; i < count; i++) {
        if (engine_may_change(&exchanges[i]->request)) {
            size += event_size_max(&exchanges[i]->request);
        }
    }
    if (size == BATCH_OVERHEAD) {
        return 0;
    }
    if (engine->lack != 0 && now_ms >= engine->lack_ms &&
        now_ms - engine->lack_ms < LACK_RECHECK_MS) {
        return engine->lack;
    }
    int error = store_reserve(engine->store, size);
    engine->lack = error_may_pass(error) ? error : 0;
    engine->lack_ms = now_ms;
    return error;
}

/* Lends the counters to a reply, with what they do not count but can be looked up. */
static void
tell_stats(struct engine *engine, struct reply *reply)
{
    struct store_extent extent = store_measure(engine->store);
    uint64_t *numbers = engine->counters.stats.numbers;
    numbers[STATS_UPTIME_MS] = (read_clock(engine) - engine->counters.began_us) / 1000;
    numbers[STATS_SESSIONS] = engine->ledger->sessions.count;
    numbers[STATS_JOURNAL] = extent.generation;
    numbers[STATS_JOURNAL_BYTES] = extent.journal_size;
    numbers[STATS_SNAPSHOT] = extent.snapshot_generation;
    reply->stats = &engine->counters.stats;
}

/*
 * Decides one request; its event, if any, is packed and applied. Without `room` (0) for events the
 * request is put off where it has one: what changes nothing is answered all the same, as are orders
 * whose outcome is remembered.
 */
static int
decide(struct engine *engine, struct exchange *exchange, int room, msgpack_packer *packer,
    uint16_t *event_count, struct diagnostic *diagnostic)
{
    struct facts facts = {.position = store_position(engine->store) + 1, .page = exchange->page};
    if (exchange->request.operation == OPERATION_LOGIN) {
        engine->environment.random(facts.token, sizeof facts.token);
    }
    bool changes =
        ledger_decide(engine->ledger, &exchange->request, &facts, &exchange->reply, &engine->event);
    sodium_memzero(facts.token, sizeof facts.token);
    if (!changes) {
        if (exchange->request.operation == OPERATION_STATS && exchange->reply.status == STATUS_OK) {
            tell_stats(engine, &exchange->reply);
        }
        return 0;
    }
    if (room != 0) {
        exchange->reply = (struct reply){
            .status = room == ERROR_NO_SPACE ? STATUS_NO_SPACE : STATUS_BUSY,
            .retry_ms = LACK_RETRY_MS,
        };
        return 0;
    }
    event_encode(packer, &engine->event);
    ++*event_count;
    return ledger_apply(engine->ledger, &engine->event, facts.position, diagnostic);
}

/*
 * Begins the record of a batch. The count of events is not known yet: an array 16 whose two bytes
 * of length are written by finish_record().
 */
static msgpack_packer *
begin_record(struct engine *engine, uint64_t now_ms, size_t *count_at)
{
    msgpack_packer *packer = store_begin(engine->store);
    msgpack_pack_array(packer, 2);
    msgpack_pack_uint64(packer, now_ms);
    struct buffer *record = packer->data;
    *count_at = record->size + 1;
    (void)buffer_append(record, "\xdc\0\0", 3);
    return packer;
}

static int
finish_record(struct engine *engine, msgpack_packer *packer, size_t count_at, uint16_t event_count)
{
    struct buffer *record = packer->data;
    record->data[count_at] = (unsigned char)(event_count >> 8);
    record->data[count_at + 1] = (unsigned char)event_count;
    int error = store_append(engine->store);
    if (error == 0) {
        uint64_t begin_us = read_clock(engine);
        error = store_sync(engine->store);
        counters_sync(&engine->counters, event_count, read_clock(engine) - begin_us);
    }
    return error;
}

int
engine_apply(struct engine *engine, struct exchange *const *exchanges, size_t count,
    struct diagnostic *diagnostic)
{
    assert(count <= engine->batch_max);
    uint64_t now_ms = engine->environment.now_ms();
    int room = reserve(engine, exchanges, count, now_ms);
    if (room != 0 && !error_may_pass(room)) {
        return diagnostic_set(diagnostic, room, "beginning another journal: %s", error_text(room));
    }
    size_t count_at = 0;
    uint16_t event_count = 0;
    msgpack_packer *packer = begin_record(engine, now_ms, &count_at);
    for (size_t i = 0; i < count; i++) {
        int error = decide(engine, exchanges[i], room, packer, &event_count, diagnostic);
        if (error != 0) {
            return error;
        }
    }
    if (event_count > 0) {
        int error = finish_record(engine, packer, count_at, event_count);
        if (error != 0) {
            return diagnostic_set(diagnostic, error, "writing the journal: %s", error_text(error));
        }
    }
    for (size_t i = 0; i < count; i++) {
        engine_stamp(engine, &exchanges[i]->reply);
    }
    return 0;
}

void
engine_stamp(const struct engine *engine, struct reply *reply)
{
    memcpy(reply->history, store_history(engine->store), sizeof reply->history);
    if (reply->position == 0) {
        reply->position = store_position(engine->store);
    }
}

bool
engine_wants_upkeep(const struct engine *engine)
{
    return store_wants_upkeep(engine->store);
}

int
engine_upkeep(struct engine *engine, struct diagnostic *diagnostic)
{
    struct store_fold scratch = engine_fold(engine->scratch);
    return store_upkeep(engine->store, &scratch, diagnostic);
}

int
engine_close(struct engine **result, bool keep, struct diagnostic *diagnostic)
{
    struct engine *engine = *result;
    int error = 0;
    if (engine != NULL) {
        error = store_close(&engine->store, keep, diagnostic);
        ledger_free(&engine->ledger);
        ledger_free(&engine->scratch);
        free(engine);
        *result = NULL;
    }
    return error;
}
