/**
 * load.h: a lean load generator: one thread, plain sockets, epoll.
 *
 * The loop (load.c) opens the connections, decides what each asks next, takes the times and keeps
 * the books; how a request and its reply look on the wire is each peer's own (peer_*.c). Whatever
 * is not as it has to be ends the program: a wrong reply is no slow reply.
 */
#ifndef STOCKBUS_TESTS_BENCH_BUS_LOAD_H
#define STOCKBUS_TESTS_BENCH_BUS_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

enum {
    LINES_MAX = 100,
    TOKEN_SIZE = 16,
    USER_SIZE = 33,
    PASSWORD_SIZE = 129
};

/** What the command line says. */
struct options {
    const struct peer *peer;
    const char *host;
    uint16_t port;
    size_t connections;
    double seconds;
    double warm_up;
    unsigned views;   /* percent */
    size_t lines;     /* of one order, each of one unit */
    size_t pipelined; /* requests that a connection sends at once */
    uint64_t items;   /* to choose from */
    uint64_t seed;
    const char *login; /* file with a user and a password */
};

/** One order: which UPCs, one unit of each. Equal UPCs add up. */
struct order {
    uint64_t number;
    size_t line_count;
    uint64_t upcs[LINES_MAX];
};

struct connection {
    int fd;
    size_t number;
    bool is_writing; /**< epoll says when more can be written */
    struct bytes in;
    struct bytes out;
    size_t outstanding;  /**< replies that are due */
    uint64_t sent_ns;    /**< when they were asked for */
    uint64_t again_ns;   /**< when to log in once more; 0: not waiting for that */
    struct order order;  /**< the last one that was sent */
    uint64_t order_due;  /**< number of the order whose reply comes next */
    bool is_view;        /**< what the reply is to; requests of one pipeline are of one sort */
    bool is_counting;    /**< the reply is to a count of all units */
    uint64_t units;      /**< counted so far */
    uint64_t items_seen; /**< counted so far */

    /* The peer's own. */
    int step; /**< of its handshake, or of a request that takes several messages */
    uint64_t session;
    uint8_t token[TOKEN_SIZE];
    uint8_t nonce[TOKEN_SIZE];
    uint8_t history[8];
    uint64_t position;
};

/** How to talk to one sort of server. Each function appends to `connection->out`. */
struct peer {
    const char *name;
    /** Says hello and logs in; also called for another try after load_enter_again(). */
    void (*enter)(struct connection *connection);
    /** Takes one message off `data`. Returns the bytes it used, 0 when they are not all there. */
    size_t (*take)(struct connection *connection, const uint8_t *data, size_t size);
    void (*order)(struct connection *connection, const struct order *order);
    void (*view)(struct connection *connection, uint64_t upc);
    void (*count)(struct connection *connection); /**< NULL: it has no units to count */
};

extern const struct options *options;
extern const struct peer peer_bus, peer_echo, peer_redis, peer_statement, peer_transaction,
    peer_pickle;

/** Returns UPC number `i` of those that every peer sells: valid UPC-A codes in ascending order. */
uint64_t
load_upc(uint64_t i);

/** The connection has logged in. */
void
load_entered(struct connection *connection);

/** It has to try again in `wait_ms`. */
void
load_enter_again(struct connection *connection, uint64_t wait_ms);

/** A good reply has come, to the order or the view that is due. */
void
load_answered(struct connection *connection);

/** All units were counted. */
void
load_counted(struct connection *connection, uint64_t units);

/** Gives the user and the password of all connections. */
void
load_credentials(char user[USER_SIZE], char password[PASSWORD_SIZE]);

/** Says what is wrong and ends the program with status 1. */
_Noreturn void
die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
