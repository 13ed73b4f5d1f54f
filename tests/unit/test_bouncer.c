#include "support/tcp_pair.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "broker/bouncer.h"

enum {
    CHUNK = 2048,
    FORGIVEN = 4, /* bytes, at a look */
    FAR = 900,    /* a descriptor below the usual limit */
    CHUNKS_TO_SLOW = BOUNCER_SLOW_FROM / CHUNK + 1,
    CHUNKS_TOO_MANY = BOUNCER_UNANSWERED_MAX / CHUNK + 1,
    CHUNKS_HONEST = 20000 / CHUNK,
    CHUNKS_BORNE = BOUNCER_SLOW_FROM / CHUNK - 1,
    CROWD = BOUNCER_ALL_UNANSWERED_MAX / (CHUNKS_BORNE * CHUNK) + 1 /* too many of them */
};

static struct bouncer *bouncer;
static struct pair pair;

static const struct bouncer_terms usual = {FORGIVEN, BOUNCER_SLOW_FROM, false};
static const struct bouncer_terms on_alert = {0, BOUNCER_SLOW_FROM_ON_ALERT, false};
static const struct bouncer_terms thorough = {FORGIVEN, BOUNCER_SLOW_FROM, true};

static size_t
look(const struct bouncer_terms *terms)
{
    return bouncer_look(bouncer, terms);
}

static int
setup(void **state)
{
    (void)state;
    bouncer = bouncer_new();
    pair = connect_pair();
    return bouncer == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
    (void)state;
    close_pair(&pair);
    bouncer_stop(&bouncer);
    return 0;
}

/* Passes `count` chunks from the peer to the one that serves. */
static void
pass_by(const struct pair *passed, int count)
{
    for (int i = 0; i < count; i++) {
        bring(passed, CHUNK);
    }
}

static void
pass(int count)
{
    pass_by(&pair, count);
}

/* Does the kernel keep as little as it can of what the connection brings? */
static bool
is_slow(const struct pair *asked)
{
    int size = 0;
    socklen_t size_size = sizeof size;
    assert_int_equal(getsockopt(asked->served, SOL_SOCKET, SO_RCVBUF, &size, &size_size), 0);
    return size < 4096;
}

static void
a_connection_that_brings_more_and_more_without_an_answer_is_slowed(void **state)
{
    (void)state;
    struct pair other = connect_pair();
    for (int i = 0; i < CHUNKS_TO_SLOW - 1; i++) {
        pass(1);
        assert_int_equal(look(&usual), 0);
    }
    assert_false(is_slow(&pair));
    pass(1);
    assert_int_equal(look(&usual), 1);
    assert_true(is_slow(&pair));
    assert_int_equal(look(&usual), 0); /* nothing has come since */
    pass(1);
    assert_int_equal(look(&usual), 1);
    assert_false(is_ended(&pair));
    assert_false(is_ended(&other));
    assert_false(is_slow(&other));
    close_pair(&other);
}

static void
a_slow_connection_that_is_answered_is_slow_no_longer(void **state)
{
    (void)state;
    char byte = 0;
    pass(CHUNKS_TO_SLOW);
    assert_int_equal(look(&usual), 1);
    assert_true(is_slow(&pair));
    bouncer_took(bouncer, pair.served, CHUNKS_TO_SLOW * CHUNK);
    assert_int_equal(look(&usual), 0);
    assert_true(is_slow(&pair));
    assert_int_equal(send(pair.served, &byte, 1, 0), 1);
    assert_int_equal(look(&usual), 0);
    assert_false(is_slow(&pair));
}

static void
what_is_not_taken_counts_whatever_else_is_answered(void **state)
{
    (void)state;
    char byte = 0;
    for (int i = 0; i < CHUNKS_TO_SLOW; i++) {
        assert_int_equal(look(&usual), 0);
        pass(2);
        bouncer_took(bouncer, pair.served, CHUNK - BOUNCER_SPARE);
        assert_int_equal(send(pair.served, &byte, 1, 0), 1);
        assert_int_equal(recv(pair.peer, &byte, 1, 0), 1);
    }
    assert_int_equal(look(&usual), 1);
    assert_true(is_slow(&pair));
}

static void
a_client_that_writes_more_bytes_than_it_needs_is_not_slowed(void **state)
{
    (void)state;
    char byte = 0;
    for (int i = 0; i < 2 * BOUNCER_UNANSWERED_MAX / BOUNCER_SPARE; i++) {
        bring(&pair, 24 + BOUNCER_SPARE);
        bouncer_took(bouncer, pair.served, 24);
        assert_int_equal(send(pair.served, &byte, 1, 0), 1);
        assert_int_equal(recv(pair.peer, &byte, 1, 0), 1);
        assert_int_equal(look(&on_alert), 0);
    }
    assert_false(is_slow(&pair));
}

static void
what_was_taken_of_another_connection_is_no_credit(void **state)
{
    (void)state;
    char byte = 0;
    assert_int_equal(look(&usual), 0);
    bouncer_took(bouncer, pair.served, CHUNKS_TOO_MANY * CHUNK);
    assert_int_equal(send(pair.served, &byte, 1, 0), 1);
    assert_int_equal(look(&usual), 0);
    pass(CHUNKS_TO_SLOW);
    assert_int_equal(look(&usual), 1);
}

static void
on_the_alert_less_is_borne(void **state)
{
    (void)state;
    pass(BOUNCER_SLOW_FROM_ON_ALERT / CHUNK);
    assert_int_equal(look(&on_alert), 0);
    pass(1);
    assert_int_equal(look(&usual), 0);
    assert_false(is_slow(&pair));
    assert_int_equal(look(&on_alert), 1);
    assert_true(is_slow(&pair));
    assert_false(is_ended(&pair));
}

static void
what_came_before_the_first_look_counts(void **state)
{
    (void)state;
    pass(CHUNKS_TOO_MANY);
    assert_int_equal(look(&usual), 1);
    assert_true(ends(&pair));
}

static void
a_connection_that_is_answered_may_bring_what_it_likes(void **state)
{
    (void)state;
    char byte = 0;
    for (int i = 0; i < 16; i++) {
        pass(CHUNKS_TOO_MANY / 2);
        bouncer_took(bouncer, pair.served, CHUNKS_TOO_MANY / 2 * CHUNK);
        assert_int_equal(look(&usual), 0);
        assert_int_equal(send(pair.served, &byte, 1, 0), 1);
        assert_int_equal(look(&usual), 0);
        assert_int_equal(recv(pair.peer, &byte, 1, 0), 1);
    }
    assert_false(is_ended(&pair));
}

static void
words_that_answer_no_message_do_not_count(void **state)
{
    (void)state;
    char byte = 0;
    bouncer_took(bouncer, pair.served, 1); /* the only one */
    for (int i = 0; i < CHUNKS_TO_SLOW; i++) {
        assert_int_equal(look(&usual), 0);
        assert_int_equal(send(pair.served, &byte, 1, 0), 1);
        assert_int_equal(look(&usual), 0);
        assert_int_equal(recv(pair.peer, &byte, 1, 0), 1);
        pass(1);
    }
    assert_int_equal(look(&usual), 1);
}

static void
messages_without_a_word_in_answer_do_not_count(void **state)
{
    (void)state;
    for (int i = 0; i < CHUNKS_TO_SLOW; i++) {
        assert_int_equal(look(&usual), 0);
        bouncer_took(bouncer, pair.served, CHUNK);
        pass(1);
    }
    assert_int_equal(look(&usual), 1);
}

static void
a_few_bytes_at_each_look_are_forgiven(void **state)
{
    (void)state;
    pass(CHUNKS_TO_SLOW - 1);
    for (int i = 0; i < CHUNK; i++) {
        bring(&pair, FORGIVEN);
        assert_int_equal(look(&usual), 0);
    }
    pass(1);
    assert_int_equal(look(&usual), 1);
}

static void
what_is_no_descriptor_is_none(void **state)
{
    (void)state;
    bouncer_took(bouncer, -1, 1);
    bouncer_took(bouncer, INT_MAX, 1);
    assert_int_equal(look(&usual), 0);
}

static void
a_descriptor_of_another_connection_begins_anew(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        pass(CHUNKS_TOO_MANY / 2);
        assert_int_equal(look(&usual), 0);
        int peer = pair.peer;
        close_pair(&pair);
        pair = connect_pair();
        assert_true(pair.peer <= peer + 1);
    }
}

/* Has the descriptor far above all others. */
static void
move_far(void)
{
    int far = fcntl(pair.served, F_DUPFD, FAR);
    assert_true(far >= FAR);
    close(pair.served);
    pair.served = far;
}

static void
a_descriptor_far_above_all_others_is_found_by_a_thorough_look(void **state)
{
    (void)state;
    assert_int_equal(look(&usual), 0);
    move_far();
    pass(CHUNKS_TOO_MANY);
    assert_int_equal(look(&usual), 0);
    assert_int_equal(look(&thorough), 1);
    assert_true(ends(&pair));
}

/* Waits until the connection is ended by the thread of a bouncer of its own. */
static void
wait_for_the_thread(void)
{
    char byte;
    struct bouncer *another;
    pass(CHUNKS_TOO_MANY);
    assert_int_equal(bouncer_start(&another), 0);
    assert_int_equal(recv(pair.peer, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    bouncer_stop(&another);
    bouncer_stop(&another);
}

static void
the_thread_looks_by_itself_and_ends(void **state)
{
    (void)state;
    wait_for_the_thread();
}

static void
the_thread_finds_descriptors_far_above_all_others(void **state)
{
    (void)state;
    move_far();
    wait_for_the_thread();
}

static void
nothing_is_forgiven_on_the_alert(void **state)
{
    (void)state;
    pass(BOUNCER_SLOW_FROM_ON_ALERT / CHUNK - 1);
    for (int i = 0; i < CHUNK; i++) {
        bring(&pair, 1);
        assert_int_equal(look(&on_alert), 0);
    }
    bring(&pair, 1);
    assert_int_equal(look(&on_alert), 1);
}

static void
many_connections_together_may_not_bring_what_each_may(void **state)
{
    (void)state;
    struct pair crowd[CROWD];
    pass(CHUNKS_HONEST);
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = connect_pair();
        assert_int_equal(look(&usual), 0);
        pass_by(&crowd[i], CHUNKS_BORNE);
    }
    assert_int_equal(look(&usual), 1); /* too much, and half of it is borne from now on */
    assert_int_equal(look(&usual), 1);
    assert_int_equal(look(&usual), CROWD);
    for (int i = 0; i < CROWD; i++) {
        assert_true(ends(&crowd[i]));
        close_pair(&crowd[i]);
    }
    assert_int_equal(look(&usual), 0);
    assert_false(is_ended(&pair));
    for (int i = 0; i < 8; i++) {
        assert_int_equal(look(&usual), 0);
    }
    pass(CHUNKS_BORNE - CHUNKS_HONEST);
    assert_int_equal(look(&usual), 0);
    pass(CHUNKS_BORNE / 2);
    assert_int_equal(look(&usual), 1);
    assert_true(is_slow(&pair));
    assert_false(is_ended(&pair));
}

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR_TEST(a_connection_that_brings_more_and_more_without_an_answer_is_slowed),
        PAIR_TEST(a_slow_connection_that_is_answered_is_slow_no_longer),
        PAIR_TEST(what_is_not_taken_counts_whatever_else_is_answered),
        PAIR_TEST(a_client_that_writes_more_bytes_than_it_needs_is_not_slowed),
        PAIR_TEST(what_was_taken_of_another_connection_is_no_credit),
        PAIR_TEST(what_came_before_the_first_look_counts),
        PAIR_TEST(a_connection_that_is_answered_may_bring_what_it_likes),
        PAIR_TEST(words_that_answer_no_message_do_not_count),
        PAIR_TEST(messages_without_a_word_in_answer_do_not_count),
        PAIR_TEST(a_few_bytes_at_each_look_are_forgiven),
        PAIR_TEST(what_is_no_descriptor_is_none),
        PAIR_TEST(a_descriptor_of_another_connection_begins_anew),
        PAIR_TEST(a_descriptor_far_above_all_others_is_found_by_a_thorough_look),
        PAIR_TEST(the_thread_looks_by_itself_and_ends),
        PAIR_TEST(the_thread_finds_descriptors_far_above_all_others),
        PAIR_TEST(nothing_is_forgiven_on_the_alert),
        PAIR_TEST(on_the_alert_less_is_borne),
        PAIR_TEST(many_connections_together_may_not_bring_what_each_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
