/**
 * endpoint.h: ZeroMQ endpoints of TCP, "tcp://HOST:PORT", taken apart.
 */
#ifndef STOCKBUS_SHARED_ENDPOINT_H
#define STOCKBUS_SHARED_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "shared/error.h"

enum {
    ENDPOINT_SIZE = 300 /**< room for the text of any endpoint, with the zero at its end */
};

/** A TCP endpoint, taken apart. */
struct endpoint {
    struct sockaddr_storage address; /**< port 0: any free one */
    socklen_t address_size;          /**< bytes of `address` that count */
    bool is_loopback;                /**< reached from this machine alone */
    bool is_ipv6;                    /**< otherwise IPv4 */
};

/**
 * Takes `text` apart. HOST is a name, an IPv4 address, an IPv6 address in brackets, or '*' for
 * every IPv4 address; PORT is a number from 1 to 65535, or '*' for a free one.
 *
 * Returns 0, or ERROR_INVALID with the reason. Blocks while a name is looked up.
 */
int
endpoint_parse(const char *text, struct endpoint *endpoint, struct diagnostic *diagnostic);

#endif
