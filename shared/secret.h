/**
 * secret.h: files that hold a secret, and files and folders that decide who is let in or trusted:
 * their owner's alone.
 */
#ifndef STOCKBUS_SHARED_SECRET_H
#define STOCKBUS_SHARED_SECRET_H

#include "shared/error.h"

/**
 * Sees that nobody but its owner may read or write file `path`. What is no regular file, as a pipe,
 * has no mode worth looking at, and passes.
 *
 * Returns 0; ERROR_PERMISSION with a sentence that names file, mode, and the command that helps; or
 * a file error with a sentence.
 */
int
secret_check(const char *path, struct diagnostic *diagnostic);

/**
 * Sees that nobody but its owner may write to file `path`, or put files into folder `path` or take
 * some away. Whoever may read it does no harm. Returns as secret_check().
 */
int
secret_check_writers(const char *path, struct diagnostic *diagnostic);

#endif
