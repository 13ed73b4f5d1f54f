#include "broker/lockstep.h"

#include "broker/connection.h"
#include "broker/log.h"

#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    LOOK_EVERY = 64 /* messages of a client at most, after which it is looked at again */
};

/* A connection, as it was at the last look at a message of it. */
struct client {
    uint64_t cookie;
    uint64_t received; /* bytes */
    uint8_t skips;     /* messages that are not looked at before the next one that is */
    unsigned ahead;    /* messages in a row that had come before the one before was answered */
    bool has_before;   /* the message before was looked at too */
    bool is_ended;
};

struct lockstep {
    uint32_t random; /* whoever could foresee which messages are looked at would wait with those */
    size_t fd_count;
    struct client clients[]; /* by descriptor */
};

struct lockstep *
lockstep_new(void)
{
    size_t fd_count = connection_fd_count();
    /* Only the pages of descriptors that are used are ever touched. */
    struct lockstep *lockstep = calloc(1, sizeof *lockstep + fd_count * sizeof(struct client));
    if (lockstep != NULL) {
        lockstep->fd_count = fd_count;
        lockstep->random = randombytes_random();
    }
    return lockstep;
}

void
lockstep_free(struct lockstep **lockstep)
{
    free(*lockstep);
    *lockstep = NULL;
}

/* Draws how many messages to skip. (The generator of Numerical Recipes, "quick and dirty".) */
static uint8_t
draw_skips(struct lockstep *lockstep)
{
    lockstep->random = lockstep->random * 1664525 + 1013904223;
    return (uint8_t)((lockstep->random >> 24) % LOOK_EVERY);
}

/* Looks at a message. Has it come before the one before was answered? */
static bool
is_ahead(struct lockstep *lockstep, struct client *client, uint64_t received, size_t unread)
{
    bool ahead = client->has_before && (received == client->received || unread > 0);
    client->received = received;
    if (!ahead && client->has_before) {
        client->has_before = false;
        client->skips = draw_skips(lockstep);
    } else {
        client->has_before = true;
    }
    return ahead;
}

bool
lockstep_took(struct lockstep *lockstep, int fd, size_t frames)
{
    struct connection connection;
    if (fd < 0 || (size_t)fd >= lockstep->fd_count) {
        return false;
    }
    struct client *client = &lockstep->clients[fd];
    if (client->skips > 0 && frames <= LOCKSTEP_FRAMES_MAX) {
        client->skips--;
        return false;
    }
    if (!connection_know(fd, &connection)) {
        *client = (struct client){0};
        return errno != ENOPROTOOPT; /* a kernel that does not tell: nobody is found ahead */
    }
    if (connection.cookie != client->cookie) {
        *client = (struct client){.cookie = connection.cookie};
    }
    if (client->is_ended) {
        return true; /* libzmq had more of it */
    }
    bool ahead = is_ahead(lockstep, client, connection.bytes_received, connection_unread(fd));
    client->ahead = ahead ? client->ahead + 1 : 0;
    bool is_too_much = client->ahead > LOCKSTEP_AHEAD_MAX || frames > LOCKSTEP_FRAMES_MAX;
    client->is_ended =
        is_too_much && connection.bytes_received >= LOCKSTEP_BYTES_MIN && connection_cut(fd);
    if (client->is_ended) {
        client->skips = 0;
        log_line(LEVEL_DEBUG, "ended a connection: %s",
            frames > LOCKSTEP_FRAMES_MAX ? "a message of too many frames"
                                         : "requests that did not wait for replies");
    }
    return client->is_ended;
}
