#include "support/scratch.h"

#include <stdint.h>
#include <zmq.h>

#include "broker/authenticator.h"
#include "broker/lanes.h"
#include "shared/files.h"

enum {
    LANES = 3,
    TRIES = 6, /* connections, which the kernel spreads over the lanes */
    PATIENCE_MS = 10000
};

/* Lanes that encrypt, an allowed client, and the authenticator once a test has opened it. */
struct gate {
    void *context;
    struct certificate broker;
    struct certificate shop;
    struct certificate stranger;
    char clients[300];
    struct keys *keys;
    struct authenticator *authenticator;
    struct lanes lanes;
};

static void
make_certificate(const char *directory, const char *name, struct certificate *certificate)
{
    char path[400];
    char text[CERTIFICATE_TEXT_SIZE];
    struct diagnostic diagnostic;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    assert_int_equal(certificate_make(path, text, &diagnostic), 0);
    assert_int_equal(certificate_read_secret(path, certificate, &diagnostic), 0);
}

static void
open_gate(struct gate *gate, const char *directory)
{
    struct diagnostic diagnostic;
    *gate = (struct gate){.context = zmq_ctx_new()};
    snprintf(gate->clients, sizeof gate->clients, "%s/clients", directory);
    assert_int_equal(files_make_directory(files_system(), gate->clients), 0);
    make_certificate(directory, "broker", &gate->broker);
    make_certificate(directory, "stranger", &gate->stranger);
    make_certificate(gate->clients, "shop", &gate->shop);
    assert_int_equal(keys_open(&gate->keys, gate->clients, &diagnostic), 0);
    assert_int_equal(keys_count(gate->keys), 1);
}

static void
open_lanes(struct gate *gate)
{
    static const char text[] = "tcp://127.0.0.1:*";
    struct endpoint endpoint;
    struct diagnostic diagnostic;
    assert_int_equal(endpoint_parse(text, &endpoint, &diagnostic), 0);
    assert_int_equal(lanes_open(&gate->lanes, gate->context, text, &endpoint, NULL, LANES,
                         gate->broker.secret_key, &diagnostic),
        0);
}

static void
open_authenticator(struct gate *gate)
{
    struct diagnostic diagnostic;
    assert_int_equal(
        authenticator_open(&gate->authenticator, gate->context, gate->keys, &diagnostic), 0);
}

static void
close_gate(struct gate *gate)
{
    lanes_close(&gate->lanes);
    authenticator_close(&gate->authenticator);
    keys_close(&gate->keys);
    assert_null(gate->authenticator);
    assert_null(gate->keys);
    zmq_ctx_term(gate->context);
}

static void *
open_client(void *context, const struct gate *gate, const struct certificate *own)
{
    const int none = 0;
    void *client = zmq_socket(context, ZMQ_REQ);
    assert_non_null(client);
    assert_int_equal(zmq_setsockopt(client, ZMQ_LINGER, &none, sizeof none), 0);
    assert_int_equal(zmq_setsockopt(client, ZMQ_CURVE_SERVERKEY, gate->broker.public_key, 32), 0);
    assert_int_equal(zmq_setsockopt(client, ZMQ_CURVE_PUBLICKEY, own->public_key, 32), 0);
    assert_int_equal(zmq_setsockopt(client, ZMQ_CURVE_SECRETKEY, own->secret_key, 32), 0);
    return client;
}

/* Waits for the first event of a monitor. */
static uint16_t
take_event(void *monitor)
{
    uint16_t event = 0;
    uint8_t data[256];
    zmq_pollitem_t item = {.socket = monitor, .events = ZMQ_POLLIN};
    assert_int_equal(zmq_poll(&item, 1, PATIENCE_MS), 1);
    assert_true(zmq_recv(monitor, data, sizeof data, 0) > 0);
    memcpy(&event, data, sizeof event);
    assert_true(zmq_recv(monitor, data, sizeof data, 0) >= 0);
    return event;
}

/* Connects once, with a context of its own. Returns whether the handshake succeeded. */
static bool
is_let_in(const struct gate *gate, const struct certificate *own)
{
    const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                       ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    void *context = zmq_ctx_new();
    void *client = open_client(context, gate, own);
    assert_int_equal(zmq_socket_monitor(client, "inproc://events", events), 0);
    void *monitor = zmq_socket(context, ZMQ_PAIR);
    assert_int_equal(zmq_connect(monitor, "inproc://events"), 0);
    assert_int_equal(zmq_connect(client, gate->lanes.endpoint), 0);
    uint16_t event = take_event(monitor);
    zmq_close(client);
    zmq_close(monitor);
    zmq_ctx_term(context);
    return event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
}

static void
expect_nobody_is_let_in(const struct gate *gate)
{
    for (int i = 0; i < TRIES; i++) {
        assert_false(is_let_in(gate, &gate->shop));
        assert_false(is_let_in(gate, &gate->stranger));
    }
}

static void
expect_only_the_shop_is_let_in(const struct gate *gate)
{
    for (int i = 0; i < TRIES; i++) {
        assert_true(is_let_in(gate, &gate->shop));
        assert_false(is_let_in(gate, &gate->stranger));
    }
}

static void
lanes_without_an_authenticator_let_nobody_in(void **state)
{
    struct gate gate;
    open_gate(&gate, *state);
    open_lanes(&gate);
    expect_nobody_is_let_in(&gate);
    open_authenticator(&gate);
    expect_only_the_shop_is_let_in(&gate);
    close_gate(&gate);
}

static void
lanes_whose_authenticator_is_gone_let_nobody_in(void **state)
{
    struct gate gate;
    open_gate(&gate, *state);
    open_authenticator(&gate);
    open_lanes(&gate);
    expect_only_the_shop_is_let_in(&gate);
    authenticator_close(&gate.authenticator);
    expect_nobody_is_let_in(&gate);
    close_gate(&gate);
}

/* Asks the authenticator itself; returns its status, 200 or 400. The User-Id is in `user`. */
static int
ask(struct gate *gate, const char *const *frames, const size_t *sizes, size_t count, char *user)
{
    char reply[6][64] = {""};
    void *socket = zmq_socket(gate->context, ZMQ_REQ);
    const int none = 0;
    assert_int_equal(zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none), 0);
    assert_int_equal(zmq_connect(socket, "inproc://zeromq.zap.01"), 0);
    for (size_t i = 0; i < count; i++) {
        int more = i + 1 < count ? ZMQ_SNDMORE : 0;
        assert_int_equal(zmq_send(socket, frames[i], sizes[i], more), sizes[i]);
    }
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    assert_int_equal(zmq_poll(&item, 1, PATIENCE_MS), 1);
    for (size_t i = 0; i < 6; i++) {
        int more = 0;
        size_t size = sizeof more;
        assert_true(zmq_recv(socket, reply[i], sizeof reply[i] - 1, 0) >= 0);
        assert_int_equal(zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size), 0);
        assert_int_equal(more, i < 5);
    }
    zmq_close(socket);
    assert_string_equal(reply[0], "1.0");
    snprintf(user, sizeof reply[4], "%s", reply[4]);
    return (int)strtol(reply[2], NULL, 10);
}

static void
only_an_allowed_key_in_a_proper_request_is_welcome(void **state)
{
    struct gate gate;
    char user[64];
    char expected[CERTIFICATE_TEXT_SIZE];
    char large[5000] = "";
    open_gate(&gate, *state);
    open_authenticator(&gate);
    const char *key = (const char *)gate.shop.public_key;
    const char *good[] = {"1.0", "1", "stockbus", "127.0.0.1", "", "CURVE", key, "more"};
    const size_t good_sizes[] = {3, 1, 8, 9, 0, 5, 32, 4};
    assert_int_equal(ask(&gate, good, good_sizes, 7, user), 200);
    zmq_z85_encode(expected, gate.shop.public_key, sizeof gate.shop.public_key);
    assert_string_equal(user, expected);
    for (size_t count = 1; count <= 8; count++) {
        assert_int_equal(ask(&gate, good, good_sizes, count, user), count == 7 ? 200 : 400);
        assert_true(count == 7 || user[0] == '\0');
    }
    const struct {
        size_t frame;
        const char *text;
        size_t size;
    } wrong[] = {{0, "1.1", 3}, {0, large, sizeof large}, {2, "", 0}, {2, "stockbus2", 9},
        {2, large, sizeof large}, {5, "NULL", 4}, {5, "PLAIN", 5}, {6, key, 31},
        {6, (const char *)gate.stranger.public_key, 32}, {6, large, 32}, {6, large, sizeof large}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *frames[8];
        size_t sizes[8];
        memcpy(frames, good, sizeof frames);
        memcpy(sizes, good_sizes, sizeof sizes);
        frames[wrong[i].frame] = wrong[i].text;
        sizes[wrong[i].frame] = wrong[i].size;
        assert_int_equal(ask(&gate, frames, sizes, 7, user), 400);
        assert_string_equal(user, "");
    }
    assert_int_equal(ask(&gate, good, good_sizes, 7, user), 200);
    close_gate(&gate);
}

/* The keys change under a handshake's feet: for the thread sanitizer more than for itself. */
static void
keys_can_be_read_again_while_clients_connect(void **state)
{
    struct gate gate;
    struct diagnostic diagnostic;
    open_gate(&gate, *state);
    open_authenticator(&gate);
    open_lanes(&gate);
    void *client = open_client(gate.context, &gate, &gate.shop);
    assert_int_equal(zmq_connect(client, gate.lanes.endpoint), 0);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(keys_reload(gate.keys, NULL, NULL, &diagnostic), 0);
    }
    zmq_close(client);
    expect_only_the_shop_is_let_in(&gate);
    close_gate(&gate);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(lanes_without_an_authenticator_let_nobody_in),
        SCRATCH_TEST(lanes_whose_authenticator_is_gone_let_nobody_in),
        SCRATCH_TEST(only_an_allowed_key_in_a_proper_request_is_welcome),
        SCRATCH_TEST(keys_can_be_read_again_while_clients_connect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
