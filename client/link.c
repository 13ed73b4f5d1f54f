#include "client/link.h"

#include "client/clock.h"
#include "shared/endpoint.h"
#include "shared/limits.h"
#include "shared/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum {
    HANDSHAKE_MS = 5000,
    HEARTBEAT_EVERY_MS = 10000,
    HEARTBEAT_TIMEOUT_MS = 30000
};

struct link {
    void *context;
    void *socket; /* NULL: the next request opens one */
    zmq_msg_t reply;
    char endpoint[ENDPOINT_SIZE];
    bool is_encrypted;
    struct link_keys keys; /* where it is */
};

static int
set_options(void *socket, const char *endpoint)
{
    const struct {
        int option;
        int value;
    } options[] = {
        {ZMQ_LINGER, 0},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
        {ZMQ_HEARTBEAT_IVL, HEARTBEAT_EVERY_MS},
        {ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS},
        {ZMQ_IPV6, strchr(endpoint, '[') != NULL},
    };
    const int64_t size_max = MESSAGE_SIZE_MAX;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (zmq_setsockopt(socket, options[i].option, &options[i].value, sizeof(int)) < 0) {
            return ERROR_NETWORK;
        }
    }
    return zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max) < 0 ? ERROR_NETWORK
                                                                                  : 0;
}

static int
encrypt(void *socket, const struct link_keys *keys)
{
    const struct certificate *own = &keys->certificate;
    bool good =
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, keys->broker_key, sizeof keys->broker_key) ==
            0 &&
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own->public_key, sizeof own->public_key) == 0 &&
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own->secret_key, sizeof own->secret_key) == 0;
    return good ? 0 : ERROR_NETWORK;
}

static int
connect_socket(struct link *link)
{
    if (link->socket != NULL) {
        return 0;
    }
    void *socket = zmq_socket(link->context, ZMQ_REQ);
    if (socket == NULL) {
        return ERROR_NETWORK;
    }
    int error = set_options(socket, link->endpoint);
    if (error == 0 && link->is_encrypted) {
        error = encrypt(socket, &link->keys);
    }
    if (error == 0 && zmq_connect(socket, link->endpoint) < 0) {
        bool is_wrong = errno == EINVAL || errno == EPROTONOSUPPORT || errno == ENOCOMPATPROTO;
        error = is_wrong ? ERROR_INVALID : ERROR_NETWORK;
    }
    if (error != 0) {
        zmq_close(socket);
        return error;
    }
    link->socket = socket;
    return 0;
}

static bool
decode_key(const char *text, uint8_t key[CERTIFICATE_KEY_SIZE])
{
    char again[CERTIFICATE_TEXT_SIZE] = "";
    bool good = strlen(text) == sizeof again - 1 && zmq_z85_decode(key, text) != NULL &&
                zmq_z85_encode(again, key, CERTIFICATE_KEY_SIZE) != NULL &&
                strcmp(again, text) == 0; /* libzmq is lenient about characters that Z85 lacks */
    explicit_bzero(again, sizeof again);
    return good;
}

int
link_keys_parse(struct link_keys *keys, const char *broker_key, const char *secret_key,
    struct diagnostic *diagnostic)
{
    char public_key[CERTIFICATE_TEXT_SIZE];
    const char *wrong = NULL;
    if (!decode_key(broker_key, keys->broker_key)) {
        wrong = "broker's";
    } else if (!decode_key(secret_key, keys->certificate.secret_key) ||
               zmq_curve_public(public_key, secret_key) != 0 ||
               !decode_key(public_key, keys->certificate.public_key)) {
        wrong = "secret";
    }
    return wrong == NULL ? 0
                         : diagnostic_set(diagnostic, ERROR_INVALID,
                               "the %s key is no key of 40 characters of Z85", wrong);
}

int
link_open(struct link **link, const char *endpoint, const struct link_keys *keys,
    struct diagnostic *diagnostic)
{
    struct link *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return diagnostic_set(diagnostic, ERROR_MEMORY, "%s", error_text(ERROR_MEMORY));
    }
    zmq_msg_init(&opened->reply);
    int size = snprintf(opened->endpoint, sizeof opened->endpoint, "%s", endpoint);
    opened->context = zmq_ctx_new();
    opened->is_encrypted = keys != NULL;
    if (keys != NULL) {
        opened->keys = *keys;
    }
    int error = ERROR_INVALID;
    if (opened->context == NULL) {
        error = ERROR_MEMORY;
    } else if ((size_t)size < sizeof opened->endpoint && strncmp(endpoint, "tcp://", 6) == 0) {
        error = connect_socket(opened);
    }
    if (error != 0) {
        link_close(&opened);
        return error == ERROR_INVALID
                   ? diagnostic_set(diagnostic, error,
                         "'%s' is no endpoint, which looks like " LINK_ENDPOINT_DEFAULT, endpoint)
                   : diagnostic_set(diagnostic, error, "%s: %s", endpoint, error_text(error));
    }
    *link = opened;
    return 0;
}

void
link_close(struct link **link)
{
    if (*link != NULL) {
        link_reset(*link);
        zmq_msg_close(&(*link)->reply);
        if ((*link)->context != NULL) {
            zmq_ctx_term((*link)->context);
        }
        explicit_bzero(&(*link)->keys, sizeof(*link)->keys);
        free(*link);
        *link = NULL;
    }
}

const char *
link_endpoint(const struct link *link)
{
    return link->endpoint;
}

bool
link_is_encrypted(const struct link *link)
{
    return link->is_encrypted;
}

int
link_send(struct link *link, const void *data, size_t size)
{
    int error = connect_socket(link);
    if (error != 0) {
        return error;
    }
    return wire_send_wiped(
        link->socket, data, size); /* there may be a password in it, or a token */
}

/*
 * Waits until the socket is readable. A signal as such ends no wait: Ctrl-C is known by the
 * descriptor, and all others (SIGWINCH, SIGCONT) are none of its business.
 */
static int
wait_readable(struct link *link, int64_t timeout_ms, int interrupt_fd)
{
    zmq_pollitem_t items[2] = {
        {.socket = link->socket, .events = ZMQ_POLLIN},
        {.fd = interrupt_fd, .events = ZMQ_POLLIN},
    };
    int64_t end_ms = clock_now_ms() + timeout_ms;
    int ready;
    do {
        int64_t left_ms = end_ms - clock_now_ms();
        ready = zmq_poll(items, interrupt_fd >= 0 ? 2 : 1, left_ms > 0 ? (long)left_ms : 0);
    } while (ready < 0 && errno == EINTR);
    if (ready < 0) {
        return ERROR_NETWORK;
    }
    if ((items[0].revents & ZMQ_POLLIN) != 0) {
        return 0;
    }
    return ready == 0 ? ERROR_TIMEOUT : ERROR_INTERRUPTED;
}

int
link_receive(
    struct link *link, int64_t timeout_ms, int interrupt_fd, const void **data, size_t *size)
{
    if (link->socket == NULL) {
        return ERROR_NETWORK;
    }
    int error = wait_readable(link, timeout_ms, interrupt_fd);
    if (error != 0) {
        return error;
    }
    if (zmq_msg_recv(&link->reply, link->socket, ZMQ_DONTWAIT) < 0) {
        return ERROR_NETWORK;
    }
    if (zmq_msg_more(&link->reply)) {
        return ERROR_DAMAGED;
    }
    *data = zmq_msg_data(&link->reply);
    *size = zmq_msg_size(&link->reply);
    return 0;
}

void
link_reset(struct link *link)
{
    if (link->socket != NULL) {
        zmq_close(link->socket);
        link->socket = NULL;
    }
}
