#include "support/fake_disk.h"
#include "support/stage.h"

/* What a reply makes of an order: the table of shopper.h. */
static const struct {
    enum status status;
    enum outcome fresh;    /* of an order that was sent once */
    enum outcome doubtful; /* of one that was sent before; OUTCOME_UNKNOWN: it stays pending */
    bool uses_number;
    bool drops_session; /* of a fresh one */
} verdicts[] = {
    {STATUS_OK, OUTCOME_DONE, OUTCOME_DONE, true, false},
    {STATUS_UNKNOWN_ITEM, OUTCOME_REFUSED, OUTCOME_REFUSED, true, false},
    {STATUS_INSUFFICIENT_STOCK, OUTCOME_REFUSED, OUTCOME_REFUSED, true, false},
    {STATUS_FORBIDDEN, OUTCOME_REFUSED, OUTCOME_REFUSED, true, false},
    {STATUS_TOO_LARGE, OUTCOME_REFUSED, OUTCOME_REFUSED, true, false},
    {STATUS_ORDER_VOIDED, OUTCOME_REFUSED, OUTCOME_REFUSED, true, false},
    {STATUS_ORDER_REUSED, OUTCOME_REFUSED, OUTCOME_REFUSED, true, false},
    {STATUS_NO_SPACE, OUTCOME_REFUSED, OUTCOME_UNKNOWN, false, false},
    {STATUS_BAD_REQUEST, OUTCOME_REFUSED, OUTCOME_UNKNOWN, false, false},
    {STATUS_WRONG_VERSION, OUTCOME_REFUSED, OUTCOME_UNKNOWN, false, false},
    {STATUS_BAD_CREDENTIALS, OUTCOME_LOGGED_OUT, OUTCOME_UNKNOWN, false, false},
    {STATUS_ORDER_STALE, OUTCOME_REFUSED, OUTCOME_UNKNOWN, false, true},
    {STATUS_ORDER_GAP, OUTCOME_REFUSED, OUTCOME_UNKNOWN, false, true},
    {STATUS_SESSION_ENDED, OUTCOME_LOGGED_OUT, OUTCOME_UNKNOWN, false, true},
    {STATUS_NOT_LOGGED_IN, OUTCOME_LOGGED_OUT, OUTCOME_UNKNOWN, false, true},
};

enum {
    VERDICT_COUNT = sizeof verdicts / sizeof verdicts[0]
};

static void
a_fresh_order_ends_with_every_reply(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(VERDICT_COUNT, STATUS_COUNT - 1); /* all but busy */
    for (size_t i = 0; i < VERDICT_COUNT; i++) {
        if (!state_of(stage)->is_logged_in) {
            log_in(stage);
        }
        uint64_t number = state_of(stage)->order_next;
        uint64_t held = units_held(stage);
        assert_int_equal(buy(stage), SHOPPER_SEND);
        (void)take(stage);
        skip_names(stage, answer(stage, verdicts[i].status));
        assert_int_equal(outcome_of(stage), verdicts[i].fresh);
        assert_int_equal(shopper_result(stage->shopper)->message.text[0] == '\0', i == 0);
        restart(stage);
        assert_false(state_of(stage)->pending.exists);
        assert_int_equal(state_of(stage)->is_logged_in, !verdicts[i].drops_session);
        if (state_of(stage)->is_logged_in) {
            assert_int_equal(
                state_of(stage)->order_next, number + (verdicts[i].uses_number ? 1 : 0));
        }
        assert_int_equal(units_held(stage), held + (i == 0 ? 3 : 0));
    }
}

/* Gives the pending order an end, so that the next case begins with none. */
static void
void_order(struct stage *stage)
{
    assert_int_equal(shopper_begin_void(stage->shopper), SHOPPER_SEND);
    assert_int_equal(take(stage)->operation, OPERATION_VOID);
    assert_int_equal(answer(stage, STATUS_ORDER_VOIDED), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_DONE);
}

static void
a_doubtful_order_ends_only_with_an_outcome(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    for (size_t i = 0; i < VERDICT_COUNT; i++) {
        uint64_t held = units_held(stage);
        leave_pending(stage);
        uint64_t number = state_of(stage)->pending.order.number;
        assert_int_equal(shopper_begin_resolve(stage->shopper), SHOPPER_SEND);
        (void)take(stage);
        skip_names(stage, answer(stage, verdicts[i].status));
        assert_int_equal(outcome_of(stage), verdicts[i].doubtful);
        restart(stage);
        bool pending = verdicts[i].doubtful == OUTCOME_UNKNOWN;
        assert_int_equal(state_of(stage)->pending.exists, pending);
        assert_true(state_of(stage)->is_logged_in);
        if (pending) {
            assert_int_equal(state_of(stage)->pending.order.number, number);
            void_order(stage);
        }
        assert_int_equal(state_of(stage)->order_next, number + 1);
        assert_int_equal(units_held(stage), held + (i == 0 ? 3 : 0));
    }
}

static void
a_refusal_without_the_number_of_an_order_settles_none(void **state)
{
    static const enum status statuses[] = {STATUS_TOO_LARGE, STATUS_FORBIDDEN};
    struct stage *stage = *state;
    log_in(stage);
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct reply reply = {.status = statuses[i], .position = stage->position};
        memcpy(reply.history, history, sizeof reply.history);
        uint64_t number = state_of(stage)->order_next;
        assert_int_equal(buy(stage), SHOPPER_SEND);
        (void)take(stage);
        assert_int_equal(send_reply(stage, &reply), SHOPPER_END);
        assert_int_equal(outcome_of(stage), OUTCOME_REFUSED);
        restart(stage);
        assert_false(state_of(stage)->pending.exists);
        assert_int_equal(state_of(stage)->order_next, number);
        leave_pending(stage);
        assert_int_equal(shopper_begin_resolve(stage->shopper), SHOPPER_SEND);
        (void)take(stage);
        reply.position = stage->position;
        assert_int_equal(send_reply(stage, &reply), SHOPPER_END);
        assert_int_equal(outcome_of(stage), OUTCOME_UNKNOWN);
        restart(stage);
        assert_true(state_of(stage)->pending.exists);
        void_order(stage);
    }
}

static void
bytes_that_were_sent_twice_are_doubtful(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    assert_int_equal(buy(stage), SHOPPER_SEND);
    (void)take(stage);
    (void)take(stage); /* no answer came to the first copy */
    assert_int_equal(answer(stage, STATUS_SESSION_ENDED), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_UNKNOWN);
    assert_true(state_of(stage)->pending.exists);
}

static void
a_fresh_order_that_met_a_busy_broker_is_taken_back(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    assert_int_equal(buy(stage), SHOPPER_SEND);
    for (int i = 0; i < 3; i++) {
        (void)take(stage);
        assert_int_equal(answer(stage, STATUS_BUSY), SHOPPER_WAIT);
    }
    assert_int_equal(shopper_give_up(stage->shopper, "too long"), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_REFUSED);
    restart(stage);
    assert_false(state_of(stage)->pending.exists);
    assert_int_equal(state_of(stage)->order_next, 1);
}

static void
an_order_that_was_never_sent_is_taken_back(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    assert_int_equal(buy(stage), SHOPPER_SEND);
    assert_int_equal(shopper_give_up(stage->shopper, "no network"), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_UNREACHABLE);
    restart(stage);
    assert_false(state_of(stage)->pending.exists);
}

static void
a_doubtful_order_stays_pending_with_a_busy_broker(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    leave_pending(stage);
    assert_int_equal(shopper_begin_resolve(stage->shopper), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(answer(stage, STATUS_BUSY), SHOPPER_WAIT);
    assert_int_equal(shopper_give_up(stage->shopper, "too long"), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_UNKNOWN);
    assert_true(state_of(stage)->pending.exists);
}

static void
what_is_no_reply_leaves_the_order_pending(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    assert_int_equal(buy(stage), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(shopper_receive(stage->shopper, "\xc1 hello", 7), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_UNKNOWN);
    assert_true(state_of(stage)->pending.exists);
    /* Nor is the outcome of another order its outcome, nor another amount. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(shopper_begin_resolve(stage->shopper), SHOPPER_SEND);
        (void)take(stage);
        struct reply reply = reply_of(stage, STATUS_OK);
        reply.order += i == 0 ? 1 : 0;
        reply.units += i == 1 ? 1 : 0;
        assert_int_equal(send_reply(stage, &reply), SHOPPER_END);
        assert_int_equal(outcome_of(stage), OUTCOME_UNKNOWN);
        assert_true(state_of(stage)->pending.exists);
        assert_int_equal(units_held(stage), 0);
    }
}

static void
voiding_tells_what_the_order_came_to(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    leave_pending(stage);
    void_order(stage);
    assert_int_equal(stage->request.order, 1);
    assert_int_equal(shopper_result(stage->shopper)->order.status, STATUS_ORDER_VOIDED);
    assert_int_equal(units_held(stage), 0);
    /* Too late: it was made. */
    leave_pending(stage);
    assert_int_equal(shopper_begin_void(stage->shopper), SHOPPER_SEND);
    assert_int_equal(take(stage)->order, 2);
    struct reply reply = reply_of(stage, STATUS_OK);
    reply.units = 3;
    skip_names(stage, send_reply(stage, &reply));
    assert_int_equal(outcome_of(stage), OUTCOME_DONE);
    assert_int_equal(shopper_result(stage->shopper)->order.status, STATUS_OK);
    assert_int_equal(units_held(stage), 3);
    /* Nothing is left to void. */
    assert_int_equal(shopper_begin_void(stage->shopper), SHOPPER_END);
    assert_false(shopper_result(stage->shopper)->order.exists);
}

static void
a_disputed_order_can_be_set_aside(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    leave_pending(stage);
    /* Without an answer it is not disputed. */
    assert_int_equal(shopper_begin_set_aside(stage->shopper), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(shopper_give_up(stage->shopper, "no answer"), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_UNKNOWN);
    assert_int_equal(shopper_begin_set_aside(stage->shopper), SHOPPER_SEND);
    assert_int_equal(take(stage)->operation, OPERATION_BUY);
    assert_int_equal(answer(stage, STATUS_SESSION_ENDED), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_DONE);
    restart(stage);
    assert_false(state_of(stage)->pending.exists);
    assert_int_equal(state_of(stage)->aside_count, 1);
    log_in(stage);
}

/* A purchase with a broker that answers. Returns how it ended, and whether its bytes came out. */
static enum outcome
buy_with(struct stage *stage, struct files *files, bool *sent)
{
    struct diagnostic diagnostic = {""};
    *sent = false;
    if (local_inventory_open(&stage->inventory, files, stage->directory, history, &diagnostic) !=
        0) {
        return OUTCOME_DAMAGED;
    }
    stage->shopper = shopper_new(stage->inventory);
    enum shopper_step step = buy(stage);
    while (step == SHOPPER_SEND) {
        if (shopper_may_give_up(stage->shopper)) {
            step = shopper_give_up(stage->shopper, "not wanted");
            break;
        }
        (void)take(stage);
        *sent = true;
        step = answer(stage, STATUS_OK);
    }
    return outcome_of(stage);
}

static void
a_failure_of_any_file_call_loses_and_doubles_no_order(void **state)
{
    struct stage *stage = *state;
    uint64_t held = 0;
    log_in(stage);
    leave(stage);
    for (int fail_on = 0; fail_on < 2; fail_on++) {
        struct faulty_files faulty;
        long fail_at = 0;
        do {
            bool sent;
            faulty_files_init(&faulty, ++fail_at, fail_on != 0);
            enum outcome outcome = buy_with(stage, &faulty.files, &sent);
            leave(stage);
            enter(stage, files_system());
            /* What is told is true of what is on disk. */
            bool pending = state_of(stage)->pending.exists;
            assert_true(outcome == OUTCOME_DONE || outcome == OUTCOME_UNKNOWN ||
                        outcome == OUTCOME_DAMAGED);
            assert_true(outcome != OUTCOME_DONE || (sent && !pending));
            assert_true(outcome != OUTCOME_DAMAGED || (!sent && !pending));
            if (pending) {
                assert_int_equal(outcome, OUTCOME_UNKNOWN);
                assert_int_equal(shopper_begin_resolve(stage->shopper), SHOPPER_SEND);
                (void)take(stage);
                sent = true;
                skip_names(stage, answer(stage, STATUS_OK));
            }
            held += sent ? 3 : 0;
            assert_int_equal(units_held(stage), held);
            /* A start that succeeds clears away what those that failed have left. */
            local_inventory_see(stage->inventory, ++stage->position);
            leave(stage);
        } while (faulty.calls >= fail_at);
        assert_in_range(fail_at, 20, 1000);
    }
    enter(stage, files_system());
}

static int
lose_power_at_sync(void *context, enum fake_call call, uint64_t number)
{
    (void)context;
    (void)number;
    return call == FAKE_FDATASYNC ? (int)FAKE_LOSE_POWER : (int)FAKE_GO;
}

static int
lose_power_now(void *context, enum fake_call call, uint64_t number)
{
    (void)context;
    (void)call;
    (void)number;
    return FAKE_LOSE_POWER;
}

static void
an_order_found_unsynced_is_durable_before_its_bytes_come_out(void **state)
{
    struct stage *stage = *state;
    struct fake_disk *disk = fake_disk_new();
    struct enumeration nothing_survives;
    enumeration_init(&nothing_survives);
    leave(stage);
    enter(stage, fake_disk_files(disk));
    log_in(stage);
    fake_disk_set_hooks(disk, lose_power_at_sync, NULL, NULL);
    assert_int_equal(buy(stage), SHOPPER_END);
    leave(stage);
    fake_disk_kill(disk);
    fake_disk_set_hooks(disk, NULL, NULL, NULL);

    enter(stage, fake_disk_files(disk));
    assert_true(state_of(stage)->pending.exists);
    assert_int_equal(shopper_begin_resolve(stage->shopper), SHOPPER_SEND);
    fake_disk_set_hooks(disk, lose_power_now, NULL, NULL);
    leave(stage);
    fake_disk_crash(disk, &nothing_survives.choices);
    fake_disk_set_hooks(disk, NULL, NULL, NULL);

    enter(stage, fake_disk_files(disk));
    assert_true(state_of(stage)->pending.exists);
    leave(stage);
    fake_disk_free(&disk);
    enter(stage, files_system());
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(a_fresh_order_ends_with_every_reply),
        STAGE_TEST(a_doubtful_order_ends_only_with_an_outcome),
        STAGE_TEST(a_refusal_without_the_number_of_an_order_settles_none),
        STAGE_TEST(bytes_that_were_sent_twice_are_doubtful),
        STAGE_TEST(a_fresh_order_that_met_a_busy_broker_is_taken_back),
        STAGE_TEST(an_order_that_was_never_sent_is_taken_back),
        STAGE_TEST(a_doubtful_order_stays_pending_with_a_busy_broker),
        STAGE_TEST(what_is_no_reply_leaves_the_order_pending),
        STAGE_TEST(voiding_tells_what_the_order_came_to),
        STAGE_TEST(a_disputed_order_can_be_set_aside),
        STAGE_TEST(a_failure_of_any_file_call_loses_and_doubles_no_order),
        STAGE_TEST(an_order_found_unsynced_is_durable_before_its_bytes_come_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
