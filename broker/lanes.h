/**
 * lanes.h: REP sockets that share one TCP port.
 *
 * A REP socket answers one request before it takes the next, so a broker with one would pay a disk
 * sync for every purchase. Each lane is a REP socket on a listening descriptor of its own, made
 * with SO_REUSEPORT, and the kernel spreads the connections over them. Clients see one endpoint.
 * The descriptors are made here, or by somebody else, such as systemd.
 */
#ifndef STOCKBUS_BROKER_LANES_H
#define STOCKBUS_BROKER_LANES_H

#include <stdbool.h>
#include <zmq.h>

#include "shared/certificate.h"
#include "shared/endpoint.h"

enum {
    LANES_MAX = 256,
    LANES_REPLIES_MAX = 4 /**< replies that may wait for a peer; what is above is dropped */
};

/** The lanes of a broker. */
struct lanes {
    size_t count;                 /**< at most LANES_MAX */
    int fds[LANES_MAX];           /**< on which they listen; the sockets own them */
    void *sockets[LANES_MAX];     /**< ZeroMQ sockets; one thread uses them all */
    char endpoint[ENDPOINT_SIZE]; /**< where they are reached, with the port they got */
};

/**
 * Sees whether lanes could be bound to `text`, which `endpoint` was parsed from, without binding
 * any: for those who want to know before they begin something else. Another process may still take
 * the port. Returns as lanes_open() does.
 */
int
lanes_probe(const char *text, const struct endpoint *endpoint, struct diagnostic *diagnostic);

/**
 * Binds `count` (1 to LANES_MAX) lanes to `text`, which `endpoint` was parsed from. One lane alone
 * shares its port with nobody. Where `fds` is not NULL, it has `count` descriptors that listen
 * there already, without blocking; they are the lanes' to close, also after an error. With the
 * secret key of a broker, every connection is encrypted, and the authenticator, which has to be
 * open, says whose is accepted; with NULL none is, and everybody's.
 *
 * Returns 0; ERROR_ADDRESS_IN_USE, also where another process holds the port with SO_REUSEPORT; or
 * ERROR_NETWORK or ERROR_PERMISSION. `diagnostic` names the endpoint and the reason.
 */
int
lanes_open(struct lanes *lanes, void *context, const char *text, const struct endpoint *endpoint,
    const int *fds, size_t count, const uint8_t *secret_key, struct diagnostic *diagnostic);

/** Lets nobody connect, or everybody again, as connection_shut_door() does. Returns 0 or an errno
 * value; the lanes that can be are shut or opened all the same. Any thread. */
int
lanes_shut_door(const struct lanes *lanes, bool is_shut);

/** Closes the lanes; replies on their way out are given a second to leave. */
void
lanes_close(struct lanes *lanes);

/**
 * Writes which peer sent a message that a lane gave: where connections are encrypted its key,
 * however many connections it has, otherwise its address and the descriptor of its connection. (A
 * peer that does not encrypt may call itself what it likes.) `name` has room for 128 bytes or more.
 */
void
lanes_source(zmq_msg_t *message, bool is_encrypted, char *name, size_t size);

/**
 * Writes for the log where a message came from that a lane gave: the peer's address and, where
 * connections are encrypted, its key. `name` has room for 128 bytes or more.
 */
void
lanes_peer(zmq_msg_t *message, bool is_encrypted, char *name, size_t size);

#endif
