/**
 * connection.h: what the kernel knows of a TCP connection that libzmq holds, and its end.
 *
 * libzmq tells the descriptor of a message's connection. It may have closed that by now, and the
 * descriptor be another connection's: the cookie tells them apart.
 */
#ifndef STOCKBUS_BROKER_CONNECTION_H
#define STOCKBUS_BROKER_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONNECTION_FD_COUNT_MAX = 65536, /**< descriptors from here on are not looked at */
    /** What the kernel is to keep of a connection until libzmq reads it, as SO_RCVBUF takes it:
     * what one brings at once is what all others wait for. With much less the kernel drops segments
     * for want of room, which the client sends again after 200 ms. */
    CONNECTION_UNREAD_MAX = 4096
};

/** What is known of a connection. Where the descriptor changes hands while it is asked about, the
 * counters are those of the later connection than the cookie's. */
struct connection {
    uint64_t cookie;         /**< the kernel's name for it, which no other one ever has */
    uint64_t bytes_received; /**< by the kernel, whether they were read or not */
    uint32_t segments_sent;  /**< with data */
};

/** Returns how many descriptors are looked at: as many as the process may open, and no more than
 * CONNECTION_FD_COUNT_MAX. */
size_t
connection_fd_count(void);

/**
 * Asks about the connection of `fd`. Returns false, with errno, where it is none: EBADF where it is
 * no open descriptor. Does not block. Any thread.
 */
bool
connection_know(int fd, struct connection *connection);

/** Returns how many bytes have come that nobody has read yet; 0 where `fd` is no connection. */
size_t
connection_unread(int fd);

/**
 * Bounds what the kernel keeps of a connection until it is read; of a listening socket, that of
 * each connection that is established from now on. `bytes` as SO_RCVBUF takes them, which Linux
 * doubles for its bookkeeping; 0 is the least that it can. Returns 0 or an errno value. Any thread.
 */
int
connection_bound_unread(int fd, int bytes);

/**
 * Lets nobody connect to a listening socket, or everybody again: the kernel drops what comes, and
 * whoever wants to connect tries again a second later. Connections that are there are not
 * concerned. Returns 0 or an errno value. Any thread.
 */
int
connection_shut_door(int listening_fd, bool is_shut);

/**
 * Takes a connection off its peer: what is unread is thrown away, the peer gets a reset, and libzmq
 * closes what is left as if the peer had gone. Returns false where `fd` is none. Does not block.
 * Any thread. See connect(2), AF_UNSPEC.
 */
bool
connection_cut(int fd);

#endif
