#include "zmtp.h"

#include <string.h>

enum {
    GREETING_SIZE = 64,
    FLAG_MORE = 1,
    FLAG_LONG = 2,
    FLAG_COMMAND = 4,
    FRAME_SIZE_MAX = 65536
};

void
zmtp_greet(struct connection *connection)
{
    uint8_t greeting[GREETING_SIZE] = {0xff, [8] = 1, [9] = 0x7f, 3, 1, 'N', 'U', 'L', 'L'};
    bytes_add(&connection->out, greeting, sizeof greeting);
    connection->step = ZMTP_GREETED;
}

static size_t
take_greeting(struct connection *connection, const uint8_t *data, size_t size)
{
    static const uint8_t mechanism[20] = "NULL";
    static const uint8_t ready[] = "\4\46\5READY\13Socket-Type\0\0\0\3REQ\10Identity\0\0\0\0";
    if (size < GREETING_SIZE) {
        return 0;
    }
    if (data[0] != 0xff || data[9] != 0x7f || data[10] < 3 ||
        memcmp(data + 12, mechanism, sizeof mechanism) != 0) {
        die("connection %zu: no greeting of ZMTP 3 with NULL", connection->number);
    }
    bytes_add(&connection->out, ready, sizeof ready - 1);
    connection->step = ZMTP_SHOOK;
    return GREETING_SIZE;
}

static void
take_command(struct connection *connection, const uint8_t *body, size_t size)
{
    if (connection->step == ZMTP_SHOOK && size >= 6 && memcmp(body, "\5READY", 6) == 0) {
        connection->step = ZMTP_OPEN;
    } else if (connection->step >= ZMTP_OPEN && size >= 7 && memcmp(body, "\4PING", 5) == 0) {
        /* The answer repeats what follows the time to live. */
        size_t context_size = size - 7;
        bytes_add_big(&connection->out, FLAG_COMMAND, 1);
        bytes_add_big(&connection->out, 5 + context_size, 1);
        bytes_add(&connection->out, "\4PONG", 5);
        bytes_add(&connection->out, body + 7, context_size);
    } else {
        die("connection %zu: an unexpected command '%.*s'", connection->number,
            size > 0 && body[0] < size ? body[0] : 0, (const char *)body + 1);
    }
}

static void
take_reply_frame(struct connection *connection, bool more, size_t size)
{
    bool delimiter = connection->step == ZMTP_OPEN;
    if (connection->step < ZMTP_OPEN || more != delimiter || (delimiter && size != 0)) {
        die("connection %zu: a reply is an empty frame and one more", connection->number);
    }
    connection->step = delimiter ? ZMTP_DELIMITED : ZMTP_OPEN;
}

size_t
zmtp_take(struct connection *connection, const uint8_t *data, size_t size, const uint8_t **body,
    size_t *body_size)
{
    *body = NULL;
    if (connection->step == ZMTP_GREETED) {
        return take_greeting(connection, data, size);
    }
    bool is_long = size > 0 && (data[0] & FLAG_LONG) != 0;
    size_t header = is_long ? 9 : 2;
    if (size < header) {
        return 0;
    }
    uint64_t length = big_at(data + 1, header - 1);
    if ((data[0] & ~(FLAG_MORE | FLAG_LONG | FLAG_COMMAND)) != 0 || length > FRAME_SIZE_MAX) {
        die("connection %zu: a bad frame", connection->number);
    }
    if (size - header < length) {
        return 0;
    }
    if ((data[0] & FLAG_COMMAND) != 0) {
        take_command(connection, data + header, (size_t)length);
    } else {
        take_reply_frame(connection, (data[0] & FLAG_MORE) != 0, (size_t)length);
        if (connection->step == ZMTP_OPEN) {
            *body = data + header;
            *body_size = (size_t)length;
        }
    }
    return header + (size_t)length;
}

size_t
zmtp_begin_request(struct connection *connection)
{
    bytes_add(&connection->out, "\1\0", 2); /* the empty frame */
    bytes_add(&connection->out, "\2\0\0\0\0\0\0\0\0", 9);
    return connection->out.size;
}

void
zmtp_end_request(struct connection *connection, size_t begin)
{
    uint64_t size = connection->out.size - begin;
    uint8_t *length = connection->out.data + begin - 8;
    for (int i = 0; i < 8; i++) {
        length[i] = (uint8_t)(size >> (56 - 8 * i));
    }
    if (size <= 255) { /* which has to travel in a short frame */
        uint8_t *header = connection->out.data + begin - 9;
        header[0] = 0;
        header[1] = (uint8_t)size;
        memmove(header + 2, header + 9, size);
        connection->out.size -= 7;
    }
}
