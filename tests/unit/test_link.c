#include "support/cmocka_headers.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include <zmq.h>

#include "client/interrupt.h"
#include "client/link.h"

enum {
    SOON_MS = 50,
    DEADLINE_MS = 10000
};

/* A broker that the test plays, at the other end of a link. */
struct wire {
    void *context;
    void *broker;
    char endpoint[128];
    struct link *link;
};

static void
bind_broker(struct wire *wire, const char *endpoint)
{
    size_t size = sizeof wire->endpoint;
    int linger = 0;
    int deadline = DEADLINE_MS;
    wire->broker = zmq_socket(wire->context, ZMQ_ROUTER);
    assert_int_equal(zmq_setsockopt(wire->broker, ZMQ_LINGER, &linger, sizeof linger), 0);
    assert_int_equal(zmq_setsockopt(wire->broker, ZMQ_RCVTIMEO, &deadline, sizeof deadline), 0);
    assert_int_equal(zmq_bind(wire->broker, endpoint), 0);
    assert_int_equal(zmq_getsockopt(wire->broker, ZMQ_LAST_ENDPOINT, wire->endpoint, &size), 0);
}

static int
wire_setup(void **state)
{
    static struct wire wire;
    wire = (struct wire){.context = zmq_ctx_new()};
    bind_broker(&wire, "tcp://127.0.0.1:*");
    assert_int_equal(link_open(&wire.link, wire.endpoint, NULL, NULL), 0);
    *state = &wire;
    return 0;
}

static int
wire_teardown(void **state)
{
    struct wire *wire = *state;
    link_close(&wire->link);
    assert_null(wire->link);
    zmq_close(wire->broker);
    zmq_ctx_term(wire->context);
    return 0;
}

/* Takes a request and returns the frame that its reply has to begin with. */
static size_t
take(struct wire *wire, char *peer, const char *text)
{
    char body[16];
    int peer_size = zmq_recv(wire->broker, peer, 16, 0);
    assert_true(peer_size > 0);
    assert_int_equal(zmq_recv(wire->broker, body, sizeof body, 0), 0);
    assert_int_equal(zmq_recv(wire->broker, body, sizeof body, 0), strlen(text));
    assert_memory_equal(body, text, strlen(text));
    return (size_t)peer_size;
}

static void
answer(struct wire *wire, const char *peer, size_t peer_size, const char *text, int flags)
{
    (void)zmq_send(wire->broker, peer, peer_size, ZMQ_SNDMORE);
    (void)zmq_send(wire->broker, "", 0, ZMQ_SNDMORE);
    (void)zmq_send(wire->broker, text, strlen(text), flags);
    if ((flags & ZMQ_SNDMORE) != 0) {
        (void)zmq_send(wire->broker, text, strlen(text), 0);
    }
}

static void
expect(struct wire *wire, const char *text)
{
    const void *data = NULL;
    size_t size = 0;
    assert_int_equal(link_receive(wire->link, DEADLINE_MS, -1, &data, &size), 0);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(data, text, size);
}

static void
a_request_gets_its_reply(void **state)
{
    struct wire *wire = *state;
    char peer[16];
    for (int i = 0; i < 3; i++) {
        assert_int_equal(link_send(wire->link, "ask", 3), 0);
        size_t size = take(wire, peer, "ask");
        answer(wire, peer, size, "answer", 0);
        expect(wire, "answer");
    }
}

static void
a_reply_that_comes_too_late_is_never_read(void **state)
{
    struct wire *wire = *state;
    const void *data;
    size_t size;
    char first[16];
    char second[16];
    assert_int_equal(link_send(wire->link, "one", 3), 0);
    size_t first_size = take(wire, first, "one");
    assert_int_equal(link_receive(wire->link, SOON_MS, -1, &data, &size), ERROR_TIMEOUT);
    link_reset(wire->link);
    assert_int_equal(link_send(wire->link, "two", 3), 0);
    size_t second_size = take(wire, second, "two");
    answer(wire, first, first_size, "late", 0);
    answer(wire, second, second_size, "in time", 0);
    expect(wire, "in time");
}

static void
a_reply_of_two_frames_is_damaged(void **state)
{
    struct wire *wire = *state;
    const void *data;
    size_t size;
    char peer[16];
    assert_int_equal(link_send(wire->link, "ask", 3), 0);
    size_t peer_size = take(wire, peer, "ask");
    answer(wire, peer, peer_size, "half", ZMQ_SNDMORE);
    assert_int_equal(link_receive(wire->link, DEADLINE_MS, -1, &data, &size), ERROR_DAMAGED);
    link_reset(wire->link);
    a_request_gets_its_reply(state);
}

static void
a_wait_can_be_interrupted(void **state)
{
    struct wire *wire = *state;
    const void *data;
    size_t size;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(link_send(wire->link, "ask", 3), 0);
    assert_int_equal(write(ends[1], "!", 1), 1);
    assert_int_equal(
        link_receive(wire->link, DEADLINE_MS, ends[0], &data, &size), ERROR_INTERRUPTED);
    close(ends[0]);
    close(ends[1]);
}

static volatile sig_atomic_t alarms;

static void
count_alarm(int number)
{
    (void)number;
    alarms++;
}

/* Has a signal come every few milliseconds, or none any more. */
static void
set_alarms(int every_us)
{
    const struct itimerval timer = {{0, every_us}, {0, every_us}};
    struct sigaction action = {.sa_handler = count_alarm};
    sigemptyset(&action.sa_mask);
    alarms = 0;
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

static void
signals_other_than_ctrl_c_do_not_end_a_wait(void **state)
{
    struct wire *wire = *state;
    const void *data;
    size_t size;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(link_send(wire->link, "ask", 3), 0);
    set_alarms(2000);
    assert_int_equal(link_receive(wire->link, SOON_MS, ends[0], &data, &size), ERROR_TIMEOUT);
    assert_int_equal(interrupt_wait(SOON_MS), 0);
    assert_true(alarms > 0);
    set_alarms(0);
    close(ends[0]);
    close(ends[1]);
}

static void
ctrl_c_ends_a_wait(void **state)
{
    struct wire *wire = *state;
    const void *data;
    size_t size;
    assert_int_equal(interrupt_catch(), 0);
    assert_int_equal(link_send(wire->link, "ask", 3), 0);
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(
        link_receive(wire->link, DEADLINE_MS, interrupt_fd(), &data, &size), ERROR_INTERRUPTED);
    assert_int_equal(interrupt_wait(DEADLINE_MS), ERROR_INTERRUPTED);
    assert_true(interrupt_take());
    assert_int_equal(interrupt_wait(1), 0);
}

static void
what_is_no_endpoint_is_refused(void **state)
{
    static const char *const wrong[] = {
        "", "tcp://", "tcp://127.0.0.1", "ipc:///tmp/x", "tcp://:x"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct link *link = NULL;
        struct diagnostic diagnostic = {""};
        assert_int_equal(link_open(&link, wrong[i], NULL, &diagnostic), ERROR_INVALID);
        assert_null(link);
        assert_non_null(strstr(diagnostic.text, wrong[i]));
    }
}

#define WIRE_TEST(name) cmocka_unit_test_setup_teardown(name, wire_setup, wire_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WIRE_TEST(a_request_gets_its_reply),
        WIRE_TEST(a_reply_that_comes_too_late_is_never_read),
        WIRE_TEST(a_reply_of_two_frames_is_damaged),
        WIRE_TEST(a_wait_can_be_interrupted),
        WIRE_TEST(signals_other_than_ctrl_c_do_not_end_a_wait),
        WIRE_TEST(ctrl_c_ends_a_wait),
        cmocka_unit_test(what_is_no_endpoint_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
