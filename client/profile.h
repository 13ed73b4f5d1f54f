/**
 * profile.h: what a client is told about its surroundings.
 *
 * Each setting is taken from the first of these that has it: the command line, the environment, the
 * configuration file, a default. The configuration file is the one named by --config or
 * STOCK_CONFIG, else ~/.config/stockbus/client.conf, else /etc/stockbus/client.conf.
 */
#ifndef STOCKBUS_CLIENT_PROFILE_H
#define STOCKBUS_CLIENT_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/error.h"
#include "shared/files.h"
#include "shared/limits.h"

/* X(name, flag, variable of the environment, key of the file) */
#define PROFILE_LIST(X)                                             \
    X(PROFILE_ENDPOINT, "--endpoint", "STOCK_ENDPOINT", "endpoint") \
    X(PROFILE_STATE, "--state", "STOCK_STATE", "state")             \
    X(PROFILE_USER, "--user", "STOCK_USER", "user")                 \
    X(PROFILE_TIMEOUT, "--timeout", "STOCK_TIMEOUT", "timeout_ms")

enum profile_key {
#define PROFILE_NAME(name, flag, variable, key) name,
    PROFILE_LIST(PROFILE_NAME)
#undef PROFILE_NAME
    PROFILE_COUNT
};

/** What stood on the command line. NULL: nothing did. Borrowed. */
struct flags {
    const char *config;
    const char *values[PROFILE_COUNT];
};

enum {
    ENDPOINT_TEXT_SIZE = 256
};

struct profile {
    char endpoint[ENDPOINT_TEXT_SIZE]; /**< tcp://HOST:PORT */
    char state[FILES_PATH_SIZE];       /**< the state directory */
    char user[USER_SIZE_MAX + 1];      /**< who logs in when nobody is named; may be empty */
    bool user_is_flag;                 /**< it was on the command line */
    int64_t timeout_ms;                /**< how long a silent broker is waited for */
};

/**
 * Finds every setting. Returns 0, or ERROR_INVALID or a file error with a sentence in `diagnostic`
 * that names the flag, the variable, or file and key.
 */
int
profile_load(struct profile *profile, const struct flags *flags, struct diagnostic *diagnostic);

#endif
