/**
 * server.h: the turn of the broker's loop.
 *
 *     wait -> receive -> decide, append, sync (engine_apply) -> reply
 *
 * One turn takes at most one request from each lane that has one, and one sync covers them all.
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

/**
 * Makes a server over parts that stay the caller's. Each turn it wakes the upkeep thread when there
 * is work for it, and it tells the bouncer of each message that it took; a byte on `failed_fd`, an
 * eventfd, stops it as a failure. Where the lanes encrypt, `keys` says whose requests are accepted;
 * where they do not, it is NULL.
 *
 * SIGTERM, SIGINT and SIGHUP must be blocked in every thread: the server reads them from a
 * signalfd. Returns 0 or an error with the reason.
 */
int
server_open(struct server **server, struct lanes *lanes, struct engine *engine,
    struct accounts *accounts, struct keys *keys, struct upkeep *upkeep, struct bouncer *bouncer,
    int failed_fd, struct diagnostic *diagnostic);

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
