#include "support/tcp_pair.h"

#include <limits.h>
#include <poll.h>

#include "broker/lockstep.h"

enum {
    REQUEST = 24,         /* bytes on the wire */
    FRAMES = 1,           /* of a request */
    LOOKED_AT_WITHIN = 66 /* messages, of which two in a row are looked at */
};

static struct lockstep *lockstep;
static struct pair pair;

static int
setup(void **state)
{
    (void)state;
    lockstep = lockstep_new();
    pair = connect_pair();
    bring(&pair, LOCKSTEP_BYTES_MIN);
    return lockstep == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
    (void)state;
    close_pair(&pair);
    lockstep_free(&lockstep);
    lockstep_free(&lockstep);
    return 0;
}

/* The loop takes a request from the descriptor. Returns whether it is not to be done. */
static bool
take(void)
{
    return lockstep_took(lockstep, pair.served, FRAMES);
}

/* The broker answers, and the client reads it. */
static void
answer(void)
{
    char byte = 0;
    assert_int_equal(send(pair.served, &byte, 1, MSG_NOSIGNAL), 1);
    assert_int_equal(recv(pair.peer, &byte, 1, 0), 1);
}

/* Takes requests until the connection is ended; they have all come. */
static void
take_until_ended(int at_most)
{
    int count = 0;
    while (!take()) {
        assert_true(++count < at_most);
    }
    assert_true(ends(&pair));
}

/* Has the descriptor belong to another connection, as if libzmq had closed the one and accepted the
 * other. */
static void
replace_connection(void)
{
    struct pair next = connect_pair();
    assert_int_equal(dup2(next.served, pair.served), pair.served);
    close(next.served);
    close(pair.peer);
    pair.peer = next.peer;
}

static void
a_client_that_waits_for_each_reply_is_served(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        bring(&pair, REQUEST);
        assert_false(take());
        answer();
    }
    assert_false(is_ended(&pair));
}

static void
a_client_whose_requests_were_read_together_is_ended(void **state)
{
    (void)state;
    bring(&pair, 20 * REQUEST);
    for (int i = 0; i <= LOCKSTEP_AHEAD_MAX; i++) { /* the first is not ahead of anything */
        assert_false(take());
    }
    assert_false(is_ended(&pair));
    assert_true(take());
    assert_true(ends(&pair));
    assert_true(take()); /* what libzmq still has of it */
    assert_true(take());
}

static void
a_client_whose_requests_wait_in_the_kernel_is_ended(void **state)
{
    (void)state;
    char request[REQUEST] = {0};
    int count = 0;
    do {
        bring(&pair, REQUEST);
        assert_int_equal(send(pair.peer, request, sizeof request, 0), sizeof request);
        struct pollfd unread = {.fd = pair.served, .events = POLLIN};
        assert_int_equal(poll(&unread, 1, -1), 1);
        assert_true(++count <= LOCKSTEP_AHEAD_MAX + 2);
    } while (!take());
    assert_true(ends(&pair));
}

static void
a_client_that_gets_ahead_late_is_ended(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++) {
        bring(&pair, REQUEST);
        assert_false(take());
        answer();
    }
    bring(&pair, 200 * REQUEST);
    take_until_ended(LOOKED_AT_WITHIN + LOCKSTEP_AHEAD_MAX);
}

static void
a_few_requests_ahead_are_served(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        bring(&pair, (LOCKSTEP_AHEAD_MAX + 1) * REQUEST);
        for (int k = 0; k <= LOCKSTEP_AHEAD_MAX; k++) {
            assert_false(take());
        }
    }
    assert_false(is_ended(&pair));
}

static void
a_message_of_very_many_frames_ends_the_connection(void **state)
{
    (void)state;
    assert_false(lockstep_took(lockstep, pair.served, LOCKSTEP_FRAMES_MAX));
    answer();
    assert_true(lockstep_took(lockstep, pair.served, LOCKSTEP_FRAMES_MAX + 1));
    assert_true(ends(&pair));
}

static void
a_message_of_very_many_frames_is_never_overlooked(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) { /* from here on, some are not looked at */
        bring(&pair, REQUEST);
        assert_false(take());
        answer();
    }
    assert_true(lockstep_took(lockstep, pair.served, LOCKSTEP_FRAMES_MAX + 1));
    assert_true(ends(&pair));
}

static void
requests_of_a_connection_that_is_gone_are_not_done(void **state)
{
    (void)state;
    bring(&pair, REQUEST);
    assert_false(take());
    close(pair.served);
    assert_true(take());
    assert_int_equal(dup2(pair.peer, pair.served), pair.served); /* for the teardown */
}

static void
what_a_gone_connection_left_does_not_end_a_newcomer(void **state)
{
    (void)state;
    bring(&pair, 100 * REQUEST);
    take_until_ended(LOOKED_AT_WITHIN + LOCKSTEP_AHEAD_MAX);
    replace_connection();
    for (size_t brought = REQUEST; brought < LOCKSTEP_BYTES_MIN; brought += REQUEST) {
        bring(&pair, REQUEST);
        for (int i = 0; i < LOOKED_AT_WITHIN; i++) { /* all but the last are the other one's */
            assert_false(take());
        }
        assert_false(lockstep_took(lockstep, pair.served, LOCKSTEP_FRAMES_MAX + 1));
        answer();
    }
    assert_false(is_ended(&pair));
}

static void
whoever_comes_next_on_the_descriptor_is_ended_too(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        bring(&pair, LOCKSTEP_BYTES_MIN);
        take_until_ended(LOOKED_AT_WITHIN + LOCKSTEP_AHEAD_MAX);
        replace_connection();
    }
}

static void
what_is_no_descriptor_is_none(void **state)
{
    (void)state;
    assert_false(lockstep_took(lockstep, -1, 1));
    assert_false(lockstep_took(lockstep, INT_MAX, 1));
}

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR_TEST(a_client_that_waits_for_each_reply_is_served),
        PAIR_TEST(a_client_whose_requests_were_read_together_is_ended),
        PAIR_TEST(a_client_whose_requests_wait_in_the_kernel_is_ended),
        PAIR_TEST(a_client_that_gets_ahead_late_is_ended),
        PAIR_TEST(a_few_requests_ahead_are_served),
        PAIR_TEST(a_message_of_very_many_frames_ends_the_connection),
        PAIR_TEST(a_message_of_very_many_frames_is_never_overlooked),
        PAIR_TEST(requests_of_a_connection_that_is_gone_are_not_done),
        PAIR_TEST(what_a_gone_connection_left_does_not_end_a_newcomer),
        PAIR_TEST(whoever_comes_next_on_the_descriptor_is_ended_too),
        PAIR_TEST(what_is_no_descriptor_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
