/**
 * credentials.h: what stockd makes for whoever sets it up, instead of serving.
 */
#ifndef STOCKBUS_BROKER_CREDENTIALS_H
#define STOCKBUS_BROKER_CREDENTIALS_H

#include "shared/error.h"

/**
 * Reads a password, from a terminal without echo or else from standard input, and prints its hash,
 * as users.conf wants it. Blocks.
 *
 * Returns 0; ERROR_INVALID when it is no password; or another error; with a sentence in
 * `diagnostic`.
 */
int
credentials_print_hash(struct diagnostic *diagnostic);

/**
 * Makes a certificate in the file `path`, and its secret beside it, and prints what to do with
 * them. Blocks.
 *
 * Returns 0; ERROR_EXISTS when there is one already; or another error; with a sentence in
 * `diagnostic`.
 */
int
credentials_make_certificate(const char *path, struct diagnostic *diagnostic);

#endif
