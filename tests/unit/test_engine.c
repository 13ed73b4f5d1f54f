#include "support/scratch.h"

#include "broker/engine.h"

enum {
    BATCH_MAX = 4,
    TISSUES = 36
};

static unsigned char next_random = 1;
static struct files files; /* the system's, with its syncs counted */
static int syncs;
static struct exchange *exchange;

static int
counted_fdatasync(struct files *table, int fd)
{
    syncs++;
    return files_system()->fdatasync(table, fd);
}

static void
count_up(void *data, size_t size)
{
    memset(data, next_random++, size);
}

static uint64_t
no_time(void)
{
    return 1000;
}

static uint64_t clock_us = 1000000;

static uint64_t
read_clock(void)
{
    return clock_us;
}

static int
fill(void *context, struct stock *stock, struct diagnostic *diagnostic)
{
    (void)context;
    (void)diagnostic;
    clock_us += 5000000; /* that takes its time */
    return stock_add(stock, TISSUES, "Tissues", 7, 100);
}

static struct engine *
open_engine(const char *directory)
{
    const struct environment environment = {&files, count_up, no_time, read_clock};
    const struct engine_options options = {
        .directory = directory,
        .segment_size = engine_segment_size_min(BATCH_MAX),
        .batch_max = BATCH_MAX,
        .limits = {100, 100},
        .fill = fill,
    };
    struct engine *engine = NULL;
    struct store_report report;
    struct diagnostic diagnostic = {""};
    if (engine_open(&engine, &environment, &options, &report, &diagnostic) != 0) {
        fail_msg("%s", diagnostic.text);
    }
    assert_int_equal(ledger_permit(engine_ledger(engine), "north", false), 0);
    return engine;
}

static enum status
apply(struct engine *engine)
{
    assert_int_equal(engine_apply(engine, &exchange, 1, NULL), 0);
    return exchange->reply.status;
}

static void
log_in(struct engine *engine)
{
    memset(&exchange->request, 0, sizeof exchange->request);
    exchange->request.operation = OPERATION_LOGIN;
    snprintf(exchange->request.user, sizeof exchange->request.user, "north");
    assert_int_equal(apply(engine), STATUS_OK);
    exchange->request.session = exchange->reply.session;
    memcpy(exchange->request.token, exchange->reply.token, TOKEN_SIZE);
}

static enum status
buy(struct engine *engine, uint64_t order, uint64_t units)
{
    exchange->request.operation = OPERATION_BUY;
    exchange->request.order = order;
    exchange->request.line_count = 1;
    exchange->request.lines[0] = (struct line){TISSUES, units};
    return apply(engine);
}

static size_t
encode(const struct reply *reply, unsigned char *bytes)
{
    struct buffer buffer;
    buffer_init(&buffer, bytes, MESSAGE_SIZE_MAX);
    reply_encode(&buffer, reply);
    return buffer.size;
}

static void
it_is_up_from_when_it_can_serve(void **state)
{
    uint64_t before_us = clock_us;
    struct engine *engine = open_engine(*state);
    assert_int_equal(clock_us, before_us + 5000000);
    assert_int_equal(engine_counters(engine)->began_us, before_us + 5000000);
    assert_int_equal(engine_close(&engine, false, NULL), 0);
}

/* However the engine ends, what it answered is there again, and so are the bytes of the answer. */
static void
check_restart(const char *directory, bool keep)
{
    static unsigned char before[MESSAGE_SIZE_MAX];
    static unsigned char after[MESSAGE_SIZE_MAX];
    struct engine *engine = open_engine(directory);
    log_in(engine);
    assert_int_equal(buy(engine, 1, 5), STATUS_OK);
    assert_int_equal(buy(engine, 2, 1000), STATUS_INSUFFICIENT_STOCK);
    size_t size = encode(&exchange->reply, before);
    assert_int_equal(engine_close(&engine, keep, NULL), 0);

    engine = open_engine(directory);
    assert_int_equal(ledger_units(engine_ledger(engine)), 95);
    assert_int_equal(buy(engine, 2, 1000), STATUS_INSUFFICIENT_STOCK);
    assert_int_equal(encode(&exchange->reply, after), size);
    assert_memory_equal(before, after, size);
    assert_int_equal(buy(engine, 1, 5), STATUS_ORDER_STALE);
    assert_int_equal(buy(engine, 3, 5), STATUS_OK);
    assert_int_equal(engine_close(&engine, keep, NULL), 0);

    engine = open_engine(directory);
    assert_int_equal(ledger_units(engine_ledger(engine)), 90);
    assert_int_equal(engine_close(&engine, keep, NULL), 0);
}

static void
answers_survive_a_kill(void **state)
{
    check_restart(*state, false);
}

static void
answers_survive_an_orderly_end(void **state)
{
    check_restart(*state, true);
}

static void
one_sync_covers_a_batch_and_a_view_costs_none(void **state)
{
    struct exchange *batch[BATCH_MAX];
    struct engine *engine = open_engine(*state);
    log_in(engine);
    for (size_t i = 0; i < BATCH_MAX; i++) {
        batch[i] = calloc(1, sizeof *batch[i]);
        *batch[i] = *exchange;
        batch[i]->request.operation = OPERATION_BUY;
        batch[i]->request.order = i + 1;
        batch[i]->request.line_count = 1;
        batch[i]->request.lines[0] = (struct line){TISSUES, 1};
    }
    syncs = 0;
    uint64_t position = exchange->reply.position;
    assert_int_equal(engine_apply(engine, batch, BATCH_MAX, NULL), 0);
    assert_int_equal(syncs, 1);
    for (size_t i = 0; i < BATCH_MAX; i++) {
        assert_int_equal(batch[i]->reply.status, STATUS_OK);
        /* One record holds them all. */
        assert_int_equal(batch[i]->reply.position, position + 1);
        batch[i]->request.operation = OPERATION_VIEW;
        batch[i]->request.line_count = 0;
    }
    assert_int_equal(engine_apply(engine, batch, BATCH_MAX, NULL), 0);
    assert_int_equal(syncs, 1);
    assert_int_equal(batch[0]->reply.position, position + 1);
    assert_int_equal(batch[0]->reply.items[0].units, 96);
    for (size_t i = 0; i < BATCH_MAX; i++) {
        free(batch[i]);
    }
    assert_int_equal(engine_close(&engine, false, NULL), 0);
}

static int
setup(void **state)
{
    files = *files_system();
    files.fdatasync = counted_fdatasync;
    exchange = calloc(1, sizeof *exchange);
    return exchange == NULL ? -1 : scratch_setup(state);
}

static int
teardown(void **state)
{
    free(exchange);
    return scratch_teardown(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_up_from_when_it_can_serve, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_survive_a_kill, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_survive_an_orderly_end, setup, teardown),
        cmocka_unit_test_setup_teardown(
            one_sync_covers_a_batch_and_a_view_costs_none, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
