/**
 * render.h: what the programs say: tables and sentences for people, tab-separated lines in a pipe,
 * JSON for programs.
 *
 * Answers go to `out`, messages to `err`. In JSON each answer is one object on a line of its own.
 */
#ifndef STOCKBUS_CLIENT_RENDER_H
#define STOCKBUS_CLIENT_RENDER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/lookup.h"
#include "client/profile.h"
#include "client/shopper.h"

/** Where a program writes, and how. */
struct render {
    const char
        *program;     /**< stands before messages; NULL in a conversation, which is plain enough */
    FILE *out;        /**< for answers; the caller's */
    FILE *err;        /**< for messages; the caller's */
    bool json;        /**< answers are JSON */
    bool quiet;       /**< no confirmations and no notes, only what was asked for and errors */
    bool is_terminal; /**< tables are aligned and fit its width */
    bool colors_out;  /**< answers may have colours */
    bool colors_err;  /**< messages may */
    char place[256];  /**< of a script: "file:line", stands before messages; or empty */
    struct shopper_order *kept; /**< see render_keep_before(); NULL: nothing was kept */
};

/** Prepares for these two streams: finds out whether `out` is a terminal. No colours as yet. */
void
render_init(struct render *render, const char *program, FILE *out, FILE *err);

/** Frees what the render holds. May be called twice. */
void
render_fini(struct render *render);

/** Finds out which of the streams are coloured. */
void
render_set_colors(struct render *render, enum style_choice choice);

/** Writes a message to `err`, under the program's name, if there is one, and the place in the
 * script. */
void
render_message(struct render *render, const char *text);

/** The same, unless it is to be quiet: something that is good to know. */
void
render_note(struct render *render, const char *text);

/** Writes that something failed: a message, and in JSON an object with `ok` false. */
void
render_failure(struct render *render, const char *word, const char *text);

/**
 * Writes that `word` may mean any of `count` items, which are the first of `total`: a message with
 * a line for each, and in JSON an object.
 */
void
render_ambiguous(struct render *render, const char *command, const char *word,
    const struct item *items, size_t count, size_t total);

/** Writes the failure of an errand, with what the broker said about it. */
void
render_refusal(struct render *render, const struct shopper_result *result);

/** Writes the broker's inventory. */
void
render_inventory(struct render *render, const struct shopper_result *result);

/** Writes the local inventory of `user` (NULL: nobody's), and what is pending. */
void
render_local(struct render *render, const struct local_state *state, const char *user);

/**
 * Writes that an order was made, voided or set aside, or that there is none. Names are found in
 * `items` and in `state`. `voided`: it was to be given up.
 */
void
render_order(struct render *render, const struct local_state *state, const struct lookup *items,
    const struct shopper_result *result, bool voided);

/** Writes what became of an order that was pending from before; in JSON a message only. */
void
render_before(struct render *render, const struct shopper_order *before);

/**
 * Writes the same, and keeps it for the JSON of the answer that is still to come: for a command of
 * more than one errand. NULL forgets it.
 */
void
render_keep_before(struct render *render, const struct shopper_order *before);

/** Writes that `user` is logged in, with `session`. */
void
render_login(
    struct render *render, const struct shopper_result *result, const struct local_state *state);

/** Writes that `user` is logged out. */
void
render_logout(struct render *render, const struct shopper_result *result, const char *user);

/** Writes that the broker at `endpoint` answered after `microseconds`. */
void
render_ping(struct render *render, const struct shopper_result *result, const char *endpoint,
    int64_t microseconds);

/** Writes that certificate `path` with the public key `key` was made, and what to do with it. */
void
render_keygen(struct render *render, const char *path, const char *key);

/** Writes the broker's figures. */
void
render_stats(struct render *render, const struct shopper_result *result);

/** Writes each setting, its value and where that was found. */
void
render_config(struct render *render, const struct profile *profile);

#endif
