/**
 * zmtp.h: a REQ socket's side of ZMTP 3.1 (ZeroMQ RFC 37) with the NULL mechanism.
 */
#ifndef STOCKBUS_TESTS_BENCH_BUS_ZMTP_H
#define STOCKBUS_TESTS_BENCH_BUS_ZMTP_H

#include "load.h"

/** Steps of a connection. */
enum {
    ZMTP_NEW,
    ZMTP_GREETED,   /* our greeting is out, theirs is due */
    ZMTP_SHOOK,     /* our READY is out, theirs is due */
    ZMTP_OPEN,      /* requests may go out; a reply begins with an empty frame */
    ZMTP_DELIMITED, /* that frame has come, the body of the reply is due */
};

/** Sends the greeting. */
void
zmtp_greet(struct connection *connection);

/**
 * Begins a request: the caller appends it to `connection->out`
 * and calls zmtp_end_request() with what this returned.
 */
size_t
zmtp_begin_request(struct connection *connection);

/** Ends the request. */
void
zmtp_end_request(struct connection *connection, size_t begin);

/**
 * Takes a greeting or a frame off `data`. Returns the bytes it used, 0 when they are not all there.
 *
 * `*body` is not NULL when that was the body of a reply. The step has become ZMTP_OPEN from
 * ZMTP_SHOOK when the handshake is over.
 */
size_t
zmtp_take(struct connection *connection, const uint8_t *data, size_t size, const uint8_t **body,
    size_t *body_size);

#endif
