#include "support/cmocka_headers.h"

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/bouncer.h"

enum {
    CHUNK = 16384,
    FAR = 900, /* a descriptor below the usual limit */
    CHUNKS_TOO_MANY = BOUNCER_UNANSWERED_MAX / CHUNK + 1
};

/* A connection over loopback, both ends of it. */
struct pair {
    int peer;
    int served;
};

static struct bouncer *bouncer;
static struct pair pair;

static struct pair
connect_pair(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    struct pair made;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &size), 0);
    made.peer = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(made.peer, (struct sockaddr *)&address, sizeof address), 0);
    made.served = accept(listening, NULL, NULL);
    assert_true(made.served >= 0);
    close(listening);
    return made;
}

static void
close_pair(const struct pair *closed)
{
    close(closed->peer);
    close(closed->served);
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

/* Passes `count` chunks from one end to the other, which takes them in. */
static void
pass(int from, int to, int count)
{
    static char data[CHUNK];
    for (int i = 0; i < count; i++) {
        assert_int_equal(send(from, data, sizeof data, MSG_NOSIGNAL), sizeof data);
        assert_int_equal(recv(to, data, sizeof data, MSG_WAITALL), sizeof data);
    }
}

/* Has the connection been shut down, as the peer sees it? */
static bool
is_shut(const struct pair *seen)
{
    char byte;
    return recv(seen->peer, &byte, 1, MSG_DONTWAIT) == 0;
}

static void
a_connection_that_brings_more_and_more_without_an_answer_is_shut_down(void **state)
{
    (void)state;
    struct pair other = connect_pair();
    assert_int_equal(bouncer_look(bouncer), 0);
    for (int i = 0; i < CHUNKS_TOO_MANY - 1; i++) {
        pass(pair.peer, pair.served, 1);
        assert_int_equal(bouncer_look(bouncer), 0);
    }
    pass(pair.peer, pair.served, 1);
    assert_int_equal(bouncer_look(bouncer), 1);
    assert_true(is_shut(&pair));
    assert_false(is_shut(&other));
    close_pair(&other);
}

static void
what_came_before_the_first_look_counts(void **state)
{
    (void)state;
    pass(pair.peer, pair.served, CHUNKS_TOO_MANY);
    assert_int_equal(bouncer_look(bouncer), 1);
    assert_true(is_shut(&pair));
}

static void
a_connection_that_is_answered_may_bring_what_it_likes(void **state)
{
    (void)state;
    char byte = 0;
    for (int i = 0; i < 4 * CHUNKS_TOO_MANY; i++) {
        pass(pair.peer, pair.served, CHUNKS_TOO_MANY / 2);
        bouncer_took(bouncer, pair.served);
        assert_int_equal(bouncer_look(bouncer), 0);
        assert_int_equal(send(pair.served, &byte, 1, 0), 1);
        assert_int_equal(bouncer_look(bouncer), 0);
        assert_int_equal(recv(pair.peer, &byte, 1, 0), 1);
    }
    assert_false(is_shut(&pair));
}

static void
words_that_answer_no_message_do_not_count(void **state)
{
    (void)state;
    char byte = 0;
    bouncer_took(bouncer, pair.served); /* the only one */
    for (int i = 0; i < CHUNKS_TOO_MANY; i++) {
        assert_int_equal(bouncer_look(bouncer), 0);
        assert_int_equal(send(pair.served, &byte, 1, 0), 1);
        assert_int_equal(bouncer_look(bouncer), 0);
        pass(pair.peer, pair.served, 1);
    }
    assert_int_equal(bouncer_look(bouncer), 1);
}

static void
messages_without_a_word_in_answer_do_not_count(void **state)
{
    (void)state;
    for (int i = 0; i < CHUNKS_TOO_MANY; i++) {
        assert_int_equal(bouncer_look(bouncer), 0);
        bouncer_took(bouncer, pair.served);
        pass(pair.peer, pair.served, 1);
    }
    assert_int_equal(bouncer_look(bouncer), 1);
}

static void
a_few_bytes_at_each_look_are_forgiven(void **state)
{
    (void)state;
    char byte = 0;
    pass(pair.peer, pair.served, CHUNKS_TOO_MANY - 1);
    for (int i = 0; i < CHUNK; i++) {
        assert_int_equal(send(pair.peer, &byte, 1, 0), 1);
        assert_int_equal(recv(pair.served, &byte, 1, 0), 1);
        assert_int_equal(bouncer_look(bouncer), 0);
    }
    pass(pair.peer, pair.served, 1);
    assert_int_equal(bouncer_look(bouncer), 1);
}

static void
what_is_no_descriptor_is_none(void **state)
{
    (void)state;
    bouncer_took(bouncer, -1);
    bouncer_took(bouncer, INT_MAX);
    assert_int_equal(bouncer_look(bouncer), 0);
}

static void
a_descriptor_of_another_connection_begins_anew(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        pass(pair.peer, pair.served, CHUNKS_TOO_MANY / 2);
        assert_int_equal(bouncer_look(bouncer), 0);
        int peer = pair.peer;
        close_pair(&pair);
        pair = connect_pair();
        assert_true(pair.peer <= peer + 1);
    }
}

static void
a_descriptor_far_above_all_others_is_found_in_time(void **state)
{
    (void)state;
    size_t count = 0;
    for (int i = 0; i < BOUNCER_ALL_EVERY; i++) {
        assert_int_equal(bouncer_look(bouncer), 0);
    }
    int far = fcntl(pair.served, F_DUPFD, FAR);
    assert_true(far >= FAR);
    close(pair.served);
    pair.served = far;
    pass(pair.peer, pair.served, CHUNKS_TOO_MANY);
    for (int i = 0; i < BOUNCER_ALL_EVERY; i++) {
        count += bouncer_look(bouncer);
    }
    assert_true(count > 0);
    assert_true(is_shut(&pair));
}

static void
the_thread_looks_by_itself_and_ends(void **state)
{
    (void)state;
    char byte;
    struct bouncer *another;
    assert_int_equal(bouncer_start(&another), 0);
    pass(pair.peer, pair.served, CHUNKS_TOO_MANY);
    assert_int_equal(recv(pair.peer, &byte, 1, 0), 0); /* waits until it is shut down */
    bouncer_stop(&another);
    bouncer_stop(&another);
}

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR_TEST(a_connection_that_brings_more_and_more_without_an_answer_is_shut_down),
        PAIR_TEST(what_came_before_the_first_look_counts),
        PAIR_TEST(a_connection_that_is_answered_may_bring_what_it_likes),
        PAIR_TEST(words_that_answer_no_message_do_not_count),
        PAIR_TEST(messages_without_a_word_in_answer_do_not_count),
        PAIR_TEST(a_few_bytes_at_each_look_are_forgiven),
        PAIR_TEST(what_is_no_descriptor_is_none),
        PAIR_TEST(a_descriptor_of_another_connection_begins_anew),
        PAIR_TEST(a_descriptor_far_above_all_others_is_found_in_time),
        PAIR_TEST(the_thread_looks_by_itself_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
