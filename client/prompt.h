/**
 * prompt.h: lines typed on a terminal, with editing, completion and a history, through libedit.
 *
 * One thread, one prompt a process.
 */
#ifndef STOCKBUS_CLIENT_PROMPT_H
#define STOCKBUS_CLIENT_PROMPT_H

#include <stdbool.h>

#include "client/completion.h"
#include "shared/error.h"

struct prompt;

/** What the prompt asks of whom it works for. */
struct prompt_uses {
    const char *program; /**< its name, for libedit's own settings */
    const char *history; /**< path of the file of commands; borrowed */
    /** Returns the items that names are completed from; they may be looked up just now. */
    const struct lookup *(*items)(void *context);
    void *context; /**< given to `items` */
};

/** Takes the terminal. Returns 0 with `*prompt`, the caller's to close, or ERROR_MEMORY. */
int
prompt_open(struct prompt **prompt, const struct prompt_uses *uses);

/** Gives the terminal back and makes `*prompt` NULL; NULL already is fine. */
void
prompt_close(struct prompt **prompt);

/**
 * Shows `text`, in which \1 stands before and behind what takes no columns, and waits for a line.
 *
 * Returns it without its end, the prompt's until the next call; or NULL at the end of the input and
 * on Ctrl-C, which drops a command that was being typed and waits for another. `kind` is what the
 * tabulator completes; commands are found again with the arrow keys.
 */
char *
prompt_read(struct prompt *prompt, const char *text, enum completion_kind kind);

#endif
