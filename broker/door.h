/**
 * door.h: whether anybody may connect.
 *
 * libzmq hands out what peers have brought also when they are gone, and what each may bring at once
 * is bounded (connection.h, bouncer.h), but not how many come after it. Where peers come and go
 * faster than the loop gets rid of what they leave, nobody is let in for a while.
 */
#ifndef STOCKBUS_BROKER_DOOR_H
#define STOCKBUS_BROKER_DOOR_H

#include "broker/lanes.h"

enum {
    DOOR_LEFT_MAX = 1000, /**< messages left behind, within DOOR_MS and without a moment of rest */
    DOOR_MS = 1000        /**< so long it stays shut at most */
};

/** A door to lanes, which stay the caller's. It begins with the lanes, and zeros. */
struct door {
    const struct lanes *lanes; /**< whose listening sockets it is before */
    bool is_shut;              /**< nobody may connect */
    bool has_failed;           /**< to shut or to open; that is told once */
    size_t left_count;         /**< messages left behind since there was rest */
    uint64_t left_since_ms;    /**< the first of them */
};

/** Counts a message whose sender is gone or was sent away, and shuts the door when it is one too
 * many. `now_ms` is of a clock that never goes back. */
void
door_count_left(struct door *door, uint64_t now_ms);

/** Opens the door when it was shut for long enough, or at once when the loop is at rest. */
void
door_turn(struct door *door, bool is_at_rest, uint64_t now_ms);

/** Opens the door for whoever has the listening sockets next. */
void
door_leave(struct door *door);

#endif
