/**
 * actions.h: what the commands do. Each takes the words of its command line, its own name first,
 * `count` in all and as many as the table of commands allows, and tells what came of it.
 */
#ifndef STOCKBUS_CLIENT_ACTIONS_H
#define STOCKBUS_CLIENT_ACTIONS_H

#include "client/client.h"
#include "client/outcome.h"

/** login [USER] [--password-file FILE] */
enum outcome
action_login(struct client *client, size_t count, char **words);

/** inventory [ITEM...] */
enum outcome
action_inventory(struct client *client, size_t count, char **words);

/** local */
enum outcome
action_local(struct client *client, size_t count, char **words);

/** buy ITEM UNITS [ITEM UNITS]... */
enum outcome
action_buy(struct client *client, size_t count, char **words);

/** restock ITEM UNITS [ITEM UNITS]... */
enum outcome
action_restock(struct client *client, size_t count, char **words);

/** resolve [--void | --set-aside] */
enum outcome
action_resolve(struct client *client, size_t count, char **words);

/** logout */
enum outcome
action_logout(struct client *client, size_t count, char **words);

/** ping */
enum outcome
action_ping(struct client *client, size_t count, char **words);

/** stats */
enum outcome
action_stats(struct client *client, size_t count, char **words);

/** wait [--timeout MS] */
enum outcome
action_wait(struct client *client, size_t count, char **words);

/** config */
enum outcome
action_config(struct client *client, size_t count, char **words);

/** keygen [FILE] */
enum outcome
action_keygen(struct client *client, size_t count, char **words);

#endif
