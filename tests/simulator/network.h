/**
 * network.h: messages under way between buyers and the broker.
 *
 * A request carries the serial number of its sending; the reply to it carries the same. A buyer
 * takes a reply only where it awaits that very serial: a REQ socket that timed out was closed, and
 * what comes for it later is dropped. One sending arrives once at most, as over TCP; what arrives
 * twice was sent twice.
 */
#ifndef STOCKBUS_TESTS_NETWORK_H
#define STOCKBUS_TESTS_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message {
    bool to_broker;
    int buyer; /**< who sent it, or shall get it; -1: a stranger */
    uint64_t serial;
    uint64_t due_ms; /**< not delivered before */
    unsigned char *data;
    size_t size;
};

enum {
    NETWORK_MESSAGES_MAX = 128
};

struct network {
    struct message messages[NETWORK_MESSAGES_MAX]; /**< oldest first */
    size_t count;
    uint64_t serial_last;
    uint64_t sent;
    uint64_t lost;
};

/** Puts a copy of a message on its way; where there are too many, the oldest one is lost. */
void
network_send(struct network *network, const struct message *message);

/** Takes message `number` off the network; its data is the caller's to free. */
struct message
network_take(struct network *network, size_t number);

/** Loses message `number`. */
void
network_lose(struct network *network, size_t number);

/** Loses all messages. */
void
network_clear(struct network *network);

#endif
