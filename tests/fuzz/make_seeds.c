/*
 * make_seeds.c: makes the seeds of the corpora that are files of broker, client and readings, by
 * their own code; always the same ones. seeds.py calls it.
 *
 * usage: fuzz-seeds DIR     makes DIR/journal, snapshot, client and readings, which must be there
 */
#include "fuzz/shop.h"

#include "broker/engine.h"
#include "client/local_inventory.h"
#include "pipeline/reading.h"
#include "support/fake_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEED_SIZE_MAX = 4000,
    ZEROS_KEPT = 8 /* of those at the end of a journal */
};

static uint64_t random_state = 1;

static void
fixed_random(void *data, size_t size)
{
    struct random_stream stream = {random_state++};
    unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)random_next(&stream);
    }
}

static uint64_t
fixed_now_ms(void)
{
    return 1700000000000;
}

static void
require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz-seeds: %s\n", what);
        exit(1);
    }
}

static void
write_seed(const char *folder, const char *target, const char *name, const void *data, size_t size)
{
    char path[4096];
    require(size <= SEED_SIZE_MAX, "a seed is too large");
    snprintf(path, sizeof path, "%s/%s/%s", folder, target, name);
    FILE *file = fopen(path, "we");
    require(file != NULL, path);
    require(fwrite(data, 1, size, file) == size && fclose(file) == 0, path);
}

/* What is kept of a directory under way: its files by target and name. */
struct harvest {
    const char *folder;
    const char *target_journal;
    const char *target_snapshot;
    const char *name;
    struct fake_disk *disk;
};

static void
keep_file(void *context, const char *name)
{
    const struct harvest *harvest = context;
    char path[300];
    char seed[600];
    size_t size = 0;
    bool is_journal = strncmp(name, "journal-", 8) == 0;
    if (!is_journal && strncmp(name, "snapshot-", 9) != 0) {
        return;
    }
    snprintf(path, sizeof path, "data/%s", name);
    const unsigned char *data = fake_disk_get(harvest->disk, path, &size);
    size_t end = size;
    while (is_journal && end > 0 && data[end - 1] == 0) {
        end--;
    }
    end = size - end > ZEROS_KEPT ? end + ZEROS_KEPT : size;
    snprintf(seed, sizeof seed, "%s-%.*s", harvest->name, (int)strcspn(name, "."), name);
    write_seed(harvest->folder, is_journal ? harvest->target_journal : harvest->target_snapshot,
        seed, data, end);
}

static void
keep_files(const struct harvest *harvest)
{
    require(files_list(
                fake_disk_files(harvest->disk), "data", keep_file, (void *)(uintptr_t)harvest) == 0,
        "listing");
}

static void
apply(struct engine *engine, struct exchange *exchange, enum status expected)
{
    struct diagnostic diagnostic = {""};
    require(engine_apply(engine, &exchange, 1, &diagnostic) == 0, diagnostic.text);
    require(exchange->reply.status == expected, "another status was expected");
}

static void
log_in(struct engine *engine, struct exchange *exchange, const char *user)
{
    exchange->request = (struct request){.operation = OPERATION_LOGIN};
    snprintf(exchange->request.user, sizeof exchange->request.user, "%s", user);
    apply(engine, exchange, STATUS_OK);
    exchange->request.session = exchange->reply.session;
    memcpy(exchange->request.token, exchange->reply.token, TOKEN_SIZE);
}

static void
make_order(struct engine *engine, struct exchange *exchange, enum operation operation,
    uint64_t number, uint64_t upc, uint64_t units, enum status expected)
{
    exchange->request.operation = operation;
    exchange->request.order = number;
    exchange->request.line_count = operation == OPERATION_VOID ? 0 : 2;
    exchange->request.lines[0] = (struct line){.upc = upc, .units = units};
    exchange->request.lines[1] = (struct line){.upc = 36000291452, .units = 1};
    apply(engine, exchange, expected);
}

/* One of a few histories of a broker, from a single login to all kinds of events. */
static void
sell(struct engine *engine, struct exchange *exchange, int history)
{
    log_in(engine, exchange, history % 2 == 0 ? "depot" : "north");
    bool may_restock = history % 2 == 0;
    if (history >= 2) {
        make_order(engine, exchange, OPERATION_BUY, 1, 46700000018, 3, STATUS_OK);
        make_order(engine, exchange, OPERATION_BUY, 2, 98000000014, 1, STATUS_INSUFFICIENT_STOCK);
    }
    if (history >= 4) {
        make_order(engine, exchange, OPERATION_RESTOCK, 3, 98000000014, 1000000000,
            may_restock ? STATUS_OK : STATUS_FORBIDDEN);
        make_order(engine, exchange, OPERATION_VOID, 4, 0, 0, STATUS_ORDER_VOIDED);
        make_order(engine, exchange, OPERATION_BUY, 5, 12345678905, 1, STATUS_UNKNOWN_ITEM);
    }
    if (history >= 6) {
        make_order(engine, exchange, OPERATION_RESTOCK, 6, 68274000010, 1,
            may_restock ? STATUS_TOO_LARGE : STATUS_FORBIDDEN);
        log_in(engine, exchange, "a user whose name has 32 bytes..");
        log_in(engine, exchange, "south");
    }
    if (history >= 7) {
        exchange->request.operation = OPERATION_LOGOUT;
        exchange->request.order = 0;
        exchange->request.line_count = 0;
        apply(engine, exchange, STATUS_OK);
    }
}

static void
make_broker_seeds(const char *folder, int history)
{
    struct fake_disk *disk = fake_disk_new();
    const struct environment environment = {
        fake_disk_files(disk), fixed_random, fixed_now_ms, NULL};
    const struct engine_options options = {
        .directory = "data",
        .segment_size = engine_segment_size_min(1),
        .batch_max = 1,
        .limits = {.sessions_max = 8, .sessions_user_max = 8},
        .fill = shop_fill,
    };
    struct engine *engine = NULL;
    struct store_report report;
    struct diagnostic diagnostic = {""};
    struct exchange *exchange = calloc(1, sizeof *exchange);
    char name[40];
    require(exchange != NULL, "out of memory");
    require(
        engine_open(&engine, &environment, &options, &report, &diagnostic) == 0, diagnostic.text);
    static const char *const users[] = {
        "north", "south", "depot", "a user whose name has 32 bytes.."};
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        require(ledger_permit(engine_ledger(engine), users[i], i == 2) == 0, "out of memory");
    }
    sell(engine, exchange, history);
    require(engine_close(&engine, true, &diagnostic) == 0, diagnostic.text);
    snprintf(name, sizeof name, "broker-%d", history);
    keep_files(&(struct harvest){folder, "journal", "snapshot", name, disk});
    free(exchange);
    fake_disk_free(&disk);
}

/* How an order of a client ends. */
enum end {
    ENDS_DONE,
    ENDS_RELEASED,
    ENDS_ASIDE,
    ENDS_NOT
};

static void
order(struct local_inventory *inventory, enum operation operation, enum end ending,
    enum status status)
{
    struct diagnostic diagnostic = {""};
    struct order *made = calloc(1, sizeof *made);
    require(made != NULL, "out of memory");
    made->operation = operation;
    made->line_count = 2;
    made->lines[0] = (struct line){.upc = 36000291452, .units = 3};
    made->lines[1] = (struct line){.upc = 46700000018, .units = UNITS_MAX};
    require(local_inventory_pend(inventory, made, "request", 7, &diagnostic) == 0, diagnostic.text);
    const struct local_state *state = local_inventory_state(inventory);
    struct reply reply = {.status = status, .position = state->position + 1};
    int error = 0;
    if (ending == ENDS_DONE) {
        error = local_inventory_settle(inventory, &reply, "reply", 5, &diagnostic);
    } else if (ending == ENDS_RELEASED) {
        error = local_inventory_release(inventory, status, &diagnostic);
    } else if (ending == ENDS_ASIDE) {
        error = local_inventory_set_aside(inventory, status, &diagnostic);
    }
    require(error == 0, diagnostic.text);
    free(made);
}

static void
client_log_in(struct local_inventory *inventory, const char *user, uint64_t session)
{
    struct reply reply = {.session = session, .position = session * 10, .history = {1, 2, 3}};
    struct diagnostic diagnostic = {""};
    memset(reply.token, 7, sizeof reply.token);
    require(local_inventory_log_in(inventory, user, &reply, &diagnostic) == 0, diagnostic.text);
}

/* One of a few histories of a client. */
static void
shop(struct local_inventory *inventory, int history)
{
    struct diagnostic diagnostic = {""};
    client_log_in(inventory, "north", 1);
    if (history >= 1) {
        order(inventory, OPERATION_BUY, ENDS_DONE, STATUS_OK);
        order(inventory, OPERATION_BUY, ENDS_DONE, STATUS_OK);
        local_inventory_learn(inventory, 36000291452, "Facial tissues, 160 sheets");
        local_inventory_learn(inventory, 46700000018, "緑茶 green tea, 100 g");
    }
    if (history >= 2) {
        order(inventory, OPERATION_BUY, ENDS_RELEASED, STATUS_BUSY);
        order(inventory, OPERATION_RESTOCK, ENDS_DONE, STATUS_FORBIDDEN);
        local_inventory_see(inventory, 100);
    }
    if (history >= 3) {
        order(inventory, OPERATION_BUY, ENDS_ASIDE, STATUS_SESSION_ENDED);
        client_log_in(inventory, "south", 20);
        order(inventory, OPERATION_BUY, ENDS_DONE, STATUS_OK);
    }
    if (history == 4) {
        order(inventory, OPERATION_RESTOCK, ENDS_NOT, STATUS_OK);
    }
    if (history >= 5) {
        require(local_inventory_leave(inventory, &diagnostic) == 0, diagnostic.text);
    }
    if (history >= 6) {
        require(local_inventory_log_out(inventory, &diagnostic) == 0, diagnostic.text);
    }
}

static void
make_client_seeds(const char *folder, int history)
{
    static const uint8_t history_new[HISTORY_SIZE] = {9};
    struct fake_disk *disk = fake_disk_new();
    struct diagnostic diagnostic = {""};
    char name[40];
    for (int visit = 0; visit < 2; visit++) {
        struct local_inventory *inventory = NULL;
        require(local_inventory_open(
                    &inventory, fake_disk_files(disk), "data", history_new, &diagnostic) == 0,
            diagnostic.text);
        if (visit == 0) {
            shop(inventory, history);
        } else {
            require(local_inventory_secure(inventory, &diagnostic) == 0, diagnostic.text);
        }
        require(local_inventory_close(&inventory, &diagnostic) == 0, diagnostic.text);
    }
    snprintf(name, sizeof name, "client-%d", history);
    keep_files(&(struct harvest){folder, "client", "client", name, disk});
    fake_disk_free(&disk);
}

static void
make_readings_seeds(const char *folder)
{
    static const size_t counts[] = {1, 2, 10, 30};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        unsigned char data[SEED_SIZE_MAX];
        size_t size = 0;
        char name[40];
        for (size_t n = 0; n < counts[i]; n++) {
            struct reading reading = {.id = n * 4711,
                .producer = (uint32_t)(1 + n % 7),
                .sequence = 1 + n,
                .time_ns = 1767225600000000000 + (int64_t)n,
                .value = n % 3 == 0 ? 20.5 : -0.125 * (double)n,
                .sensor = "boiler.temperature",
                .unit = "°C"};
            size += reading_pack(&reading, data + size);
        }
        snprintf(name, sizeof name, "readings-%zu", counts[i]);
        write_seed(folder, "readings", name, data, size);
    }
}

int
main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: fuzz-seeds DIR\n");
        return 2;
    }
    for (int history = 0; history < 8; history++) {
        make_broker_seeds(arguments[1], history);
    }
    for (int history = 0; history < 7; history++) {
        make_client_seeds(arguments[1], history);
    }
    make_readings_seeds(arguments[1]);
    return 0;
}
