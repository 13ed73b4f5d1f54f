/* A REP socket that sends back what it gets: what libzmq alone can do here. */
#include "load.h"
#include "zmtp.h"

#include <string.h>

enum {
    BODY_SIZE = 64
};

static void
enter(struct connection *connection)
{
    zmtp_greet(connection);
}

/* The body: the number of the request, over and over. */
static void
fill(uint64_t number, uint8_t body[BODY_SIZE])
{
    for (size_t i = 0; i < BODY_SIZE; i += sizeof number) {
        memcpy(body + i, &number, sizeof number);
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
        load_entered(connection);
    }
    if (body != NULL) {
        uint8_t expected[BODY_SIZE];
        fill(connection->order_due, expected);
        if (body_size != BODY_SIZE || memcmp(body, expected, BODY_SIZE) != 0) {
            die("connection %zu: that is no echo", connection->number);
        }
        load_answered(connection);
    }
    return used;
}

static void
send_order(struct connection *connection, const struct order *order)
{
    uint8_t body[BODY_SIZE];
    fill(order->number, body);
    size_t begin = zmtp_begin_request(connection);
    bytes_add(&connection->out, body, sizeof body);
    zmtp_end_request(connection, begin);
}

const struct peer peer_echo = {.name = "echo", .enter = enter, .take = take, .order = send_order};
