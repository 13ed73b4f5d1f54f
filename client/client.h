/**
 * client.h: the parts of a client put together, for the commands to work with.
 */
#ifndef STOCKBUS_CLIENT_CLIENT_H
#define STOCKBUS_CLIENT_CLIENT_H

#include "client/link.h"
#include "client/local_inventory.h"
#include "client/lookup.h"
#include "client/profile.h"
#include "client/render.h"
#include "client/shopper.h"

/** What a question is about. */
enum question {
    QUESTION_WORD,
    QUESTION_ITEM
};

/**
 * Asks the person at the terminal `text` and returns the answer, borrowed until the next one,
 * or NULL when none is given.
 */
typedef const char *
ask_fn(void *context, enum question question, const char *text);

/** One program at work: its settings, what it keeps, and whom it talks to. */
struct client {
    struct profile profile;    /**< what it was told */
    const char *password_file; /**< NULL: none was named */
    struct render render;      /**< how it speaks */
    ask_fn *ask;               /**< NULL: there is nobody to ask */
    ask_fn *confirm;           /**< asks whether a large order is meant; NULL: it is not asked */
    void *ask_context;         /**< given to `ask` and `confirm` */
    bool in_script;            /**< a command of a script is being run */
    bool quits;                /**< 'quit' was asked for */
    bool is_away;              /**< the broker gave no answer to what was sent last */
    struct lookup items;       /**< the broker's, as they were seen last; maybe none */
    bool items_are_fresh;      /**< they were seen by the command that is being run */
    struct local_inventory *inventory; /**< from client_open() on */
    struct shopper *shopper;           /**< the same */
    struct link *link;                 /**< from the first errand on */
    struct link_keys keys;             /**< where the profile names certificates: from the files */
};

/**
 * Opens the state directory of `profile` and reads the certificates that it names. Returns
 * OUTCOME_DONE, or another outcome after having told why. Blocks.
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

/**
 * After silence of the broker: may it be that it encrypts, and this client does not? It then gives
 * no answer at all. Not where it has answered this client before.
 */
bool
client_may_lack_keys(const struct client *client);

/** Keeps the items of the view of all items that was just carried out, to find them by name. */
void
client_keep_items(struct client *client);

/**
 * Sees to it that items are known for completion, if that can be had within a moment; says nothing.
 */
void
client_peek_items(struct client *client);

/** Returns what item `upc` is called, as far as that is known here, or NULL. Borrowed. */
const char *
client_item_name(const struct client *client, uint64_t upc);

/**
 * Tells which item may have been meant by `digits`, which are no UPC or that of no item, as far as
 * that can be had within a moment: writes "did you mean …?" into `text`, or nothing.
 */
void
client_suggest(struct client *client, const char *digits, char *text, size_t size);

/** Tells that a command or setting is wrong, as printf would, and returns OUTCOME_USAGE. */
enum outcome
client_usage(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Writes out what standard output still holds.
 *
 * Returns `outcome`; or, after having told it, OUTCOME_DAMAGED in the place of OUTCOME_DONE when
 * anything that went there since the start could not be written.
 */
enum outcome
client_flush(struct client *client, enum outcome outcome);

#endif
