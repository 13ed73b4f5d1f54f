/**
 * password.h: where a password comes from: a file, the environment, or a terminal without echo.
 */
#ifndef STOCKBUS_CLIENT_PASSWORD_H
#define STOCKBUS_CLIENT_PASSWORD_H

#include "shared/error.h"
#include "shared/limits.h"

/**
 * Gets a password: the first line of `file` if that is not NULL, else the variable STOCK_PASSWORD,
 * else what is typed on the terminal after `user` was named there. May block for the latter.
 *
 * Returns 0 with the password, for the caller to wipe; ERROR_INTERRUPTED; or an error with a
 * sentence in `diagnostic`. A file that others than its owner may read is refused.
 */
int
password_get(char password[PASSWORD_SIZE_MAX + 1], const char *file, const char *user,
    struct diagnostic *diagnostic);

#endif
