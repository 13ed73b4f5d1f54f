/**
 * completion_script.h: what a shell has to know to complete the command lines of both programs.
 */
#ifndef STOCKBUS_CLIENT_COMPLETION_SCRIPT_H
#define STOCKBUS_CLIENT_COMPLETION_SCRIPT_H

#include <stdio.h>

#include "client/outcome.h"

/**
 * Writes the completion script for `shell`, made from the tables of commands and options. Returns
 * OUTCOME_DONE, or OUTCOME_USAGE, after having told so, when there is none for that shell.
 */
enum outcome
completion_script_write(FILE *out, const char *shell);

#endif
