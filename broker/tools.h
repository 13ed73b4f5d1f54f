/**
 * tools.h: what stockd does beside serving: it makes the secrets that its configuration speaks of.
 * Both tell the reason of a failure themselves.
 */
#ifndef STOCKBUS_BROKER_TOOLS_H
#define STOCKBUS_BROKER_TOOLS_H

#include "shared/error.h"

/**
 * Reads a password, without echo on a terminal and otherwise from standard input, and prints its
 * hash for users.conf. Blocks. Returns 0, ERROR_INVALID when it is no password, or ERROR_MEMORY.
 */
int
tools_hash_password(void);

/**
 * Makes certificate `path` and says what to do with it. Blocks. Returns 0, ERROR_EXISTS, or another
 * error of certificate_make().
 */
int
tools_make_certificate(const char *path);

#endif
