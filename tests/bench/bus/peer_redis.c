/*
 * Redis, over RESP: the scripts buy.lua, view.lua and count.lua, loaded by each connection, which
 * also makes its own session.
 */
#include "load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Steps: the replies that are due before requests may go out. */
enum {
    STEP_BUY_SHA,
    STEP_VIEW_SHA,
    STEP_SESSION,
    STEP_OPEN
};

enum {
    SHA_SIZE = 40,
    SCRIPT_SIZE_MAX = 4096
};

static char buy_sha[SHA_SIZE + 1];
static char view_sha[SHA_SIZE + 1];

static void
add_count(struct bytes *out, size_t count)
{
    char text[32];
    snprintf(text, sizeof text, "*%zu\r\n", count);
    bytes_add_text(out, text);
}

static void
add_argument(struct bytes *out, const void *data, size_t size)
{
    char text[32];
    snprintf(text, sizeof text, "$%zu\r\n", size);
    bytes_add_text(out, text);
    bytes_add(out, data, size);
    bytes_add(out, "\r\n", 2);
}

static void
add_text(struct bytes *out, const char *text)
{
    add_argument(out, text, strlen(text));
}

static void
add_number(struct bytes *out, const char *prefix, uint64_t number)
{
    char text[40];
    snprintf(text, sizeof text, "%s%" PRIu64, prefix, number);
    add_text(out, text);
}

static void
load_script(struct connection *connection, const char *name)
{
    char path[4096];
    char script[SCRIPT_SIZE_MAX];
    const char *folder = getenv("LOAD_SCRIPTS");
    snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : ".", name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        die("%s: cannot be read (LOAD_SCRIPTS names its folder)", path);
    }
    size_t size = fread(script, 1, sizeof script, file);
    fclose(file);
    add_count(&connection->out, 3);
    add_text(&connection->out, "SCRIPT");
    add_text(&connection->out, "LOAD");
    add_argument(&connection->out, script, size);
}

static void
enter(struct connection *connection)
{
    struct bytes *out = &connection->out;
    connection->session = connection->number + 1;
    memcpy(connection->token, connection->nonce, sizeof connection->token);
    load_script(connection, "redis_buy.lua");
    load_script(connection, "redis_view.lua");
    add_count(out, 6);
    add_text(out, "HSET");
    add_number(out, "s:", connection->session);
    add_text(out, "token");
    add_argument(out, connection->token, sizeof connection->token);
    add_text(out, "order");
    add_text(out, "0");
}

static void
send_order(struct connection *connection, const struct order *order)
{
    struct bytes *out = &connection->out;
    add_count(out, 3 + (1 + order->line_count) + (2 + order->line_count));
    add_text(out, "EVALSHA");
    add_text(out, buy_sha);
    add_number(out, "", 1 + order->line_count);
    add_number(out, "s:", connection->session);
    for (size_t i = 0; i < order->line_count; i++) {
        add_number(out, "i:", order->upcs[i]);
    }
    add_argument(out, connection->token, sizeof connection->token);
    add_number(out, "", order->number);
    for (size_t i = 0; i < order->line_count; i++) {
        add_text(out, "1");
    }
}

static void
send_view(struct connection *connection, uint64_t upc)
{
    struct bytes *out = &connection->out;
    add_count(out, 6);
    add_text(out, "EVALSHA");
    add_text(out, view_sha);
    add_text(out, "2");
    add_number(out, "s:", connection->session);
    add_number(out, "i:", upc);
    add_argument(out, connection->token, sizeof connection->token);
}

static void
send_count(struct connection *connection)
{
    struct bytes *out = &connection->out;
    add_count(out, 3);
    add_text(out, "EVAL");
    add_text(out, "local units = 0\n"
                  "for _, key in ipairs(redis.call('LRANGE', 'items', 0, -1)) do\n"
                  "units = units + redis.call('GET', key)\n"
                  "end\n"
                  "return string.format('%d', units)");
    add_text(out, "0");
}

static void
take_value(struct connection *connection, const char *value, size_t size)
{
    char expected[64];
    switch (connection->step) {
    case STEP_BUY_SHA:
    case STEP_VIEW_SHA:
        if (size != SHA_SIZE) {
            die("Redis gave no hash of a script");
        }
        memcpy(connection->step == STEP_BUY_SHA ? buy_sha : view_sha, value, SHA_SIZE);
        connection->step++;
        return;
    case STEP_SESSION:
        connection->step = STEP_OPEN;
        load_entered(connection);
        return;
    default:
        break;
    }
    if (connection->is_counting) {
        load_counted(connection, strtoull(value, NULL, 10));
        return;
    }
    if (connection->is_view) {
        if (size == 0 || strspn(value, "0123456789") < size) {
            die("connection %zu: a view gave '%.*s'", connection->number, (int)size, value);
        }
    } else {
        snprintf(
            expected, sizeof expected, "ok %" PRIu64 " %zu", connection->order_due, options->lines);
        if (size != strlen(expected) || memcmp(value, expected, size) != 0) {
            die("connection %zu: '%.*s' where '%s' was due", connection->number, (int)size, value,
                expected);
        }
    }
    load_answered(connection);
}

static size_t
take(struct connection *connection, const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *end = memchr(text, '\n', size);
    if (end == NULL) {
        return 0;
    }
    size_t line = (size_t)(end - text) + 1;
    if (text[0] == ':' || text[0] == '+') {
        take_value(connection, text + 1, line - 3);
        return line;
    }
    long length = text[0] == '$' ? strtol(text + 1, NULL, 10) : -1;
    if (length < 0) {
        die("connection %zu: Redis says %.*s", connection->number, (int)line - 2, text);
    }
    if (size - line < (size_t)length + 2) {
        return 0;
    }
    take_value(connection, text + line, (size_t)length);
    return line + (size_t)length + 2;
}

const struct peer peer_redis = {.name = "redis",
    .enter = enter,
    .take = take,
    .order = send_order,
    .view = send_view,
    .count = send_count};
