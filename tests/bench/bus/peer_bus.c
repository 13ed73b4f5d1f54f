/* Stockbus, as PROTOCOL.md has it, with none of its own code. */
#include "load.h"
#include "msgpack_wire.h"
#include "zmtp.h"

#include <inttypes.h>
#include <string.h>

enum {
    BUSY_MS = 5, /* what a checked password takes here: the accounts of the bench are cheap ones */
    HISTORY_SIZE = 8
};

/* The members of a reply that matter here. */
struct reply {
    struct piece status;
    struct piece history;
    uint64_t version;
    uint64_t position;
    uint64_t session;
    struct piece token;
    uint64_t order;
    uint64_t units;
    uint64_t retry_ms;
    struct piece message;
    struct wire items; /* of a page, from its array on */
    bool has_items;
    bool more;
};

static size_t
begin(struct connection *connection, size_t members, const char *operation)
{
    struct bytes *out = &connection->out;
    size_t at = zmtp_begin_request(connection);
    wire_add_map(out, members);
    wire_add_text(out, "v");
    wire_add_number(out, 1);
    wire_add_text(out, "op");
    wire_add_text(out, operation);
    return at;
}

static size_t
begin_with_session(struct connection *connection, size_t members, const char *operation)
{
    struct bytes *out = &connection->out;
    size_t at = begin(connection, members, operation);
    wire_add_text(out, "session");
    wire_add_number(out, connection->session);
    wire_add_text(out, "token");
    wire_add_bytes(out, connection->token, sizeof connection->token);
    return at;
}

static void
log_in(struct connection *connection)
{
    char user[USER_SIZE];
    char password[PASSWORD_SIZE];
    struct bytes *out = &connection->out;
    load_credentials(user, password);
    size_t at = begin(connection, 5, "login");
    wire_add_text(out, "nonce");
    wire_add_bytes(out, connection->nonce, sizeof connection->nonce);
    wire_add_text(out, "user");
    wire_add_text(out, user);
    wire_add_text(out, "password");
    wire_add_text(out, password);
    zmtp_end_request(connection, at);
}

static void
enter(struct connection *connection)
{
    if (connection->step == ZMTP_NEW) {
        zmtp_greet(connection);
    } else {
        log_in(connection);
    }
}

static void
send_order(struct connection *connection, const struct order *order)
{
    struct bytes *out = &connection->out;
    size_t at = begin_with_session(connection, 6, "buy");
    wire_add_text(out, "order");
    wire_add_number(out, order->number);
    wire_add_text(out, "lines");
    wire_add_array(out, order->line_count);
    for (size_t i = 0; i < order->line_count; i++) {
        wire_add_array(out, 2);
        wire_add_number(out, order->upcs[i]);
        wire_add_number(out, 1);
    }
    zmtp_end_request(connection, at);
}

static void
send_view(struct connection *connection, uint64_t upc)
{
    struct bytes *out = &connection->out;
    size_t at = begin_with_session(connection, 5, "view");
    wire_add_text(out, "items");
    wire_add_array(out, 1);
    wire_add_number(out, upc);
    zmtp_end_request(connection, at);
}

/* Asks for the page of items behind those that were seen. */
static void
send_count(struct connection *connection)
{
    struct bytes *out = &connection->out;
    uint64_t seen = connection->items_seen;
    size_t at = begin_with_session(connection, seen > 0 ? 5 : 4, "view");
    if (seen > 0) {
        wire_add_text(out, "after");
        wire_add_number(out, load_upc(seen - 1));
    }
    zmtp_end_request(connection, at);
}

/* Steps over the rows of a page; their numbers are checked by take_page(). */
static void
pass_items(struct wire *wire)
{
    size_t count = wire_array(wire);
    for (size_t i = 0; i < count && !wire->bad; i++) {
        wire->bad = wire_array(wire) != 3 || wire->bad;
        (void)wire_number(wire);
        (void)wire_text(wire);
        (void)wire_number(wire);
    }
}

static void
take_member(struct wire *wire, struct piece key, struct reply *reply)
{
    if (piece_is(key, "v")) {
        reply->version = wire_number(wire);
    } else if (piece_is(key, "status")) {
        reply->status = wire_text(wire);
    } else if (piece_is(key, "history")) {
        reply->history = wire_bytes(wire);
    } else if (piece_is(key, "position")) {
        reply->position = wire_number(wire);
    } else if (piece_is(key, "order")) {
        reply->order = wire_number(wire);
    } else if (piece_is(key, "units")) {
        reply->units = wire_number(wire);
    } else if (piece_is(key, "items")) {
        reply->items = *wire;
        reply->has_items = true;
        pass_items(wire);
    } else if (piece_is(key, "more")) {
        reply->more = wire_bool(wire);
    } else if (piece_is(key, "session")) {
        reply->session = wire_number(wire);
    } else if (piece_is(key, "token")) {
        reply->token = wire_bytes(wire);
    } else if (piece_is(key, "retry_ms")) {
        reply->retry_ms = wire_number(wire);
    } else if (piece_is(key, "message")) {
        reply->message = wire_text(wire);
    } else {
        wire->bad = true;
    }
}

/* Takes a reply apart, and sees that version, history and position are as they have to be. */
static struct reply
parse(struct connection *connection, const uint8_t *body, size_t size)
{
    struct wire wire = {.at = body, .end = body + size};
    struct reply reply = {.version = 0};
    size_t members = wire_map(&wire);
    for (size_t i = 0; i < members && !wire.bad; i++) {
        struct piece key = wire_text(&wire);
        take_member(&wire, key, &reply);
    }
    if (wire.bad || wire.at != wire.end || reply.version != 1 || reply.status.data == NULL ||
        reply.history.size != HISTORY_SIZE) {
        die("connection %zu: that is no reply", connection->number);
    }
    if (connection->position == 0) {
        memcpy(connection->history, reply.history.data, HISTORY_SIZE);
    }
    if (memcmp(connection->history, reply.history.data, HISTORY_SIZE) != 0 ||
        reply.position < connection->position) {
        die("connection %zu: the broker went back from position %" PRIu64 " to %" PRIu64,
            connection->number, connection->position, reply.position);
    }
    return reply;
}

static void
take_login(struct connection *connection, const struct reply *reply)
{
    if (piece_is(reply->status, "busy")) {
        load_enter_again(connection, reply->retry_ms < BUSY_MS ? reply->retry_ms : BUSY_MS);
        return;
    }
    if (!piece_is(reply->status, "ok") || reply->session == 0 || reply->token.size != TOKEN_SIZE) {
        die("connection %zu: the login was refused: %.*s", connection->number,
            (int)reply->status.size, (const char *)reply->status.data);
    }
    connection->session = reply->session;
    memcpy(connection->token, reply->token.data, TOKEN_SIZE);
    load_entered(connection);
}

static void
take_page(struct connection *connection, struct reply *reply)
{
    struct wire *wire = &reply->items;
    size_t count = wire_array(wire);
    for (size_t i = 0; i < count; i++) {
        (void)wire_array(wire);
        if (wire_number(wire) != load_upc(connection->items_seen)) {
            die("item %" PRIu64 " is not the one it has to be", connection->items_seen);
        }
        (void)wire_text(wire);
        connection->units += wire_number(wire);
        connection->items_seen++;
    }
    if (reply->more) {
        send_count(connection);
    } else {
        load_counted(connection, connection->units);
    }
}

static void
take_reply(struct connection *connection, const uint8_t *body, size_t size)
{
    struct reply reply = parse(connection, body, size);
    if (connection->session == 0) {
        take_login(connection, &reply);
        return;
    }
    bool is_order = !connection->is_counting && !connection->is_view;
    if (!piece_is(reply.status, "ok") || reply.has_items == is_order) {
        die("connection %zu: refused: %.*s %.*s", connection->number, (int)reply.status.size,
            (const char *)reply.status.data, (int)reply.message.size,
            (const char *)reply.message.data);
    }
    if (is_order && (reply.order != connection->order_due || reply.units != options->lines ||
                        reply.position == connection->position)) {
        die("connection %zu: order %" PRIu64 " was answered as order %" PRIu64 " of %" PRIu64
            " units at position %" PRIu64,
            connection->number, connection->order_due, reply.order, reply.units, reply.position);
    }
    connection->position = reply.position;
    if (connection->is_counting) {
        take_page(connection, &reply);
    } else {
        load_answered(connection);
    }
}

static size_t
take(struct connection *connection, const uint8_t *data, size_t size)
{
    const uint8_t *body;
    size_t body_size = 0;
    int step = connection->step;
    size_t used = zmtp_take(connection, data, size, &body, &body_size);
    if (step == ZMTP_SHOOK && connection->step == ZMTP_OPEN) {
        log_in(connection);
    }
    if (body != NULL) {
        take_reply(connection, body, body_size);
    }
    return used;
}

const struct peer peer_bus = {.name = "bus",
    .enter = enter,
    .take = take,
    .order = send_order,
    .view = send_view,
    .count = send_count};
