/**
 * config.h: conf/broker.conf as a struct.
 */
#ifndef STOCKBUS_BROKER_CONFIG_H
#define STOCKBUS_BROKER_CONFIG_H

#include "shared/endpoint.h"
#include "shared/files.h"

/** What the configuration file says. Texts end with a zero. */
struct config {
    char bind[ENDPOINT_SIZE];           /**< where to listen */
    char data[FILES_PATH_SIZE];         /**< data directory */
    char users[FILES_PATH_SIZE];        /**< users.conf */
    char inventory[FILES_PATH_SIZE];    /**< inventory.conf */
    char plaintext_beyond_loopback[64]; /**< see config_check() */
    char certificate[FILES_PATH_SIZE];  /**< the broker's; empty: nothing is encrypted */
    char clients[FILES_PATH_SIZE];      /**< folder of the clients' certificates; likewise */
    uint64_t lanes;                     /**< REP sockets on the port, 1 to LANES_MAX */
    uint64_t segment_mib;               /**< size of one journal, in MiB */
    uint64_t sessions_max;              /**< open at once, in all */
    uint64_t sessions_user_max;         /**< of one user */
    char log_level[16];                 /**< as log_set_level() wants it */
    char log_format[16];                /**< as log_set_format() wants it */
    struct endpoint endpoint;           /**< `bind`, taken apart by config_check() */
};

/** Sets every member to its default. */
void
config_init(struct config *config);

/**
 * Reads file `path` over the defaults. Relative paths in it are taken from its folder.
 *
 * Returns 0, or an error with a sentence that names file, line or key, and reason. See
 * settings_read().
 */
int
config_read(struct config *config, const char *path, struct diagnostic *diagnostic);

/**
 * Sees that the parts fit together: the endpoint, the lanes and the size of a journal, the two
 * settings of encryption, and that an address beyond loopback is served without encryption only
 * where that was asked for in so many words.
 *
 * Returns 0 or ERROR_INVALID with the reason. May block while a name is looked up.
 */
int
config_check(struct config *config, struct diagnostic *diagnostic);

/** Does it say that connections are encrypted? */
bool
config_encrypts(const struct config *config);

#endif
