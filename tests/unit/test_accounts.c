#include "support/users_file.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sodium.h>

#include "broker/accounts.h"
#include "broker/throttle.h"
#include "shared/files.h"

enum {
    PLACES = 64
};

static struct accounts *accounts;

/* The check of a password, which this program stands in front of (--wrap): a gate, and a fault. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_shut;
static bool is_out_of_memory;
static int waiting;
static unsigned long long rounds_of_last; /* check */

int
__real_crypto_pwhash(unsigned char *out, unsigned long long out_size, const char *password,
    unsigned long long size, const unsigned char *salt, unsigned long long rounds, size_t memory,
    int algorithm);
int
__wrap_crypto_pwhash(unsigned char *out, unsigned long long out_size, const char *password,
    unsigned long long size, const unsigned char *salt, unsigned long long rounds, size_t memory,
    int algorithm);

int
__wrap_crypto_pwhash(unsigned char *out, unsigned long long out_size, const char *password,
    unsigned long long size, const unsigned char *salt, unsigned long long rounds, size_t memory,
    int algorithm)
{
    pthread_mutex_lock(&lock);
    waiting++;
    pthread_cond_broadcast(&changed);
    while (is_shut) {
        pthread_cond_wait(&changed, &lock);
    }
    waiting--;
    rounds_of_last = rounds;
    bool fails = is_out_of_memory;
    pthread_mutex_unlock(&lock);
    if (fails) {
        errno = ENOMEM;
        return -1;
    }
    return __real_crypto_pwhash(out, out_size, password, size, salt, rounds, memory, algorithm);
}

static void
set_gate(bool shut, bool out_of_memory)
{
    pthread_mutex_lock(&lock);
    is_shut = shut;
    is_out_of_memory = out_of_memory;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void
wait_until_one_is_checked(void)
{
    pthread_mutex_lock(&lock);
    while (waiting == 0) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

static void
open_accounts(void **state, const char *text)
{
    set_gate(false, false);
    write_file(state, text);
    assert_int_equal(accounts_open(&accounts, path, true, &diagnostic), 0);
}

/* Where names and sources have their places in the throttle is the same in each run. */
static const char *
name_no_chance(void)
{
    return "none";
}

static uint32_t
give_seven(void)
{
    return 7;
}

static void
fill_with_seven(void *const data, const size_t size)
{
    memset(data, 7, size);
}

static struct randombytes_implementation no_chance = {
    .implementation_name = name_no_chance, .random = give_seven, .buf = fill_with_seven};

static struct request
login_of(const char *password, uint8_t nonce)
{
    struct request request = {.operation = OPERATION_LOGIN, .user = "north"};
    request.nonce[0] = nonce;
    snprintf(request.password, sizeof request.password, "%s", password);
    return request;
}

static uint64_t now_ms; /* the time is made up */

/* Asks once, from a source. */
static enum login
ask_from(const char *source, const struct request *request, struct login_session *session,
    uint64_t *retry_ms)
{
    struct login_session told;
    uint64_t retry = 0;
    enum login login = accounts_login(accounts, request, source, now_ms, &told, &retry);
    bool waits = login == LOGIN_WAITING || login == LOGIN_SLOWED || login == LOGIN_CROWDED;
    assert_true((retry > 0) == waits);
    if (login == LOGIN_REPEATED && session != NULL) {
        *session = told;
    }
    if (retry_ms != NULL) {
        *retry_ms = retry;
    }
    if (login == LOGIN_WAITING) {
        sched_yield(); /* to the thread that checks */
    }
    return login;
}

/* Asks once. */
static enum login
ask_once(const struct request *request, struct login_session *session)
{
    return ask_from("here", request, session, NULL);
}

/* Asks until the outcome is known; where it is slowed, comes back when it was told to. */
static enum login
ask(const struct request *request, struct login_session *session)
{
    for (;;) {
        uint64_t retry_ms = 0;
        enum login login = ask_from("here", request, session, &retry_ms);
        if (login == LOGIN_SLOWED) {
            now_ms += retry_ms;
        } else if (login != LOGIN_WAITING) {
            return login;
        }
    }
}

static void
a_login_is_checked_once_and_repeated_after_that(void **state)
{
    struct login_session session = {.number = 0};
    struct request request = login_of("apple", 1);
    open_accounts(state, "north buy " APPLE "\n");
    assert_int_equal(ask_once(&request, NULL), LOGIN_WAITING);
    assert_int_equal(ask(&request, NULL), LOGIN_RIGHT);
    struct login_session began = {.number = 7, .token = {5}};
    accounts_began(accounts, &request, &began);
    assert_int_equal(ask(&request, &session), LOGIN_REPEATED);
    assert_int_equal(session.number, 7);
    assert_int_equal(session.token[0], 5);
    /* The same nonce with another password is another login. */
    request = login_of("apples", 1);
    assert_int_equal(ask(&request, NULL), LOGIN_WRONG);
    request = login_of("apple", 1);
    snprintf(request.user, sizeof request.user, "nobody");
    assert_int_equal(ask(&request, NULL), LOGIN_WRONG);
    accounts_close(&accounts);
    accounts_close(&accounts);
}

static void
one_login_is_told_right_once_until_it_is_said_how_it_went(void **state)
{
    const struct request request = login_of("apple", 1);
    const struct login_session first = {.number = 7};
    const struct login_session second = {.number = 8};
    struct login_session session = {.number = 0};
    open_accounts(state, "north buy " APPLE "\n");
    assert_int_equal(ask(&request, NULL), LOGIN_RIGHT);
    assert_int_equal(ask_once(&request, NULL), LOGIN_WAITING);
    assert_int_equal(ask_once(&request, NULL), LOGIN_WAITING);
    /* The engine was busy: it may be tried again, and again by one only. */
    accounts_not_began(accounts, &request);
    assert_int_equal(ask_once(&request, NULL), LOGIN_RIGHT);
    assert_int_equal(ask_once(&request, NULL), LOGIN_WAITING);
    accounts_began(accounts, &request, &first);
    accounts_began(accounts, &request, &second);
    accounts_not_began(accounts, &request);
    assert_int_equal(ask_once(&request, &session), LOGIN_REPEATED);
    assert_int_equal(session.number, 7);
    accounts_close(&accounts);
}

static void
the_queue_of_logins_is_bounded(void **state)
{
    open_accounts(state, "north buy " APPLE "\n");
    set_gate(true, false);
    for (uint8_t i = 0; i < PLACES; i++) {
        struct request request = login_of("wrong", i);
        enum login login = i < THROTTLE_USER_BURST ? LOGIN_WAITING : LOGIN_SLOWED;
        assert_int_equal(ask_once(&request, NULL), login);
    }
    struct request request = login_of("wrong", PLACES);
    uint64_t retry_ms = 0;
    assert_int_equal(ask_from("here", &request, NULL, &retry_ms), LOGIN_CROWDED);
    assert_true(retry_ms >= 1000);
    /* Who has begun no login yet takes the place of one who has begun many. */
    assert_int_equal(ask_from("another", &request, NULL, &retry_ms), LOGIN_SLOWED);
    set_gate(false, false);
    accounts_close(&accounts);
}

/* Waits until `request` was checked, without being told: the queue behind it is looked at. */
static void
let_check(const struct request *request)
{
    struct request behind = login_of("behind", 255);
    assert_int_equal(ask_once(request, NULL), LOGIN_WAITING);
    assert_int_equal(ask(&behind, NULL), LOGIN_WRONG);
}

static void
a_place_is_taken_from_who_was_told_before_it_is_from_who_was_not(void **state)
{
    const struct request right = login_of("apple", 100);
    const struct request begun = login_of("apple", 101);
    const struct login_session session = {.number = 7};
    open_accounts(state, "north buy " APPLE "\n");
    let_check(&right); /* the oldest, and a wrong one behind it */
    assert_int_equal(ask(&begun, NULL), LOGIN_RIGHT);
    accounts_began(accounts, &begun, &session);
    /* Fill the places, and one more: the session that was begun goes, not what is older. */
    for (uint8_t i = 0; i < PLACES - 2; i++) {
        struct request request = login_of("wrong", i);
        assert_int_equal(ask(&request, NULL), LOGIN_WRONG);
    }
    assert_int_equal(ask(&begun, NULL), LOGIN_RIGHT);
    /* While it is being begun, it stays; and so does the one that was not told yet. */
    for (uint8_t i = 0; i < 2 * PLACES; i++) {
        struct request request = login_of("wrong again", i);
        assert_int_equal(ask(&request, NULL), LOGIN_WRONG);
    }
    accounts_began(accounts, &begun, &session);
    assert_int_equal(ask_once(&begun, NULL), LOGIN_REPEATED);
    assert_int_equal(ask_once(&right, NULL), LOGIN_RIGHT);
    accounts_close(&accounts);
}

static void
what_is_right_keeps_its_place_while_somebody_may_come_for_it(void **state)
{
    const struct request right = login_of("apple", 100);
    open_accounts(state, "north buy " APPLE "\n");
    let_check(&right);
    for (uint8_t i = 0; i < 2 * PLACES; i++) {
        struct request request = login_of("wrong", i);
        (void)ask_once(&request, NULL);
    }
    assert_int_equal(ask_once(&right, NULL), LOGIN_RIGHT);
    accounts_close(&accounts);
}

static void
what_was_found_out_is_forgotten_when_the_accounts_are_read_again(void **state)
{
    const struct login_session session = {.number = 7};
    const struct request begun = login_of("apple", 1);
    const struct request right = login_of("apple", 2);
    const struct request wrong = login_of("banana", 3);
    open_accounts(state, "north buy " APPLE "\n");
    assert_int_equal(ask(&begun, NULL), LOGIN_RIGHT);
    accounts_began(accounts, &begun, &session);
    let_check(&right);
    assert_int_equal(ask(&wrong, NULL), LOGIN_WRONG);
    write_file(state, "north buy " BANANA "\n");
    assert_int_equal(accounts_reload(accounts, &diagnostic), 0);
    assert_int_equal(ask(&begun, NULL), LOGIN_WRONG);
    assert_int_equal(ask(&right, NULL), LOGIN_WRONG);
    assert_int_equal(ask(&wrong, NULL), LOGIN_RIGHT);
    accounts_close(&accounts);
}

static void
what_is_being_checked_while_the_accounts_are_read_again_is_checked_again(void **state)
{
    const struct request old = login_of("apple", 1);
    open_accounts(state, "north buy " APPLE "\n");
    set_gate(true, false);
    assert_int_equal(ask_once(&old, NULL), LOGIN_WAITING);
    wait_until_one_is_checked();
    write_file(state, "north buy " BANANA "\n");
    assert_int_equal(accounts_reload(accounts, &diagnostic), 0);
    set_gate(false, false);
    assert_int_equal(ask(&old, NULL), LOGIN_WRONG);
    accounts_close(&accounts);
}

static void
a_check_without_memory_tells_nobody_that_the_password_is_wrong(void **state)
{
    const struct request request = login_of("apple", 1);
    open_accounts(state, "north buy " APPLE "\n");
    set_gate(false, true);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(ask_once(&request, NULL), LOGIN_WAITING);
    }
    set_gate(false, false);
    assert_int_equal(ask(&request, NULL), LOGIN_RIGHT);
    accounts_close(&accounts);
}

enum {
    ENEMIES_MAX = 40,
    STEP_MS = 50
};

/* Peers that send wrong passwords and never wait. */
struct flood {
    int enemies;
    int names;        /* 1: all of them for "north" */
    bool persists;    /* they ask again with the same nonce until they are answered */
    uint32_t checked; /* that were found wrong */
    uint32_t nonces[ENEMIES_MAX];
    uint32_t nonce_last;
};

/* Each of the peers asks once. What may be checked is checked in no time at all. */
static void
flood_once(struct flood *flood)
{
    for (int i = 0; i < flood->enemies; i++) {
        char source[24];
        struct request request = login_of("wrong", 0);
        enum login login;
        snprintf(source, sizeof source, "enemy %d", i);
        if (flood->names > 1) {
            snprintf(request.user, sizeof request.user, "name %d", i % flood->names);
        }
        if (!flood->persists || flood->nonces[i] == 0) {
            flood->nonces[i] = ++flood->nonce_last;
        }
        memcpy(request.nonce, &flood->nonces[i], sizeof flood->nonces[i]);
        do {
            login = ask_from(source, &request, NULL, NULL);
        } while (login == LOGIN_WAITING);
        if (login == LOGIN_WRONG) {
            flood->checked++;
            flood->nonces[i] = 0;
        }
    }
}

/* Floods for `ms`, with north asking for his right password when he was told to; returns how long
 * he had to wait, or UINT64_MAX. */
static uint64_t
log_in_while_flooded(struct flood *flood, const char *source, uint64_t ms)
{
    const struct request right = login_of("apple", 200);
    uint64_t begin_ms = now_ms;
    uint64_t next_ms = now_ms;
    for (; now_ms < begin_ms + ms; now_ms += STEP_MS) {
        flood_once(flood);
        if (now_ms >= next_ms) {
            uint64_t retry_ms = 0;
            enum login login;
            do {
                login = ask_from(source, &right, NULL, &retry_ms);
            } while (login == LOGIN_WAITING);
            if (login == LOGIN_RIGHT) {
                return now_ms - begin_ms;
            }
            next_ms = now_ms + retry_ms;
        }
    }
    return UINT64_MAX;
}

/* Floods for a minute; returns how many were checked, after trying how long it keeps north out. */
static uint32_t
flood_for_a_minute(void **state, int enemies, int names, bool persists)
{
    struct flood flood = {.enemies = enemies, .names = names, .persists = persists};
    open_accounts(state, "north buy " APPLE "\n");
    uint64_t begin_ms = now_ms;
    for (; now_ms < begin_ms + 60000; now_ms += STEP_MS) {
        flood_once(&flood);
    }
    uint32_t checked = flood.checked;
    assert_in_range(log_in_while_flooded(&flood, "north's own", 60000), 0, 8000);
    accounts_close(&accounts);
    return checked;
}

static void
a_flood_for_a_name_is_slowed_and_keeps_the_right_password_out_for_seconds_only(void **state)
{
    const uint64_t most = 60000 / THROTTLE_USER_COST_MS + THROTTLE_USER_BURST;
    static const int enemies[] = {1, 8, ENEMIES_MAX};
    for (size_t i = 0; i < sizeof enemies / sizeof enemies[0]; i++) {
        assert_in_range(flood_for_a_minute(state, enemies[i], 1, true), most - 2, most);
        assert_in_range(flood_for_a_minute(state, enemies[i], 1, false), 1, most);
    }
}

static void
a_flood_for_many_names_is_slowed_and_keeps_the_right_password_out_for_seconds_only(void **state)
{
    const uint64_t most = 60000 / THROTTLE_ALL_COST_MS + THROTTLE_ALL_BURST;
    assert_in_range(flood_for_a_minute(state, ENEMIES_MAX, ENEMIES_MAX, true), most - 10, most);
    assert_in_range(flood_for_a_minute(state, ENEMIES_MAX, ENEMIES_MAX, false), 1, most);
}

static void
right_passwords_are_never_slowed(void **state)
{
    const struct login_session session = {.number = 7};
    open_accounts(state, "north buy " APPLE "\n");
    for (uint8_t i = 0; i < 200; i++) {
        const struct request request = login_of("apple", i);
        enum login login = ask_once(&request, NULL);
        while (login == LOGIN_WAITING) {
            login = ask_once(&request, NULL);
        }
        assert_int_equal(login, LOGIN_RIGHT);
        accounts_began(accounts, &request, &session);
    }
    accounts_close(&accounts);
}

static void
a_login_that_is_held_goes_when_it_was_told_to_come(void **state)
{
    uint64_t retry_ms = 0;
    open_accounts(state, "north buy " APPLE "\n");
    for (uint8_t i = 0; i < THROTTLE_USER_BURST; i++) {
        const struct request request = login_of("wrong", i);
        assert_int_equal(ask(&request, NULL), LOGIN_WRONG);
    }
    const struct request right = login_of("apple", 100);
    assert_int_equal(ask_from("here", &right, NULL, &retry_ms), LOGIN_SLOWED);
    assert_int_equal(retry_ms, THROTTLE_USER_COST_MS);
    now_ms += retry_ms - 1;
    assert_int_equal(ask_from("here", &right, NULL, &retry_ms), LOGIN_SLOWED);
    now_ms += 1;
    assert_int_equal(ask_from("here", &right, NULL, &retry_ms), LOGIN_WAITING);
    assert_int_equal(ask(&right, NULL), LOGIN_RIGHT);
    accounts_close(&accounts);
}

static void
count_account(void *context, const char *name, bool may_restock)
{
    int *count = context;
    assert_string_equal(name, "north");
    *count += may_restock ? 100 : 1;
}

static void
an_unknown_name_takes_as_long_as_the_dearest_hash(void **state)
{
    struct request request = login_of("apple", 1);
    open_accounts(state,
        "north buy " APPLE "\nsouth buy $argon2id$v=19$m=8,t=3,p=1$7LsxM6m+kmdlqIeEuhRCZA$"
        "/6YY6WJwR/5aRJGx8vJDv0H1+YMQ8oBUoDofki+K5xw\ndepot buy " BANANA "\n");
    assert_true(accounts_are_uneven(accounts));
    assert_int_equal(ask(&request, NULL), LOGIN_RIGHT);
    assert_int_equal(rounds_of_last, 1);
    snprintf(request.user, sizeof request.user, "nobody");
    assert_int_equal(ask(&request, NULL), LOGIN_WRONG);
    assert_int_equal(rounds_of_last, 3);
    write_file(state, "north buy " APPLE "\n");
    assert_int_equal(accounts_reload(accounts, &diagnostic), 0);
    assert_false(accounts_are_uneven(accounts));
    accounts_close(&accounts);
}

static void
accounts_are_read_again_and_stay_when_that_fails(void **state)
{
    int count = 0;
    write_file(state, "north buy,restock,demo " APPLE "\n");
    assert_int_equal(accounts_open(&accounts, path, false, &diagnostic), ERROR_INVALID);
    expect_reason("beyond loopback");
    assert_int_equal(accounts_open(&accounts, path, true, &diagnostic), 0);
    accounts_each(accounts, count_account, &count);
    assert_int_equal(count, 100);
    write_file(state, "north buy nonsense\n");
    assert_int_equal(accounts_reload(accounts, &diagnostic), ERROR_INVALID);
    expect_reason("line 1: user 'north': an argon2id hash");
    accounts_each(accounts, count_account, &count);
    assert_int_equal(count, 200);
    write_file(state, "north buy " APPLE "\n");
    assert_int_equal(accounts_reload(accounts, &diagnostic), 0);
    accounts_each(accounts, count_account, &count);
    assert_int_equal(count, 201);
    accounts_close(&accounts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_login_is_checked_once_and_repeated_after_that),
        SCRATCH_TEST(one_login_is_told_right_once_until_it_is_said_how_it_went),
        SCRATCH_TEST(the_queue_of_logins_is_bounded),
        SCRATCH_TEST(a_place_is_taken_from_who_was_told_before_it_is_from_who_was_not),
        SCRATCH_TEST(what_is_right_keeps_its_place_while_somebody_may_come_for_it),
        SCRATCH_TEST(what_was_found_out_is_forgotten_when_the_accounts_are_read_again),
        SCRATCH_TEST(what_is_being_checked_while_the_accounts_are_read_again_is_checked_again),
        SCRATCH_TEST(a_check_without_memory_tells_nobody_that_the_password_is_wrong),
        SCRATCH_TEST(
            a_flood_for_a_name_is_slowed_and_keeps_the_right_password_out_for_seconds_only),
        SCRATCH_TEST(
            a_flood_for_many_names_is_slowed_and_keeps_the_right_password_out_for_seconds_only),
        SCRATCH_TEST(right_passwords_are_never_slowed),
        SCRATCH_TEST(a_login_that_is_held_goes_when_it_was_told_to_come),
        SCRATCH_TEST(an_unknown_name_takes_as_long_as_the_dearest_hash),
        SCRATCH_TEST(accounts_are_read_again_and_stay_when_that_fails),
    };
    randombytes_set_implementation(&no_chance);
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
