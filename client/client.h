/**
 * client.h: the parts of a client put together, for the commands to work with.
 */
#ifndef STOCKBUS_CLIENT_CLIENT_H
#define STOCKBUS_CLIENT_CLIENT_H

#include "client/link.h"
#include "client/local_inventory.h"
#include "client/profile.h"
#include "client/render.h"
#include "client/shopper.h"

/**
 * Asks the person at the terminal `question` and returns the answer, borrowed until the next one,
 * or NULL when none is given.
 */
typedef const char *
ask_fn(void *context, const char *question);

struct client {
    struct profile profile;
    const char *password_file; /**< NULL: none was named */
    struct render render;
    ask_fn *ask; /**< NULL: there is nobody to ask */
    void *ask_context;
    bool in_script;                    /**< a command of a script is being run */
    bool quits;                        /**< 'quit' was asked for */
    struct local_inventory *inventory; /**< from client_open() on */
    struct shopper *shopper;           /**< the same */
    struct link *link;                 /**< from the first errand on */
};

/**
 * Opens the state directory of `profile`. Returns OUTCOME_DONE, or another outcome after having
 * told why. Blocks.
 */
enum outcome
client_open(struct client *client);

/** Closes what is open. Returns OUTCOME_DONE, or another outcome after having told why. Blocks. */
enum outcome
client_close(struct client *client);

/**
 * Carries out an errand that the shopper has begun with `step`. If it fails, that is told; if not,
 * the caller tells what came of it. Blocks.
 */
enum outcome
client_run(struct client *client, enum shopper_step step);

/** Tells that a command or setting is wrong, as printf would, and returns OUTCOME_USAGE. */
enum outcome
client_usage(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
