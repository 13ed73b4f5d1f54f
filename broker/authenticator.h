/**
 * authenticator.h: lets the clients in whose keys are allowed: the handler of ZAP
 * (rfc.zeromq.org/spec/27), which libzmq asks at each handshake of an encrypted connection.
 *
 * It fails closed. Every lane is in the one domain below and set to refuse where no handler answers
 * (ZMQ_ZAP_ENFORCE_DOMAIN), so a lane lets nobody in that the handler has not let in: not before
 * the handler is there, not after it is gone. It is opened before the first lane listens and closed
 * after the last one has stopped to. No signal ends it.
 *
 * The answer has the client's public key as its User-Id. libzmq hands that out with each message of
 * the connection, and the loop looks it up again: a handshake is only the beginning of one.
 *
 * A thread of its own answers, and owns the handler's socket.
 */
#ifndef STOCKBUS_BROKER_AUTHENTICATOR_H
#define STOCKBUS_BROKER_AUTHENTICATOR_H

#include "broker/keys.h"

/** What the lanes have in common. */
#define AUTHENTICATOR_DOMAIN "stockbus"

struct authenticator;

/**
 * Starts to answer for the sockets of `context`, a ZeroMQ one, by `keys`; both stay the caller's.
 *
 * Returns 0 with `*authenticator`, or ERROR_MEMORY or ERROR_NETWORK with a sentence.
 */
int
authenticator_open(struct authenticator **authenticator, void *context, struct keys *keys,
    struct diagnostic *diagnostic);

/** Ends the thread and makes `*authenticator` NULL; NULL already is fine. */
void
authenticator_close(struct authenticator **authenticator);

#endif
