/*
 * libzmq's inproc: each producer has a PUSH socket that is connected to the PULL socket of each
 * consumer. The bound is that of each such pair, not of all.
 */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum {
    SOCKETS_MAX = 64
};

static void *context;
static void *pushers[SOCKETS_MAX];
static void *pullers[SOCKETS_MAX];
static void *enders[SOCKETS_MAX];
static bool ending[SOCKETS_MAX];
static int consumer_count;

/* A call of ZeroMQ that must work, or what is measured would not be what is told. */
static void
must(int result, const char *call)
{
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", call, zmq_strerror(zmq_errno()));
        exit(1);
    }
}

static void *
open_socket(int type, int capacity)
{
    void *socket = zmq_socket(context, type);
    must(socket == NULL ? -1 : 0, "zmq_socket");
    int half = capacity / 2; /* the two ends of an inproc pipe add up */
    int linger = -1;
    must(zmq_setsockopt(socket, ZMQ_SNDHWM, &half, sizeof half), "zmq_setsockopt");
    must(zmq_setsockopt(socket, ZMQ_RCVHWM, &half, sizeof half), "zmq_setsockopt");
    must(zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger), "zmq_setsockopt");
    return socket;
}

void
peer_open(int producers, int consumers, int capacity)
{
    char endpoint[32];
    context = zmq_ctx_new();
    consumer_count = consumers;
    for (int i = 0; i < consumers; i++) {
        snprintf(endpoint, sizeof endpoint, "inproc://%d", i);
        pullers[i] = open_socket(ZMQ_PULL, capacity);
        must(zmq_bind(pullers[i], endpoint), "zmq_bind");
        enders[i] = open_socket(ZMQ_PUSH, capacity);
        must(zmq_connect(enders[i], endpoint), "zmq_connect");
    }
    for (int i = 0; i < producers; i++) {
        pushers[i] = open_socket(ZMQ_PUSH, capacity);
        for (int j = 0; j < consumers; j++) {
            snprintf(endpoint, sizeof endpoint, "inproc://%d", j);
            must(zmq_connect(pushers[i], endpoint), "zmq_connect");
        }
    }
}

void
peer_put(int number, const struct item *item)
{
    if (zmq_send(pushers[number], item, sizeof *item, 0) < 0) {
        must(-1, "zmq_send");
    }
}

int
peer_take(int number, struct item *item, int wanted)
{
    (void)wanted;
    for (;;) {
        int size = zmq_recv(pullers[number], item, sizeof *item, ending[number] ? ZMQ_DONTWAIT : 0);
        if (size == (int)sizeof *item) {
            return 1;
        }
        if (size < 0 && zmq_errno() == EINTR) {
            continue;
        }
        if (size < 0 && (!ending[number] || zmq_errno() != EAGAIN)) {
            must(-1, "zmq_recv");
        }
        if (size < 0) {
            return 0; /* all producers are done, and nothing is left */
        }
        ending[number] = true; /* an empty message: only what is there already is to be taken */
    }
}

void
peer_end(void)
{
    for (int i = 0; i < consumer_count; i++) {
        must(zmq_send(enders[i], "", 0, 0), "zmq_send");
    }
}
