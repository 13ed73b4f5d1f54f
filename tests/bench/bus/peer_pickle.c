/*
 * The server a student would write: sockets, threads and pickle (server_pickle.py). A message is
 * its size in four bytes and a pickled tuple: (operation, session, token, order, upc, units) there,
 * (status, order, units) back.
 */
#include "load.h"

#include <inttypes.h>
#include <string.h>

static void
add_text(struct bytes *out, const char *text)
{
    bytes_add(out, "X", 1);
    uint8_t size[4] = {(uint8_t)strlen(text)};
    bytes_add(out, size, 4);
    bytes_add_text(out, text);
}

static void
add_number(struct bytes *out, uint64_t number)
{
    bytes_add(out, "\x8a\x08", 2);
    for (int i = 0; i < 8; i++) {
        bytes_add_big(out, number >> (8 * i) & 0xff, 1);
    }
}

static void
send_request(struct connection *connection, const char *operation, uint64_t order, uint64_t upc)
{
    struct bytes *out = &connection->out;
    bytes_add_big(out, 0, 4);
    size_t at = out->size;
    bytes_add(out, "\x80\x03(", 3);
    add_text(out, operation);
    add_number(out, connection->session);
    bytes_add(out, "C\x10", 2);
    bytes_add(out, connection->token, TOKEN_SIZE);
    add_number(out, order);
    add_number(out, upc);
    add_number(out, 1);
    bytes_add(out, "t.", 2);
    out->data[at - 1] = (uint8_t)(out->size - at);
}

static void
enter(struct connection *connection)
{
    connection->session = connection->number + 1;
    memcpy(connection->token, connection->nonce, TOKEN_SIZE);
    send_request(connection, "login", 0, 0);
}

static void
send_order(struct connection *connection, const struct order *order)
{
    send_request(connection, "buy", order->number, order->upcs[0]);
}

static void
send_view(struct connection *connection, uint64_t upc)
{
    send_request(connection, "view", 0, upc);
}

static void
send_count(struct connection *connection)
{
    send_request(connection, "count", 0, 0);
}

static uint64_t
little_at(const uint8_t *data, size_t size)
{
    uint64_t number = 0;
    for (size_t i = size; i-- > 0;) {
        number = number << 8 | data[i];
    }
    return number;
}

/* Reads the numbers of a pickled tuple (protocol 4); the text must be "ok". */
static size_t
read_pickle(const struct connection *connection, const uint8_t *at, const uint8_t *end,
    uint64_t *numbers, size_t count_max)
{
    size_t count = 0;
    while (at < end) {
        uint8_t operation = *at++;
        size_t skip = 0;
        bool is_number = true;
        switch (operation) {
        case 'K':
            skip = 1;
            break;
        case 'M':
            skip = 2;
            break;
        case 'J':
            skip = 4;
            break;
        case 0x8a: /* LONG1 */
            skip = *at++;
            break;
        default:
            is_number = false;
            break;
        }
        if (is_number && count < count_max && (size_t)(end - at) >= skip && skip <= 8) {
            numbers[count++] = little_at(at, skip);
            at += skip;
        } else if (operation == 0x80) { /* PROTO */
            at += 1;
        } else if (operation == 0x95) { /* FRAME */
            at += 8;
        } else if (operation == 0x8c && memcmp(at, "\2ok", 3) == 0) { /* SHORT_BINUNICODE */
            at += 3;
        } else if (operation != 0x94 && operation != 0x87 && operation != '.') {
            /* nor MEMOIZE, TUPLE3, STOP */
            die("connection %zu: the pickle has a 0x%02x", connection->number, operation);
        }
    }
    return count;
}

static size_t
take(struct connection *connection, const uint8_t *data, size_t size)
{
    uint64_t numbers[2];
    size_t length = size < 4 ? 0 : (size_t)big_at(data, 4);
    if (size < 4 || size - 4 < length) {
        return 0;
    }
    if (read_pickle(connection, data + 4, data + 4 + length, numbers, 2) != 2) {
        die("connection %zu: not the pickle it has to be", connection->number);
    }
    if (connection->step == 0) {
        connection->step = 1;
        load_entered(connection);
    } else if (connection->is_counting) {
        load_counted(connection, numbers[1]);
    } else {
        if (!connection->is_view && (numbers[0] != connection->order_due || numbers[1] != 1)) {
            die("connection %zu: order %" PRIu64 " was answered as order %" PRIu64,
                connection->number, connection->order_due, numbers[0]);
        }
        load_answered(connection);
    }
    return 4 + length;
}

const struct peer peer_pickle = {.name = "pickle",
    .enter = enter,
    .take = take,
    .order = send_order,
    .view = send_view,
    .count = send_count};
