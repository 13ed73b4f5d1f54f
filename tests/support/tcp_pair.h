/** tcp_pair.h: a connection over loopback, both ends of it. */
#ifndef STOCKBUS_TESTS_TCP_PAIR_H
#define STOCKBUS_TESTS_TCP_PAIR_H

#include "support/cmocka_headers.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct pair {
    int peer;
    int served;
};

static inline struct pair
connect_pair(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    struct pair made;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &size), 0);
    made.peer = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(made.peer, (struct sockaddr *)&address, sizeof address), 0);
    made.served = accept(listening, NULL, NULL);
    assert_true(made.served >= 0);
    close(listening);
    return made;
}

static inline void
close_pair(const struct pair *closed)
{
    close(closed->peer);
    close(closed->served);
}

/* Waits until the connection has been ended, as the peer sees it. Returns false where it goes on.
 */
static inline bool
ends(const struct pair *seen)
{
    char byte;
    const struct timeval patience = {.tv_sec = 60};
    setsockopt(seen->peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return recv(seen->peer, &byte, 1, 0) < 0 && errno == ECONNRESET;
}

/* Has the connection been ended already? */
static inline bool
is_ended(const struct pair *seen)
{
    char byte;
    return recv(seen->peer, &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET;
}

/* Passes that many bytes from the peer to the one that serves, in one piece, which takes them in.
 */
static inline void
bring(const struct pair *pair, size_t size)
{
    static char data[8192];
    assert_true(size <= sizeof data);
    assert_int_equal(send(pair->peer, data, size, MSG_NOSIGNAL), size);
    assert_int_equal(recv(pair->served, data, size, MSG_WAITALL), size);
}

#endif
