#include "broker/lanes.h"

#include "broker/authenticator.h"
#include "broker/connection.h"
#include "shared/limits.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

enum {
    BACKLOG = 1024
};

/* The library has it in every build; its header shows it to those alone who ask for drafts. */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

/* What keeps a bad peer from costing others: see the options' pages in zmq_setsockopt(3). */
static const struct {
    int option;
    int value;
} lane_options[] = {
    {ZMQ_LINGER, 1000},
    {ZMQ_SNDHWM, LANES_REPLIES_MAX},
    /* None: a connection that waits for room in libzmq 4.3.4 and is reset by its peer makes an
     * assertion of it fail, if there is a heartbeat in the rest of what was read. What a peer may
     * send ahead is bounded by lockstep.h and bouncer.h. */
    {ZMQ_RCVHWM, 0},
    {ZMQ_BACKLOG, BACKLOG},
    {ZMQ_HANDSHAKE_IVL, 5000},
    {ZMQ_HEARTBEAT_IVL, 10000},
    {ZMQ_HEARTBEAT_TIMEOUT, 30000},
    {ZMQ_HEARTBEAT_TTL, 30000},
    {ZMQ_TCP_MAXRT, 30000}, /* a peer that writes but never reads answers no heartbeat's purpose */
    {ZMQ_TCP_KEEPALIVE, 1},
};

static int
complain(struct diagnostic *diagnostic, const char *text, int system_errno)
{
    int error = system_errno == EADDRINUSE ? ERROR_ADDRESS_IN_USE
                : system_errno == EACCES   ? ERROR_PERMISSION
                                           : ERROR_NETWORK;
    return diagnostic_set(diagnostic, error, "%s: %s", text, zmq_strerror(system_errno));
}

/* Makes a socket that listens. Returns its descriptor, or a negative errno value. */
static int
listen_on(const struct endpoint *endpoint, const struct sockaddr_storage *address, bool shared)
{
    const int yes = 1;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    bool good = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0;
    good = good && (!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) == 0);
    good = good && bind(fd, (const struct sockaddr *)address, endpoint->address_size) == 0;
    good = good && listen(fd, BACKLOG) == 0;
    if (!good) {
        int failed = errno;
        close(fd);
        return -failed;
    }
    return fd;
}

/*
 * Sees that the port is free: a bind with SO_REUSEPORT would join another broker on it, one without
 * fails. Returns 0 or a negative errno value.
 */
static int
probe(const struct endpoint *endpoint)
{
    int fd = listen_on(endpoint, &endpoint->address, false);
    if (fd >= 0) {
        close(fd);
    }
    return fd < 0 ? fd : 0;
}

/* Has a lane encrypt, and accept nobody but whom the authenticator lets in. */
static int
encrypt(void *socket, const uint8_t *secret_key)
{
    const int yes = 1;
    int failed = zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &yes, sizeof yes);
    failed |= zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret_key, CERTIFICATE_KEY_SIZE);
    failed |= zmq_setsockopt(socket, ZMQ_ZAP_ENFORCE_DOMAIN, &yes, sizeof yes);
    return failed;
}

/* Opens a socket with the options of a lane. Returns NULL with errno set when it cannot. */
static void *
open_socket(void *context, bool is_ipv6, const uint8_t *secret_key)
{
    const int64_t size_max = MESSAGE_SIZE_MAX;
    const int ipv6 = is_ipv6 ? 1 : 0;
    void *socket = zmq_socket(context, ZMQ_REP);
    if (socket == NULL) {
        return NULL;
    }
    int failed = zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max);
    /* Also where nobody is asked who may connect: with a domain, libzmq refuses ZMTP 1 and 2. What
     * does not begin as ZMTP 3 does it takes for ZMTP 1, also what browsers and port scans send,
     * and the rest of that for messages without an envelope, which its REP socket does not digest.
     */
    failed |= zmq_setsockopt(
        socket, ZMQ_ZAP_DOMAIN, AUTHENTICATOR_DOMAIN, sizeof AUTHENTICATOR_DOMAIN - 1);
    failed |= zmq_setsockopt(socket, ZMQ_IPV6, &ipv6, sizeof ipv6);
    for (size_t i = 0; i < sizeof lane_options / sizeof lane_options[0]; i++) {
        failed |= zmq_setsockopt(
            socket, lane_options[i].option, &lane_options[i].value, sizeof lane_options[i].value);
    }
    if (secret_key != NULL) {
        failed |= encrypt(socket, secret_key);
    }
    assert(failed == 0);
    return socket;
}

/* What all lanes are opened with. */
struct plan {
    void *context;
    const char *text;
    const struct endpoint *endpoint;
    const uint8_t *secret_key; /* NULL: connections are not encrypted */
};

/* Opens the next lane on `fd`. Returns 0 or errno. */
static int
open_lane(struct lanes *lanes, const struct plan *plan, int fd)
{
    void *socket = open_socket(plan->context, plan->endpoint->is_ipv6, plan->secret_key);
    if (socket == NULL) {
        return errno;
    }
    lanes->fds[lanes->count] = fd;
    lanes->sockets[lanes->count++] = socket;
    if (zmq_setsockopt(socket, ZMQ_USE_FD, &fd, sizeof fd) != 0) {
        return errno;
    }
    (void)connection_shut_door(fd, false); /* a broker that served on it may have died over it */
    int failed = connection_bound_unread(fd, CONNECTION_UNREAD_MAX);
    if (failed == 0 && zmq_bind(socket, plan->text) != 0) {
        failed = errno;
    }
    return failed;
}

static int
open_shared(struct lanes *lanes, const struct plan *plan, size_t count)
{
    struct sockaddr_storage address = plan->endpoint->address;
    int failed = -probe(plan->endpoint);
    while (failed == 0 && lanes->count < count) {
        int fd = listen_on(plan->endpoint, &address, true);
        if (fd < 0) {
            return -fd;
        }
        /* The first lane may have been given a free port: the others take the same. */
        socklen_t size = sizeof address;
        if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
            failed = errno;
            close(fd);
            return failed;
        }
        size_t lane = lanes->count;
        failed = open_lane(lanes, plan, fd);
        if (failed != 0 && lanes->count == lane) {
            close(fd); /* no socket has taken it over */
        }
    }
    return failed;
}

static int
open_given(struct lanes *lanes, const struct plan *plan, const int *fds, size_t count)
{
    int failed = 0;
    while (failed == 0 && lanes->count < count) {
        failed = open_lane(lanes, plan, fds[lanes->count]);
    }
    for (size_t i = lanes->count; i < count; i++) {
        close(fds[i]); /* no socket has taken it over */
    }
    return failed;
}

static int
open_alone(struct lanes *lanes, const struct plan *plan)
{
    /* ZeroMQ would take a host's name for that of a network device. */
    int fd = listen_on(plan->endpoint, &plan->endpoint->address, false);
    return fd < 0 ? -fd : open_given(lanes, plan, &fd, 1);
}

int
lanes_probe(const char *text, const struct endpoint *endpoint, struct diagnostic *diagnostic)
{
    int failed = -probe(endpoint);
    return failed == 0 ? 0 : complain(diagnostic, text, failed);
}

int
lanes_open(struct lanes *lanes, void *context, const char *text, const struct endpoint *endpoint,
    const int *fds, size_t count, const uint8_t *secret_key, struct diagnostic *diagnostic)
{
    assert(count >= 1 && count <= LANES_MAX);
    *lanes = (struct lanes){.count = 0};
    const struct plan plan = {context, text, endpoint, secret_key};
    int failed = fds != NULL  ? open_given(lanes, &plan, fds, count)
                 : count == 1 ? open_alone(lanes, &plan)
                              : open_shared(lanes, &plan, count);
    size_t size = sizeof lanes->endpoint;
    if (failed == 0 &&
        zmq_getsockopt(lanes->sockets[0], ZMQ_LAST_ENDPOINT, lanes->endpoint, &size) != 0) {
        failed = errno;
    }
    if (failed != 0) {
        lanes_close(lanes);
        return complain(diagnostic, text, failed);
    }
    return 0;
}

int
lanes_shut_door(const struct lanes *lanes, bool is_shut)
{
    int first = 0;
    for (size_t i = 0; i < lanes->count; i++) {
        int failed = connection_shut_door(lanes->fds[i], is_shut);
        first = first != 0 ? first : failed;
    }
    return first;
}

void
lanes_close(struct lanes *lanes)
{
    for (size_t i = 0; i < lanes->count; i++) {
        zmq_close(lanes->sockets[i]);
    }
    lanes->count = 0;
}

void
lanes_source(zmq_msg_t *message, bool is_encrypted, char *name, size_t size)
{
    const char *key = is_encrypted ? zmq_msg_gets(message, "User-Id") : NULL;
    const char *address = zmq_msg_gets(message, "Peer-Address");
    if (key != NULL) {
        snprintf(name, size, "%s", key);
    } else {
        snprintf(
            name, size, "%s %d", address != NULL ? address : "", zmq_msg_get(message, ZMQ_SRCFD));
    }
}

void
lanes_peer(zmq_msg_t *message, bool is_encrypted, char *name, size_t size)
{
    const char *key = is_encrypted ? zmq_msg_gets(message, "User-Id") : NULL;
    const char *address = zmq_msg_gets(message, "Peer-Address");
    address = address != NULL ? address : "an unknown address";
    if (key != NULL) {
        snprintf(name, size, "a client at %s with the key '%s'", address, key);
    } else {
        snprintf(name, size, "a client at %s", address);
    }
}
