/**
 * bouncer.h: ends the connections of peers that send on and on and get no answer.
 *
 * libzmq bounds the size of a frame and the number of messages that wait, but not the number of
 * frames in a message: one that never ends is kept whole, and no REP socket ever sees any of it.
 * And a peer that never reads has all its requests read and answered for nothing. Both are
 * connections on which a lot comes in and no whole message is taken and answered. A client that
 * waits for each reply never has more than one request of MESSAGE_SIZE_MAX on the way.
 *
 * A thread looks at the counters that the kernel keeps for each TCP connection of the process, and
 * shuts a connection down when it has brought more than BOUNCER_UNANSWERED_MAX bytes since a
 * message was last taken from it, as the loop tells, and something was sent on it. Neither alone is
 * enough: libzmq answers a heartbeat in the middle of a message, and who never reads has its
 * messages taken all the same. Each look forgives BOUNCER_FORGIVEN bytes: 20 a second, more than
 * the heartbeats of a peer that has nothing to ask. So whoever is idle is never shut down, and a
 * message that never ends gets on at that speed at best: libzmq keeps some 600 bytes a second of
 * it.
 *
 * libzmq closes what was shut down as if the peer had gone. Should the descriptor belong to another
 * connection by then, that one is lost, and its client connects again: it is a matter of
 * microseconds.
 */
#ifndef STOCKBUS_BROKER_BOUNCER_H
#define STOCKBUS_BROKER_BOUNCER_H

#include "shared/limits.h"

#include <stddef.h>

enum {
    /** Empty frames take 32 times that in memory. */
    BOUNCER_UNANSWERED_MAX = 2 * MESSAGE_SIZE_MAX,
    BOUNCER_EVERY_MS = 50,  /**< so often the thread looks */
    BOUNCER_FORGIVEN = 1,   /**< bytes, at each look */
    BOUNCER_ALL_EVERY = 20, /**< looks, of which one is at all descriptors, however far apart */
    BOUNCER_FD_COUNT_MAX = 65536 /**< descriptors from here on are not looked at */
};

struct bouncer;

/** Starts the thread. Returns 0 or ERROR_MEMORY. */
int
bouncer_start(struct bouncer **bouncer);

/** Ends the thread and makes `*bouncer` NULL; NULL already is fine. */
void
bouncer_stop(struct bouncer **bouncer);

/** Makes a bouncer without a thread. Returns NULL without memory. Free it with bouncer_stop(). */
struct bouncer *
bouncer_new(void);

/** Says that a whole message was taken from the connection of `fd`; -1 is none. Any thread. */
void
bouncer_took(struct bouncer *bouncer, int fd);

/**
 * Looks at all connections once; what is too much is counted from one look to the next. Returns how
 * many it has shut down. For one thread at a time.
 */
size_t
bouncer_look(struct bouncer *bouncer);

#endif
