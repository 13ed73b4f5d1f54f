/**
 * prompt.h: lines typed on a terminal, with editing and a history, through libedit.
 *
 * One thread, one prompt a process.
 */
#ifndef STOCKBUS_CLIENT_PROMPT_H
#define STOCKBUS_CLIENT_PROMPT_H

#include <stdbool.h>

#include "shared/error.h"

struct prompt;

/** Takes the terminal. Returns 0 with `*prompt`, the caller's to close, or ERROR_MEMORY. */
int
prompt_open(struct prompt **prompt, const char *program);

/** Gives the terminal back and makes `*prompt` NULL; NULL already is fine. */
void
prompt_close(struct prompt **prompt);

/**
 * Shows `text` and waits for a line. Returns it without its end, the prompt's until the next call;
 * or NULL at the end of the input and on Ctrl-C. With `remember` the arrow keys find it again.
 */
char *
prompt_read(struct prompt *prompt, const char *text, bool remember);

#endif
