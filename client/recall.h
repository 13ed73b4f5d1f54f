/**
 * recall.h: the commands that were typed, kept in a file from one visit to the next.
 *
 * One command a line, for its owner alone (0600). Only commands are kept, and never one that holds
 * a password: what was mistyped may be anything.
 */
#ifndef STOCKBUS_CLIENT_RECALL_H
#define STOCKBUS_CLIENT_RECALL_H

#include <stdbool.h>

enum {
    RECALL_LINES_MAX = 500 /* older ones are forgotten */
};

/** May `line` be kept in a file? */
bool
recall_may_keep(const char *line);

/**
 * Calls `add` with each line of file `path`, oldest first. A file that is not there, or cannot be
 * read, has none. A file that has grown long is cut.
 */
void
recall_load(const char *path, void (*add)(void *context, const char *line), void *context);

/** Adds a line to file `path`, making it where it is missing. Errors are not told: it is a comfort.
 */
void
recall_append(const char *path, const char *line);

#endif
