/**
 * bouncer.h: holds off peers that send on and on and get no answer.
 *
 * libzmq bounds the size of a frame, but not the number of frames in a message: one that never ends
 * is kept whole, and no REP socket ever sees any of it. A peer that never reads has its requests
 * read and answered for nothing. And while the loop waits for the disk, there is no end to what
 * peers that do not wait for replies may bring. All of these are connections on which a lot comes
 * in and no whole message is taken and answered. A client that waits for each reply never has more
 * than one request of MESSAGE_SIZE_MAX on the way.
 *
 * A thread looks at the counters that the kernel keeps for each TCP connection of the process, and
 * ends a connection that has brought more than BOUNCER_UNANSWERED_MAX bytes beyond those that were
 * taken, as the loop tells, before something was last sent on it. Neither alone is enough: libzmq
 * answers a heartbeat in the middle of a message, and who never reads has its messages taken all
 * the same. BOUNCER_FORGIVEN bytes a second are not counted, more than heartbeats need, encrypted
 * or not; at that speed at best a message that never ends gets on, of which libzmq then keeps some
 * 2,500 bytes a second. Nor are BOUNCER_SPARE bytes of each message that was taken.
 *
 * Before it is ended, such a peer costs all others the time of libzmq's thread, and after that it
 * comes again. So from BOUNCER_SLOW_FROM bytes on it is slowed: the kernel takes as little as it
 * can of what it sends, until it was answered, and the connection lasts. Where there are such
 * peers, or messages that nobody waits for (lockstep.h), the thread is on the alert for a second:
 * it looks more often, and slows from BOUNCER_SLOW_FROM_ON_ALERT on.
 *
 * Many connections together bring more than one does. While all of them have more than
 * BOUNCER_ALL_UNANSWERED_MAX bytes without an answer, what one may have is halved from look to
 * look, down to BOUNCER_UNANSWERED_LEAST; otherwise it is doubled, up to what it was.
 *
 * Should the descriptor belong to another connection by the time when one is ended, that one is
 * lost, and its client connects again: it is a matter of microseconds.
 */
#ifndef STOCKBUS_BROKER_BOUNCER_H
#define STOCKBUS_BROKER_BOUNCER_H

#include "shared/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /** Bytes without an answer. Empty frames take 32 times that in memory. */
    BOUNCER_UNANSWERED_MAX = 2 * MESSAGE_SIZE_MAX,
    /** So much everybody may bring: a handshake, encrypted or not, and an order of many lines. */
    BOUNCER_UNANSWERED_LEAST = 4096,
    BOUNCER_ALL_UNANSWERED_MAX = 8 * 1024 * 1024, /**< of all connections */
    /** A request and what goes with it: frames, handshake, encryption, a heartbeat. */
    BOUNCER_SLOW_FROM = MESSAGE_SIZE_MAX + 2048,
    BOUNCER_SLOW_FROM_ON_ALERT = 32768, /**< more than any request has that is not refused */
    BOUNCER_FORGIVEN = 80,              /**< bytes a second */
    /** Bytes of each message that was taken: others than libzmq may write a short frame's size in
     * eight bytes, and proxies put frames of their own before the empty one. */
    BOUNCER_SPARE = 64,
    BOUNCER_EVERY_MS = 50, /**< so often the thread looks, or less where looking takes long */
    BOUNCER_BUSY_MS = 10,  /**< so often while messages are taken, unless looking takes long */
    BOUNCER_ALERT_MS = 1,  /**< so often on the alert, likewise */
    BOUNCER_ALL_EVERY = 20 /**< regular looks, of which one is at all descriptors there may be */
};

/** What a look is to be like. */
struct bouncer_terms {
    uint64_t forgiven;  /**< bytes, of each connection */
    uint64_t slow_from; /**< bytes without an answer */
    bool is_thorough; /**< at all descriptors there may be, not just about those of the last look */
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

/**
 * Says that a whole message of so many bytes, as it was on the wire, was taken from the connection
 * of `fd`. A descriptor that is none, or beyond those that are looked at, is fine. Does not block.
 * Any thread.
 */
void
bouncer_took(struct bouncer *bouncer, int fd, size_t bytes);

/** Says that a message came whose sender waits for no reply. Does not block. Any thread. */
void
bouncer_alert(struct bouncer *bouncer);

/**
 * Looks at all connections once; what is too much is counted from one look to the next. Returns how
 * many it has slowed or ended, or sees go on though they are slow, and one more where all together
 * have brought too much. For one thread at a time.
 */
size_t
bouncer_look(struct bouncer *bouncer, const struct bouncer_terms *terms);

#endif
