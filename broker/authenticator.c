#include "broker/authenticator.h"

#include "broker/log.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

static const char endpoint[] = "inproc://zeromq.zap.01";

struct authenticator {
    struct keys *keys;
    void *socket; /* the thread's, once that runs */
    int end_fd;   /* an eventfd: readable when the thread shall end */
    pthread_t thread;
};

/* Frames of a request, in their order. */
enum frame {
    FRAME_VERSION,
    FRAME_ID,
    FRAME_DOMAIN,
    FRAME_ADDRESS,
    FRAME_ROUTING_ID,
    FRAME_MECHANISM,
    FRAME_KEY,
    FRAME_COUNT
};

/* A request. Of frames that are larger than any that is allowed, the size says so. */
struct handshake {
    struct {
        uint8_t data[64];
        size_t size;
    } frames[FRAME_COUNT];
    size_t count; /* of frames, also of those behind the last that is known */
};

/* Takes a request. Returns whether there was one. */
static bool
receive(void *socket, struct handshake *handshake)
{
    int more = 1;
    size_t more_size = sizeof more;
    handshake->count = 0;
    while (more != 0) {
        uint8_t dropped[1];
        bool is_known = handshake->count < FRAME_COUNT;
        int size = is_known ? zmq_recv(socket, handshake->frames[handshake->count].data,
                                  sizeof handshake->frames[0].data, ZMQ_DONTWAIT)
                            : zmq_recv(socket, dropped, sizeof dropped, ZMQ_DONTWAIT);
        if (size < 0) {
            return false;
        }
        if (is_known) {
            handshake->frames[handshake->count].size = (size_t)size;
        }
        handshake->count++;
        zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size);
    }
    return true;
}

static bool
frame_is(const struct handshake *handshake, enum frame frame, const char *text)
{
    return handshake->frames[frame].size == strlen(text) &&
           memcmp(handshake->frames[frame].data, text, strlen(text)) == 0;
}

/* Is it a client that may connect? Then its key is in `text`. */
static bool
is_welcome(struct keys *keys, const struct handshake *handshake, char text[CERTIFICATE_TEXT_SIZE])
{
    return handshake->count == FRAME_COUNT && frame_is(handshake, FRAME_VERSION, "1.0") &&
           frame_is(handshake, FRAME_DOMAIN, AUTHENTICATOR_DOMAIN) &&
           frame_is(handshake, FRAME_MECHANISM, "CURVE") &&
           handshake->frames[FRAME_KEY].size == CERTIFICATE_KEY_SIZE &&
           zmq_z85_encode(text, handshake->frames[FRAME_KEY].data, CERTIFICATE_KEY_SIZE) != NULL &&
           keys_allow(keys, text);
}

/* For whoever wonders why a client does not get through; at notice, a flood would fill the log. */
static void
log_refusal(const struct handshake *handshake, const char *key)
{
    const int size =
        handshake->count > FRAME_ADDRESS ? (int)handshake->frames[FRAME_ADDRESS].size : 0;
    const int size_max = (int)sizeof handshake->frames[0].data;
    log_line(LEVEL_DEBUG, "refused the key '%s' of a client at %.*s", key,
        size < size_max ? size : size_max, (const char *)handshake->frames[FRAME_ADDRESS].data);
}

static void
answer(const struct authenticator *authenticator, const struct handshake *handshake)
{
    char key[CERTIFICATE_TEXT_SIZE] = "";
    bool welcome = is_welcome(authenticator->keys, handshake, key);
    if (!welcome) {
        log_refusal(handshake, key);
    }
    const char *code = welcome ? "200" : "400";
    const char *user = welcome ? key : "";
    size_t id_size = handshake->count > FRAME_ID ? handshake->frames[FRAME_ID].size : 0;
    id_size = id_size <= sizeof handshake->frames[0].data ? id_size : 0;
    void *socket = authenticator->socket;
    /* A send fails only where whoever asked is gone. */
    (void)zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
    (void)zmq_send(socket, handshake->frames[FRAME_ID].data, id_size, ZMQ_SNDMORE);
    (void)zmq_send(socket, code, strlen(code), ZMQ_SNDMORE);
    (void)zmq_send(socket, "", 0, ZMQ_SNDMORE); /* what libzmq would only pass on to the peer */
    (void)zmq_send(socket, user, strlen(user), ZMQ_SNDMORE);
    (void)zmq_send(socket, "", 0, 0); /* no metadata */
}

static void *
answer_all(void *context)
{
    struct authenticator *authenticator = context;
    struct handshake handshake;
    zmq_pollitem_t items[2] = {
        {.socket = authenticator->socket, .events = ZMQ_POLLIN},
        {.fd = authenticator->end_fd, .events = ZMQ_POLLIN},
    };
    while ((items[1].revents & ZMQ_POLLIN) == 0) {
        if (zmq_poll(items, 2, -1) > 0 && (items[0].revents & ZMQ_POLLIN) != 0 &&
            receive(authenticator->socket, &handshake)) {
            answer(authenticator, &handshake);
        }
    }
    zmq_close(authenticator->socket);
    return NULL;
}

int
authenticator_open(
    struct authenticator **result, void *context, struct keys *keys, struct diagnostic *diagnostic)
{
    const int none = 0;
    struct authenticator *authenticator = calloc(1, sizeof *authenticator);
    if (authenticator == NULL) {
        return diagnostic_set(diagnostic, ERROR_MEMORY, "%s", error_text(ERROR_MEMORY));
    }
    authenticator->keys = keys;
    authenticator->end_fd = eventfd(0, EFD_CLOEXEC);
    authenticator->socket = zmq_socket(context, ZMQ_REP);
    bool good = authenticator->end_fd >= 0 && authenticator->socket != NULL &&
                zmq_setsockopt(authenticator->socket, ZMQ_LINGER, &none, sizeof none) == 0 &&
                zmq_bind(authenticator->socket, endpoint) == 0;
    int error = good ? 0 : ERROR_NETWORK;
    if (good && pthread_create(&authenticator->thread, NULL, answer_all, authenticator) != 0) {
        error = ERROR_MEMORY;
    }
    if (error != 0) {
        if (authenticator->socket != NULL) {
            zmq_close(authenticator->socket);
        }
        if (authenticator->end_fd >= 0) {
            close(authenticator->end_fd);
        }
        free(authenticator);
        return diagnostic_set(
            diagnostic, error, "setting up who may connect: %s", error_text(error));
    }
    *result = authenticator;
    return 0;
}

void
authenticator_close(struct authenticator **result)
{
    struct authenticator *authenticator = *result;
    if (authenticator != NULL) {
        const uint64_t one = 1;
        ssize_t put = write(authenticator->end_fd, &one, sizeof one);
        (void)put; /* it cannot fail on an eventfd that nobody has written to */
        pthread_join(authenticator->thread, NULL);
        close(authenticator->end_fd);
        free(authenticator);
        *result = NULL;
    }
}
