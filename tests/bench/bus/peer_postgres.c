/*
 * PostgreSQL, over its protocol 3.0, with prepared statements and binary parameters: an order as
 * one statement, or as a transaction of four. The tables are made by postgres.sql.
 */
#include "load.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Steps: of an order in a transaction, which part of it is under way. */
enum {
    STEP_NEW,
    STEP_PREPARING,
    STEP_OPEN,
    STEP_BEGIN,
    STEP_SESSION,
    STEP_ITEM,
    STEP_COMMIT
};

static const struct {
    const char *name;
    const char *text;
} statements[] = {
    {"buy", "WITH found AS (SELECT id, last_order, body, status, units FROM session"
            "  WHERE id = $1::bigint AND token = $2::bytea),"
            " sold AS (UPDATE item SET units = item.units - $5::bigint FROM found"
            "  WHERE upc = $4::bigint AND item.units >= $5::bigint"
            "  AND found.last_order = $3::bigint - 1 RETURNING upc),"
            " kept AS (UPDATE session SET last_order = $3::bigint, body = $4::bigint * 1000 + "
            "$5::bigint,"
            "  status = CASE WHEN EXISTS (SELECT 1 FROM sold) THEN 0 ELSE 1 END, units = $5::bigint"
            "  FROM found WHERE session.id = found.id AND found.last_order = $3::bigint - 1"
            "  RETURNING session.status, session.units)"
            " SELECT status, units FROM kept UNION ALL SELECT status, units FROM found"
            "  WHERE last_order = $3::bigint AND body = $4::bigint * 1000 + $5::bigint"},
    {"view", "SELECT 0::bigint, item.units FROM item, session"
             " WHERE session.id = $1::bigint AND token = $2::bytea AND upc = $3::bigint"},
    {"count", "SELECT 0::bigint, sum(units)::bigint FROM item"},
    {"begin", "BEGIN"},
    {"session", "UPDATE session SET last_order = $3::bigint,"
                " body = $4::bigint * 1000 + $5::bigint, status = 0, units = $5::bigint"
                " WHERE id = $1::bigint AND token = $2::bytea AND last_order = $3::bigint - 1"
                " RETURNING status, units"},
    {"item", "UPDATE item SET units = units - $2::bigint WHERE upc = $1::bigint"
             " AND units >= $2::bigint RETURNING 0::bigint, units"},
    {"commit", "COMMIT"},
};

/* Begins a message; end_message() fills its length in. */
static size_t
begin_message(struct bytes *out, char sort)
{
    bytes_add(out, &sort, 1);
    bytes_add_big(out, 0, 4);
    return out->size - 4;
}

static void
end_message(struct bytes *out, size_t begin)
{
    uint64_t size = out->size - begin;
    for (int i = 0; i < 4; i++) {
        out->data[begin + (size_t)i] = (uint8_t)(size >> (24 - 8 * i));
    }
}

static void
add_zero_text(struct bytes *out, const char *text)
{
    bytes_add(out, text, strlen(text) + 1);
}

static void
sync_now(struct bytes *out)
{
    bytes_add(out, "S\0\0\0\4", 5);
}

/* Binds and executes a prepared statement; parameters are numbers but for `token`, the second. */
static void
execute(struct connection *connection, const char *name, const uint64_t *numbers, size_t count,
    bool has_token)
{
    struct bytes *out = &connection->out;
    size_t at = begin_message(out, 'B');
    add_zero_text(out, "");
    add_zero_text(out, name);
    bytes_add_big(out, 1, 2); /* one format for all parameters: */
    bytes_add_big(out, 1, 2); /* binary */
    bytes_add_big(out, count + (has_token ? 1 : 0), 2);
    for (size_t i = 0; i < count; i++) {
        bytes_add_big(out, 8, 4);
        bytes_add_big(out, numbers[i], 8);
        if (i == 0 && has_token) {
            bytes_add_big(out, TOKEN_SIZE, 4);
            bytes_add(out, connection->token, TOKEN_SIZE);
        }
    }
    bytes_add_big(out, 1, 2);
    bytes_add_big(out, 1, 2);
    end_message(out, at);
    at = begin_message(out, 'E');
    add_zero_text(out, "");
    bytes_add_big(out, 0, 4);
    end_message(out, at);
    sync_now(out);
}

static void
enter(struct connection *connection)
{
    struct bytes *out = &connection->out;
    size_t at = out->size;
    bytes_add_big(out, 0, 4);
    bytes_add_big(out, 196608, 4); /* version 3.0 */
    bytes_add(out, "user\0postgres\0database\0stock\0", 30);
    end_message(out, at);
    connection->session = connection->number + 1;
    memcpy(connection->token, connection->nonce, TOKEN_SIZE);
    connection->step = STEP_NEW;
}

static void
prepare(struct connection *connection)
{
    struct bytes *out = &connection->out;
    char text[256];
    char hex[2 * TOKEN_SIZE + 1];
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        size_t at = begin_message(out, 'P');
        add_zero_text(out, statements[i].name);
        add_zero_text(out, statements[i].text);
        bytes_add_big(out, 0, 2);
        end_message(out, at);
    }
    for (size_t i = 0; i < TOKEN_SIZE; i++) {
        snprintf(hex + 2 * i, 3, "%02x", connection->token[i]);
    }
    snprintf(text, sizeof text,
        "INSERT INTO session (id, token) VALUES (%" PRIu64 ", '\\x%s') ON CONFLICT (id) DO UPDATE"
        " SET token = excluded.token, last_order = 0",
        connection->session, hex);
    size_t at = begin_message(out, 'Q');
    add_zero_text(out, text);
    end_message(out, at);
    connection->step = STEP_PREPARING;
}

static void
send_view(struct connection *connection, uint64_t upc)
{
    const uint64_t numbers[] = {connection->session, upc};
    connection->units = UINT64_MAX;
    execute(connection, "view", numbers, 2, true);
}

static void
send_statement(struct connection *connection, const struct order *order)
{
    const uint64_t numbers[] = {connection->session, order->number, order->upcs[0], 1};
    connection->units = UINT64_MAX;
    execute(connection, "buy", numbers, 4, true);
}

/* Sends the next statement of an order's transaction. Returns false when that is over. */
static bool
send_next(struct connection *connection)
{
    const struct order *order = &connection->order;
    const uint64_t session[] = {connection->session, order->number, order->upcs[0], 1};
    const uint64_t item[] = {order->upcs[0], 1};
    connection->units = UINT64_MAX;
    switch (++connection->step) {
    case STEP_BEGIN:
        execute(connection, "begin", NULL, 0, false);
        return true;
    case STEP_SESSION:
        execute(connection, "session", session, 4, true);
        return true;
    case STEP_ITEM:
        execute(connection, "item", item, 2, false);
        return true;
    case STEP_COMMIT:
        execute(connection, "commit", NULL, 0, false);
        return true;
    default:
        connection->step = STEP_OPEN;
        return false;
    }
}

static void
send_transaction(struct connection *connection, const struct order *order)
{
    (void)order;
    (void)send_next(connection);
}

static void
send_count(struct connection *connection)
{
    connection->units = UINT64_MAX;
    execute(connection, "count", NULL, 0, false);
}

/* The server is ready for the next statement. */
static void
take_ready(struct connection *connection)
{
    bool has_row = connection->units != UINT64_MAX;
    if (connection->step == STEP_PREPARING) {
        connection->step = STEP_OPEN;
        load_entered(connection);
        return;
    }
    if (connection->step == STEP_NEW) {
        prepare(connection);
        return;
    }
    if (!has_row && connection->step != STEP_BEGIN && connection->step != STEP_COMMIT) {
        die("connection %zu: no row came back", connection->number);
    }
    if (connection->is_counting) {
        load_counted(connection, connection->units);
    } else if (connection->step == STEP_OPEN || !send_next(connection)) {
        load_answered(connection);
    }
}

/* A row of two numbers: status and units. */
static void
take_row(struct connection *connection, const uint8_t *body, size_t size)
{
    if (size != 2 + 2 * 12 || big_at(body + 2, 4) != 8 || big_at(body + 14, 4) != 8 ||
        big_at(body + 6, 8) != 0) {
        die("connection %zu: not the row it has to be", connection->number);
    }
    connection->units = big_at(body + 18, 8);
    bool is_order = !connection->is_view && !connection->is_counting;
    bool tells_order = connection->step == STEP_OPEN || connection->step == STEP_SESSION;
    if (is_order && tells_order && connection->units != 1) {
        die("connection %zu: %" PRIu64 " units were sold", connection->number, connection->units);
    }
}

static size_t
take(struct connection *connection, const uint8_t *data, size_t size)
{
    if (size < 5) {
        return 0;
    }
    size_t length = (size_t)big_at(data + 1, 4);
    if (size - 1 < length) {
        return 0;
    }
    switch (data[0]) {
    case 'Z':
        take_ready(connection);
        break;
    case 'D':
        take_row(connection, data + 5, length - 4);
        break;
    case 'E':
        for (size_t i = 5; i + 1 < length; i += 1 + strlen((const char *)data + i)) {
            if (data[i] == 'M') {
                die("connection %zu: PostgreSQL says %s", connection->number,
                    (const char *)data + i + 1);
            }
        }
        die("connection %zu: PostgreSQL has an error", connection->number);
    default:
        break;
    }
    return 1 + length;
}

const struct peer peer_statement = {.name = "statement",
    .enter = enter,
    .take = take,
    .order = send_statement,
    .view = send_view,
    .count = send_count};

const struct peer peer_transaction = {.name = "transaction",
    .enter = enter,
    .take = take,
    .order = send_transaction,
    .view = send_view,
    .count = send_count};
