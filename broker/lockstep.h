/**
 * lockstep.h: ends the connections of clients that do not wait for replies.
 *
 * A client of a REP socket sends a request, waits for the reply, and sends the next. Of one that
 * does not wait, libzmq reads some hundred requests at once, and the loop takes one after the
 * other: everybody else waits for them. A high-water mark would bound how many those are, but with
 * one, libzmq 4.3.4 hands requests over one by one, and its thread goes on with that client until
 * there are none left, without a look at any other connection; and a reset at that time makes an
 * assertion of it fail.
 *
 * So the connection of whoever is seen to be ahead more than LOCKSTEP_AHEAD_MAX times in a row is
 * ended. The kernel knows, when a message is taken: there are bytes behind it, or none have come
 * since the message before. Some messages of each client are looked at, at random, so that nobody
 * can wait with just those; and all as long as it is ahead. A message of very many frames, which
 * are refused, is as bad as many messages. What those may gather who pace themselves, bouncer.h
 * bounds.
 *
 * libzmq still hands out messages of connections that are gone. Where their descriptor is another
 * connection's by now, they are held against that. It is not ended before it has brought
 * LOCKSTEP_BYTES_MIN, which gives them time to go away; should it be ended all the same, its client
 * connects again.
 */
#ifndef STOCKBUS_BROKER_LOCKSTEP_H
#define STOCKBUS_BROKER_LOCKSTEP_H

#include <stdbool.h>
#include <stddef.h>

enum {
    LOCKSTEP_AHEAD_MAX = 4,    /**< messages in a row */
    LOCKSTEP_FRAMES_MAX = 256, /**< of a message */
    /** Whoever has brought less, handshake and all, is not ended. */
    LOCKSTEP_BYTES_MIN = 1024
};

struct lockstep;

/** Returns NULL without memory. Free it with lockstep_free(). For one thread, as all that follows.
 */
struct lockstep *
lockstep_new(void);

/** Frees it and makes `*lockstep` NULL; NULL already is fine. */
void
lockstep_free(struct lockstep **lockstep);

/**
 * Says that a message was taken from the connection of `fd`, or so much of a long one as shows that
 * it is one: so many frames, the first empty one aside. It is not answered yet. A descriptor that
 * is none, or beyond those that are looked at, is fine. Returns whether the message was looked at
 * and the connection is at an end, now or before: then nobody waits for a reply, and the request
 * should not be done. More than once for one message is fine, with more than LOCKSTEP_FRAMES_MAX.
 * Does not block.
 */
bool
lockstep_took(struct lockstep *lockstep, int fd, size_t frames);

#endif
