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

#include "client/style.h"
#include "shared/endpoint.h"
#include "shared/error.h"
#include "shared/files.h"
#include "shared/limits.h"

/** X(name, flag, variable of the environment, key of the file); no flag is an empty text */
#define PROFILE_LIST(X)                                                               \
    X(PROFILE_ENDPOINT, "--endpoint", "STOCK_ENDPOINT", "endpoint")                   \
    X(PROFILE_STATE, "--state", "STOCK_STATE", "state")                               \
    X(PROFILE_USER, "--user", "STOCK_USER", "user")                                   \
    X(PROFILE_TIMEOUT, "--timeout", "STOCK_TIMEOUT", "timeout_ms")                    \
    X(PROFILE_COLOR, "--color", "STOCK_COLOR", "color")                               \
    X(PROFILE_CONFIRM, "", "STOCK_CONFIRM_UNITS", "confirm_units")                    \
    X(PROFILE_CERTIFICATE, "--certificate", "STOCK_CERTIFICATE", "curve/certificate") \
    X(PROFILE_BROKER_KEY, "--broker-key", "STOCK_BROKER_KEY", "curve/broker_key")

/** The settings, in the order in which they are described. */
enum profile_key {
#define PROFILE_NAME(name, flag, variable, key) name,
    PROFILE_LIST(PROFILE_NAME)
#undef PROFILE_NAME
    PROFILE_COUNT
};

/** Where a setting was found. */
enum origin {
    ORIGIN_DEFAULT,
    ORIGIN_FILE,
    ORIGIN_ENVIRONMENT,
    ORIGIN_FLAG
};

/** What stood on the command line. NULL: nothing did. Borrowed. */
struct flags {
    const char *config;                /**< path of the file */
    const char *values[PROFILE_COUNT]; /**< of each setting */
};

enum {
    CONFIRM_UNITS_DEFAULT = 100
};

/** The settings as they count. */
struct profile {
    char endpoint[ENDPOINT_SIZE]; /**< tcp://HOST:PORT */
    char state[FILES_PATH_SIZE];  /**< the state directory */
    char user[USER_SIZE_MAX + 1]; /**< who logs in when nobody is named; may be empty */
    bool user_is_flag;            /**< it was on the command line */
    int64_t timeout_ms;           /**< how long a silent broker is waited for */
    enum style_choice color;      /**< when to use colours */
    uint64_t confirm_units;       /**< larger orders are asked about on a terminal; 0: none is */
    char certificate[FILES_PATH_SIZE];  /**< this client's; empty: the link is not encrypted */
    char broker_key[FILES_PATH_SIZE];   /**< the broker's public certificate; likewise */
    enum origin origins[PROFILE_COUNT]; /**< of each setting */
    char file[FILES_PATH_SIZE]; /**< the configuration file that was read; empty: there is none */
};

/**
 * Finds every setting. Returns 0, or ERROR_INVALID or a file error with a sentence in `diagnostic`
 * that names the flag, the variable, or file and key.
 */
int
profile_load(struct profile *profile, const struct flags *flags, struct diagnostic *diagnostic);

/** Is `text` a number of milliseconds that may be waited for? Then it is in `*ms`. */
bool
profile_parse_ms(const char *text, int64_t *ms);

/** A setting as a person would write it, and where it was found. */
struct profile_setting {
    const char *key;             /**< in the configuration file. Static */
    const char *source;          /**< flag, variable or file; empty for a default. The profile's */
    enum origin origin;          /**< where it was found */
    char value[FILES_PATH_SIZE]; /**< its value */
};

/** Describes setting `key` of `profile`. */
void
profile_describe(
    const struct profile *profile, enum profile_key key, struct profile_setting *setting);

#endif
