/**
 * script.h: commands from a file, one a line.
 */
#ifndef STOCKBUS_CLIENT_SCRIPT_H
#define STOCKBUS_CLIENT_SCRIPT_H

#include <stdio.h>

#include "client/client.h"
#include "client/outcome.h"

/**
 * Runs the commands in `file`, which messages call `name`, to its end, to the first that fails
 * unless `keep_going`, to a 'quit', to Ctrl-C, or to the first after which the output cannot be
 * written.
 *
 * Words are separated by white space; double quotes hold one together; '#' begins a comment. A line
 * with a zero byte in it is not run, and has failed.
 * Returns OUTCOME_DONE, or how the last command that failed did; OUTCOME_USAGE when `file` cannot
 * be read to its end, after having told why. Blocks.
 */
enum outcome
script_run(struct client *client, FILE *file, const char *name, bool keep_going);

/** run [--keep-going] FILE: opens FILE ('-': standard input) and runs it. */
enum outcome
action_run(struct client *client, size_t count, char **words);

/** quit */
enum outcome
action_quit(struct client *client, size_t count, char **words);

#endif
