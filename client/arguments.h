/**
 * arguments.h: the words behind a command, made into items and units; and what has to be asked.
 */
#ifndef STOCKBUS_CLIENT_ARGUMENTS_H
#define STOCKBUS_CLIENT_ARGUMENTS_H

#include "client/client.h"

/**
 * Asks the person at the terminal. Returns the answer, borrowed, or NULL when there is none or an
 * empty one.
 */
const char *
arguments_ask(struct client *client, enum question question, const char *text);

/**
 * Takes `word` for an item: a UPC, or its name or a part that no other item has in its name. For a
 * name the broker's inventory is asked for, once a command.
 *
 * Returns OUTCOME_DONE with the UPC, or another outcome after having told why: OUTCOME_USAGE when
 * several items are meant, OUTCOME_REFUSED when none is.
 */
enum outcome
arguments_take_item(struct client *client, const char *command, const char *word, uint64_t *upc);

/**
 * Makes the lines of an order (room for ORDER_LINES_MAX) from the pairs of words behind words[0],
 * or, when there are none, from what is answered. `*line_count` is 0 when nothing was answered, or
 * the questions were left without an answer (Ctrl-C, the end of the input).
 */
enum outcome
arguments_take_lines(struct client *client, const char *command, size_t count, char **words,
    struct line *lines, size_t *line_count);

/**
 * Has the order confirmed if it is large and somebody is there. Returns OUTCOME_DONE, or
 * OUTCOME_USAGE when it is not to be made.
 */
enum outcome
arguments_confirm(
    struct client *client, const char *command, const struct line *lines, size_t line_count);

#endif
