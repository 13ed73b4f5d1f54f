/**
 * commands.h: the one table of commands that both programs, their help and their menus are made
 * from.
 */
#ifndef STOCKBUS_CLIENT_COMMANDS_H
#define STOCKBUS_CLIENT_COMMANDS_H

#include <stdio.h>

#include "client/client.h"
#include "client/outcome.h"

enum {
    WORDS_MAX = 1 + 2 * ORDER_LINES_MAX /* of a command: itself, and an order with most lines */
};

/** One row of the table of commands. */
struct command {
    const char *name;      /**< what is typed */
    const char *number;    /**< in the menu; NULL: not there */
    const char *title;     /**< in the menu; NULL: not there */
    const char *arguments; /**< as in a line of usage; may be empty */
    const char *summary;   /**< a few words */
    const char *help;      /**< some sentences */
    const char *examples;  /**< what may be typed, one a line */
    const char *next;      /**< what one does after it, for the menu; NULL: nothing in particular */
    size_t words_min;      /**< arguments at least; fewer where they can be asked for */
    size_t words_max;      /**< and at most */
    bool asks;             /**< missing arguments are asked for, where there is somebody to ask */
    bool needs_state;      /**< works on the state directory */
    /** Does it; the command itself is the first of the `count` words. */
    enum outcome (*run)(struct client *client, size_t count, char **words);
};

/** Returns the table; `*count` is its size. Static. */
const struct command *
commands_table(size_t *count);

/** Returns the command with this name, in letters of any size, or this number; or NULL. */
const struct command *
commands_find(const char *word);

/** Returns the command whose name is most like `word`, or NULL when none is like it. */
const struct command *
commands_nearest(const char *word);

/**
 * Runs a command: `words[0]` names it, `count` - 1 arguments follow. Tells what is wrong with them.
 */
enum outcome
commands_run(struct client *client, size_t count, char **words);

/** Writes the list of commands. */
void
commands_write_list(FILE *out);

/** Writes the help of one command. */
void
commands_write_help(FILE *out, const struct command *command);

#endif
