/**
 * service.h: what the broker and a service manager (systemd) tell each other.
 *
 * The manager may hand over sockets that listen already, and wants to know when the broker serves,
 * reads its accounts and keys again, and ends. Without a manager, nothing is handed over and nobody
 * is told.
 *
 * One thread.
 */
#ifndef STOCKBUS_BROKER_SERVICE_H
#define STOCKBUS_BROKER_SERVICE_H

#include <stdbool.h>

#include "broker/lanes.h"

/** Listening sockets of one TCP endpoint, one a lane. */
struct service_sockets {
    size_t count;                 /**< 0: none were handed over */
    int fds[LANES_MAX];           /**< the descriptors */
    char endpoint[ENDPOINT_SIZE]; /**< where they listen */
};

/**
 * Takes the sockets that were handed over to this process, and makes them non-blocking. Takes them
 * out of the environment as well, so only the first call sees them, and before there is a second
 * thread.
 *
 * Returns 0, or ERROR_INVALID with a sentence in `diagnostic` that says which socket cannot be a
 * lane, and why: all must be TCP sockets that listen on one and the same address, and at most
 * LANES_MAX. The sockets are the caller's.
 */
int
service_take_sockets(struct service_sockets *sockets, struct diagnostic *diagnostic);

/** Tells that the broker serves on `endpoint`. */
void
service_ready(const char *endpoint);

/** Tells that the broker reads its accounts and keys again. */
void
service_reloading(void);

/** Tells that it has read them, or kept those it had. */
void
service_reloaded(void);

/** Tells that the broker takes no more requests, and whether it writes a last snapshot. */
void
service_stopping(bool writes_snapshot);

#endif
