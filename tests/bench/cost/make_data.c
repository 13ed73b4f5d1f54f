/*
 * Makes the data directory of a broker, through the broker's own engine but without waiting for the
 * disk, and tells what its records took.
 *
 * usage: make_data DIRECTORY ITEMS SESSIONS ORDERS SEGMENT_MIB
 *
 * SESSIONS are opened, each with one order behind it; then come ORDERS of one line, each a record
 * of its own. Prints a JSON object.
 */
#include "broker/engine.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char user[] = "load";
static const uint64_t units = 1000000000000;

static uint64_t items;
static uint8_t token[TOKEN_SIZE];

_Noreturn static void
die(const char *what)
{
    fprintf(stderr, "make_data: %s\n", what);
    exit(1);
}

static int
sync_nothing(struct files *files, int fd)
{
    (void)files;
    (void)fd;
    return 0;
}

static void
draw(void *data, size_t size)
{
    randombytes_buf(data, size);
}

static uint64_t
now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t
now_ms(void)
{
    return now_ns() / 1000000;
}

/* UPC number `i`; as load_upc() in tests/bench/bus/load.c. */
static uint64_t
upc_of(uint64_t i)
{
    uint64_t upc = (10000000000 + i) * 10;
    while (!upc_is_valid(upc)) {
        upc++;
    }
    return upc;
}

static int
fill(void *context, struct stock *stock, struct diagnostic *diagnostic)
{
    (void)context;
    (void)diagnostic;
    int error = 0;
    for (uint64_t i = 0; error == 0 && i < items; i++) {
        char name[32];
        int size = snprintf(name, sizeof name, "Item %" PRIu64, i + 1);
        error = stock_add(stock, upc_of(i), name, (size_t)size, units);
    }
    return error;
}

static void
apply(struct engine *engine, struct exchange *exchange)
{
    struct diagnostic diagnostic;
    if (engine_apply(engine, &exchange, 1, &diagnostic) != 0) {
        die(diagnostic.text);
    }
    if (exchange->reply.status != STATUS_OK) {
        die(status_word(exchange->reply.status));
    }
}

static void
log_in(struct engine *engine, struct exchange *exchange)
{
    exchange->request = (struct request){.operation = OPERATION_LOGIN};
    memcpy(exchange->request.user, user, sizeof user);
    apply(engine, exchange);
    exchange->request.session = exchange->reply.session;
    memcpy(token, exchange->reply.token, sizeof token);
}

static void
buy(struct engine *engine, struct exchange *exchange, uint64_t order)
{
    exchange->request.operation = OPERATION_BUY;
    exchange->request.order = order;
    memcpy(exchange->request.token, token, sizeof token);
    exchange->request.line_count = 1;
    exchange->request.lines[0] = (struct line){upc_of(order % items), 1};
    apply(engine, exchange);
}

int
main(int argc, char **argv)
{
    if (argc != 6 || sodium_init() < 0) {
        die("usage: make_data DIRECTORY ITEMS SESSIONS ORDERS SEGMENT_MIB");
    }
    struct files files = *files_system();
    files.fdatasync = sync_nothing;
    files.fsync = sync_nothing;
    const struct environment environment = {&files, draw, now_ms, NULL};
    uint64_t sessions = strtoull(argv[3], NULL, 10);
    uint64_t orders = strtoull(argv[4], NULL, 10);
    items = strtoull(argv[2], NULL, 10);
    const struct engine_options engine_options = {
        .directory = argv[1],
        .segment_size = strtoll(argv[5], NULL, 10) * 1024 * 1024,
        .batch_max = 64,
        .limits = {UINT32_MAX, UINT32_MAX},
        .fill = fill,
    };
    struct engine *engine = NULL;
    struct store_report report;
    struct diagnostic diagnostic;
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) {
        die("out of memory");
    }
    if (engine_open(&engine, &environment, &engine_options, &report, &diagnostic) != 0) {
        die(diagnostic.text);
    }
    if (ledger_permit(engine_ledger(engine), user, false) != 0) {
        die("out of memory");
    }
    for (uint64_t i = 0; i < sessions; i++) {
        log_in(engine, exchange);
        buy(engine, exchange, 1);
    }
    uint64_t begin = now_ns();
    for (uint64_t order = 2; order < orders + 2; order++) {
        buy(engine, exchange, order);
    }
    double seconds = (double)(now_ns() - begin) / 1e9;
    printf("{\"items\":%" PRIu64 ",\"sessions\":%" PRIu64 ",\"orders\":%" PRIu64
           ",\"seconds\":%.6f}\n",
        items, sessions, orders, seconds);
    free(exchange);
    return engine_close(&engine, false, &diagnostic) == 0 ? 0 : 1;
}
