#include "support/cmocka_headers.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "broker/connection.h"
#include "broker/lanes.h"

enum {
    LANES = 2,
    TRIED_MS = 50,      /* long enough for a connection over loopback, were it let in */
    PATIENCE_MS = 60000 /* the system tries again after a second, then two, and so on */
};

static const char text[] = "tcp://127.0.0.1:*";
static void *context;
static struct lanes lanes;

static int
setup(void **state)
{
    (void)state;
    context = zmq_ctx_new();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    lanes_close(&lanes);
    zmq_ctx_term(context);
    return 0;
}

/* Makes a socket that listens where the system likes, as systemd hands it over. */
static int
listen_somewhere(void)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void
open_lanes(const int *fds, size_t count)
{
    struct endpoint endpoint;
    struct diagnostic diagnostic;
    assert_int_equal(endpoint_parse(text, &endpoint, &diagnostic), 0);
    assert_int_equal(
        lanes_open(&lanes, context, text, &endpoint, fds, count, NULL, &diagnostic), 0);
}

/* Begins to connect to a lane. */
static int
begin_to_connect(int listening)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, size), -1);
    assert_int_equal(errno, EINPROGRESS);
    return fd;
}

static bool
connects(int fd, int timeout_ms)
{
    struct pollfd connected = {.fd = fd, .events = POLLOUT};
    return poll(&connected, 1, timeout_ms) == 1 && connected.revents == POLLOUT;
}

static void
a_door_that_another_broker_left_shut_is_opened(void **state)
{
    (void)state;
    int fd = listen_somewhere();
    assert_int_equal(connection_shut_door(fd, true), 0);
    open_lanes(&fd, 1);
    int newcomer = begin_to_connect(lanes.fds[0]);
    assert_true(connects(newcomer, PATIENCE_MS));
    close(newcomer);
}

static void
little_is_kept_of_what_a_connection_brings_before_it_is_read(void **state)
{
    (void)state;
    open_lanes(NULL, LANES);
    for (size_t i = 0; i < LANES; i++) {
        int size = 0;
        socklen_t size_size = sizeof size;
        assert_int_equal(getsockopt(lanes.fds[i], SOL_SOCKET, SO_RCVBUF, &size, &size_size), 0);
        assert_int_equal(size, 2 * CONNECTION_UNREAD_MAX); /* as Linux tells it */
    }
}

static void
the_doors_of_all_lanes_are_shut_and_opened(void **state)
{
    (void)state;
    const int fds[LANES] = {listen_somewhere(), listen_somewhere()}; /* of two ports */
    open_lanes(fds, LANES);
    assert_int_equal(lanes_shut_door(&lanes, true), 0);
    int newcomers[LANES];
    for (size_t i = 0; i < LANES; i++) {
        newcomers[i] = begin_to_connect(lanes.fds[i]);
        assert_false(connects(newcomers[i], TRIED_MS));
    }
    assert_int_equal(lanes_shut_door(&lanes, false), 0);
    for (size_t i = 0; i < LANES; i++) {
        assert_true(connects(newcomers[i], PATIENCE_MS));
        close(newcomers[i]);
    }
}

#define LANES_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LANES_TEST(a_door_that_another_broker_left_shut_is_opened),
        LANES_TEST(little_is_kept_of_what_a_connection_brings_before_it_is_read),
        LANES_TEST(the_doors_of_all_lanes_are_shut_and_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
