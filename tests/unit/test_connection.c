#include "support/tcp_pair.h"

#include <fcntl.h>
#include <poll.h>

#include "broker/connection.h"

enum {
    TRIED_MS = 50,      /* long enough for a connection over loopback, were it let in */
    PATIENCE_MS = 60000 /* the system tries again after a second, then two, and so on */
};

static struct pair pair;

static int
setup(void **state)
{
    (void)state;
    pair = connect_pair();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    close_pair(&pair);
    return 0;
}

static void
what_has_come_and_gone_is_known(void **state)
{
    (void)state;
    struct connection before;
    struct connection after;
    char reply = 0;
    assert_true(connection_know(pair.served, &before));
    bring(&pair, 100);
    assert_int_equal(send(pair.served, &reply, 1, MSG_NOSIGNAL), 1);
    assert_true(connection_know(pair.served, &after));
    assert_int_equal(after.cookie, before.cookie);
    assert_int_equal(after.bytes_received, before.bytes_received + 100);
    assert_int_equal(after.segments_sent, before.segments_sent + 1);
}

static void
no_two_connections_have_the_same_cookie(void **state)
{
    (void)state;
    struct connection first;
    struct connection second;
    assert_true(connection_know(pair.served, &first));
    close_pair(&pair);
    pair = connect_pair();
    assert_true(connection_know(pair.served, &second));
    assert_true(first.cookie != second.cookie);
}

static void
what_is_no_connection_is_not_known_and_not_cut(void **state)
{
    (void)state;
    struct connection connection;
    int file = open("/dev/null", O_RDWR);
    int ends[2];
    assert_true(file >= 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_false(connection_know(-1, &connection));
    assert_int_equal(errno, EBADF);
    assert_false(connection_know(file, &connection));
    assert_false(connection_know(ends[0], &connection));
    assert_int_equal(connection_unread(file), 0);
    assert_false(connection_cut(file));
    close(ends[0]);
    close(ends[1]);
    close(file);
}

static void
what_is_unread_is_counted(void **state)
{
    (void)state;
    char data[10] = {0};
    struct pollfd readable = {.fd = pair.served, .events = POLLIN};
    assert_int_equal(connection_unread(pair.served), 0);
    assert_int_equal(send(pair.peer, data, sizeof data, MSG_NOSIGNAL), sizeof data);
    assert_int_equal(poll(&readable, 1, PATIENCE_MS), 1);
    assert_int_equal(connection_unread(pair.served), sizeof data);
}

static void
nobody_gets_in_while_the_door_is_shut(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    int newcomer = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct pollfd connected = {.fd = newcomer, .events = POLLOUT};
    assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(connection_shut_door(listening, true), 0);
    assert_int_equal(connect(newcomer, (struct sockaddr *)&address, sizeof address), -1);
    assert_int_equal(errno, EINPROGRESS);
    assert_int_equal(poll(&connected, 1, TRIED_MS), 0);
    bring(&pair, 100); /* who is in stays in */
    assert_int_equal(connection_shut_door(listening, false), 0);
    assert_int_equal(poll(&connected, 1, PATIENCE_MS), 1);
    assert_int_equal(connected.revents, POLLOUT);
    close(newcomer);
    close(listening);
}

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR_TEST(what_has_come_and_gone_is_known),
        PAIR_TEST(no_two_connections_have_the_same_cookie),
        PAIR_TEST(what_is_no_connection_is_not_known_and_not_cut),
        PAIR_TEST(what_is_unread_is_counted),
        PAIR_TEST(nobody_gets_in_while_the_door_is_shut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
