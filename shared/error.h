/**
 * error.h: what can go wrong inside the programs.
 *
 * A function that can fail returns 0 or one of these negative codes, and leaves its out parameters
 * alone when it fails. The codes that travel on the wire are another list, in protocol.h.
 *
 * A code alone cannot say which file, which key, which byte. Functions that know take a `struct
 * diagnostic` and write one sentence for a person into it; only the top of a program prints it.
 */
#ifndef STOCKBUS_SHARED_ERROR_H
#define STOCKBUS_SHARED_ERROR_H

#include <stdbool.h>
#include <stddef.h>

/** X(name, text) */
#define ERROR_LIST(X)                                                   \
    X(ERROR_MEMORY, "out of memory")                                    \
    X(ERROR_IO, "input/output error")                                   \
    X(ERROR_NO_SPACE, "no space left (disk, quota or file size limit)") \
    X(ERROR_NOT_FOUND, "not found")                                     \
    X(ERROR_EXISTS, "exists already")                                   \
    X(ERROR_PERMISSION, "permission denied")                            \
    X(ERROR_LOCKED, "in use by another process")                        \
    X(ERROR_DAMAGED, "damaged data")                                    \
    X(ERROR_INVALID, "invalid value")                                   \
    X(ERROR_TOO_LARGE, "too large")                                     \
    X(ERROR_TIMEOUT, "timed out")                                       \
    X(ERROR_INTERRUPTED, "interrupted")                                 \
    X(ERROR_CLOSED, "closed")                                           \
    X(ERROR_ADDRESS_IN_USE, "address in use")                           \
    X(ERROR_NETWORK, "network error")                                   \
    X(ERROR_DIRECTORY, "is a directory")                                \
    X(ERROR_TOO_MANY_FILES, "too many open files")

/** The codes counted from 0, for tables. */
enum error_index {
#define ERROR_INDEX(name, text) name##_INDEX,
    ERROR_LIST(ERROR_INDEX)
#undef ERROR_INDEX
    ERROR_COUNT
};

/** The codes themselves, all of them negative. */
enum error {
#define ERROR_VALUE(name, text) name = -1 - name##_INDEX,
    ERROR_LIST(ERROR_VALUE)
#undef ERROR_VALUE
};

/**
 * Returns the text of `error` (0 or a code of this header), never NULL. The string is static.
 */
const char *
error_text(int error);

/**
 * Returns the code that stands for the system error `system_errno` (a positive errno value).
 * What has no code of its own is ERROR_IO.
 */
int
error_from_errno(int system_errno);

/**
 * Is `error` a lack of something - memory, disk space, descriptors - that may be there later? What
 * was tried has then changed nothing, where its contract says so, and may be tried again.
 */
bool
error_may_pass(int error);

enum {
    DIAGNOSTIC_SIZE = 512
};

/** One sentence that names what went wrong with which thing; empty while nothing did. */
struct diagnostic {
    char text[DIAGNOSTIC_SIZE]; /**< with a zero at the end */
};

/**
 * Writes a sentence into `diagnostic` as printf would, cut at DIAGNOSTIC_SIZE - 1 bytes, and
 * returns `error`, so that a failure can be told and returned in one statement. `diagnostic` may be
 * NULL.
 */
int
diagnostic_set(struct diagnostic *diagnostic, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
