/*
 * make_records.c: makes a broker's data directory with many records, as fast as it can: nothing is
 * synced.
 *
 * usage: make_records DIR RECORDS [--kill]     --kill: no last snapshot is written
 */
#include "broker/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ITEMS = 24,
    SEGMENT_SIZE = 64 * 1024 * 1024
};

static int
no_sync(struct files *files, int fd)
{
    (void)files;
    (void)fd;
    return 0;
}

static void
fixed_random(void *data, size_t size)
{
    memset(data, 7, size);
}

static uint64_t
fixed_now_ms(void)
{
    return 1700000000000;
}

static int
fill(void *context, struct stock *stock, struct diagnostic *diagnostic)
{
    (void)context;
    (void)diagnostic;
    int error = 0;
    for (uint64_t i = 0; error == 0 && i < ITEMS; i++) {
        error = stock_add(stock, 36000291452 + i, "item", 4, 100);
    }
    return error;
}

static int
make(struct engine *engine, struct exchange *exchange, uint64_t records,
    struct diagnostic *diagnostic)
{
    struct request *request = &exchange->request;
    request->operation = OPERATION_LOGIN;
    snprintf(request->user, sizeof request->user, "depot");
    int error = engine_apply(engine, &exchange, 1, diagnostic);
    request->session = exchange->reply.session;
    memcpy(request->token, exchange->reply.token, sizeof request->token);
    request->line_count = 1;
    for (uint64_t i = 1; error == 0 && i < records; i++) {
        request->operation = i % 2 == 0 ? OPERATION_RESTOCK : OPERATION_BUY;
        request->order = i;
        request->lines[0] = (struct line){.upc = 36000291452 + i / 2 % ITEMS, .units = 1};
        error = engine_apply(engine, &exchange, 1, diagnostic);
    }
    return error;
}

int
main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: make_records DIR RECORDS [--kill]\n");
        return 2;
    }
    struct files files = *files_system();
    files.fdatasync = no_sync;
    files.fsync = no_sync;
    const struct environment environment = {&files, fixed_random, fixed_now_ms, NULL};
    const struct engine_options options = {
        .directory = arguments[1],
        .segment_size = SEGMENT_SIZE,
        .batch_max = 1,
        .limits = {.sessions_max = 8, .sessions_user_max = 8},
        .fill = fill,
    };
    struct engine *engine = NULL;
    struct store_report report;
    struct diagnostic diagnostic = {""};
    struct exchange *exchange = calloc(1, sizeof *exchange);
    int error = exchange == NULL ? ERROR_MEMORY : 0;
    if (error == 0) {
        error = engine_open(&engine, &environment, &options, &report, &diagnostic);
    }
    if (error == 0) {
        error = ledger_permit(engine_ledger(engine), "depot", true);
    }
    if (error == 0) {
        error = make(engine, exchange, strtoull(arguments[2], NULL, 10), &diagnostic);
    }
    bool is_killed = count == 4 && strcmp(arguments[3], "--kill") == 0;
    int error_closing = engine_close(&engine, !is_killed && error == 0, &diagnostic);
    if (error != 0 || error_closing != 0) {
        fprintf(stderr, "make_records: %s\n", diagnostic.text);
    }
    free(exchange);
    return error != 0 || error_closing != 0;
}
