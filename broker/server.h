/**
 * server.h: the turn of the broker's loop.
 *
 *     wait -> receive -> decide, append, sync (engine_apply) -> reply
 *
 * One turn takes at most two requests from each lane, and one sync covers them all.
 * What changes nothing is answered before that: at that point all that it can show is on disk.
 */
#ifndef STOCKBUS_BROKER_SERVER_H
#define STOCKBUS_BROKER_SERVER_H

#include "broker/accounts.h"
#include "broker/bouncer.h"
#include "broker/engine.h"
#include "broker/keys.h"
#include "broker/lanes.h"

struct server;
struct upkeep;

/** What a server works with; all of it stays the caller's. */
struct server_parts {
    struct lanes *lanes;       /**< where requests come from */
    struct engine *engine;     /**< what decides them */
    struct accounts *accounts; /**< what checks passwords */
    struct keys *keys;     /**< whose requests are accepted; NULL where the lanes do not encrypt */
    struct upkeep *upkeep; /**< woken by a turn when there is work for it */
    struct bouncer *bouncer; /**< told of each message that was taken */
    int failed_fd;           /**< an eventfd: once it is readable, the server ends as failed */
};

/**
 * Makes a server over `parts`.
 *
 * SIGTERM, SIGINT and SIGHUP must be blocked in every thread: the server reads them from a
 * signalfd. Returns 0 or an error with the reason.
 */
int
server_open(
    struct server **server, const struct server_parts *parts, struct diagnostic *diagnostic);

/**
 * Serves until SIGTERM or SIGINT. SIGHUP reads the accounts and the keys again.
 *
 * Requests that were taken are answered before it returns 0. Any error of the engine ends it at
 * once, with no reply to what was not made durable. Blocks.
 */
int
server_run(struct server *server, struct diagnostic *diagnostic);

/** Frees the server and makes `*server` NULL; NULL already is fine. */
void
server_close(struct server **server);

#endif
