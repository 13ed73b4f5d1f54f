#include "support/stage.h"

static void
a_login_is_sent_as_it_was_typed_and_kept(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    assert_string_equal(stage->request.user, "north");
    assert_string_equal(stage->request.password, "apple");
    assert_memory_equal(stage->request.nonce, nonce, sizeof nonce);
    restart(stage);
    assert_true(state_of(stage)->is_logged_in);
    assert_int_equal(state_of(stage)->session, 7);
    assert_memory_equal(state_of(stage)->history, history, sizeof history);
    assert_int_equal(state_of(stage)->position, SEEN);
}

static void
a_busy_broker_gets_the_same_bytes_again(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(shopper_begin_login(stage->shopper, "north", "apple", nonce), SHOPPER_SEND);
    (void)take(stage);
    for (uint64_t i = 1; i <= 3; i++) {
        unsigned char first[MESSAGE_SIZE_MAX];
        size_t size = stage->sent_size;
        memcpy(first, stage->sent, size);
        struct reply reply = reply_of(stage, STATUS_BUSY);
        reply.retry_ms = 20 * i;
        assert_int_equal(send_reply(stage, &reply), SHOPPER_WAIT);
        assert_int_equal(shopper_wait_ms(stage->shopper), 20 * i);
        (void)take(stage);
        assert_int_equal(stage->sent_size, size);
        assert_memory_equal(stage->sent, first, size);
    }
    assert_int_equal(answer_login(stage), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_DONE);
}

static void
a_busy_broker_that_is_given_up_has_refused(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(shopper_begin_login(stage->shopper, "north", "apple", nonce), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(answer(stage, STATUS_BUSY), SHOPPER_WAIT);
    assert_int_equal(shopper_give_up(stage->shopper, "too long"), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_REFUSED);
    assert_string_equal(shopper_result(stage->shopper)->error, "busy");
}

static void
a_wrong_password_leaves_nobody_logged_in(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    assert_int_equal(shopper_begin_login(stage->shopper, "south", "apple", nonce), SHOPPER_SEND);
    assert_int_equal(take(stage)->operation, OPERATION_LOGOUT);
    assert_int_equal(stage->request.session, 7);
    assert_int_equal(answer(stage, STATUS_OK), SHOPPER_SEND);
    assert_int_equal(take(stage)->operation, OPERATION_LOGIN);
    assert_int_equal(answer(stage, STATUS_BAD_CREDENTIALS), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_LOGGED_OUT);
    assert_string_equal(shopper_result(stage->shopper)->error, "bad_credentials");
    restart(stage);
    assert_false(state_of(stage)->is_logged_in);
}

static void
a_logout_that_was_begun_is_finished_before_any_order(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    assert_int_equal(shopper_begin_logout(stage->shopper), SHOPPER_SEND);
    assert_int_equal(take(stage)->operation, OPERATION_LOGOUT);
    assert_int_equal(shopper_give_up(stage->shopper, "no answer"), SHOPPER_END);
    restart(stage);
    assert_int_equal(buy(stage), SHOPPER_SEND);
    assert_int_equal(take(stage)->operation, OPERATION_LOGOUT);
    assert_int_equal(shopper_give_up(stage->shopper, "no answer"), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_UNREACHABLE);
    restart(stage);
    restart(stage);
    assert_int_equal(buy(stage), SHOPPER_SEND);
    assert_int_equal(take(stage)->operation, OPERATION_LOGOUT);
    assert_int_equal(answer(stage, STATUS_SESSION_ENDED), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_LOGGED_OUT);
    assert_false(state_of(stage)->is_logged_in);
    log_in(stage);
    assert_int_equal(buy(stage), SHOPPER_SEND);
    assert_int_equal(take(stage)->operation, OPERATION_BUY);
}

static void
without_a_login_nothing_is_sent(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(buy(stage), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_LOGGED_OUT);
    assert_int_equal(shopper_begin_view(stage->shopper, NULL, 0), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_LOGGED_OUT);
    assert_int_equal(shopper_begin_logout(stage->shopper), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_LOGGED_OUT);
    assert_int_equal(shopper_begin_resolve(stage->shopper), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_DONE);
    assert_int_equal(shopper_begin_ping(stage->shopper), SHOPPER_SEND);
    assert_int_equal(take(stage)->operation, OPERATION_PING);
    assert_int_equal(answer(stage, STATUS_OK), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_DONE);
}

static void
figures_are_asked_for_within_the_session(void **state)
{
    struct stage *stage = *state;
    struct stats stats = {.version = "0.1.0", .numbers = {[STATS_SESSIONS] = 4}};
    assert_int_equal(shopper_begin_stats(stage->shopper), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_LOGGED_OUT);
    log_in(stage);
    assert_int_equal(shopper_begin_stats(stage->shopper), SHOPPER_SEND);
    assert_int_equal(take(stage)->operation, OPERATION_STATS);
    assert_int_equal(stage->request.session, 7);
    struct reply reply = reply_of(stage, STATUS_OK);
    reply.stats = &stats;
    assert_int_equal(send_reply(stage, &reply), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_DONE);
    assert_memory_equal(shopper_result(stage->shopper)->reply.stats, &stats, sizeof stats);

    assert_int_equal(shopper_begin_stats(stage->shopper), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(answer(stage, STATUS_OK), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_DAMAGED);

    assert_int_equal(shopper_begin_stats(stage->shopper), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(answer(stage, STATUS_SESSION_ENDED), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_LOGGED_OUT);
    assert_false(state_of(stage)->is_logged_in);
}

/* Reads a directory as a restart would, without waiting for the process that has it. */
static struct local_inventory *
read_copy(const char *directory, const char *copy)
{
    struct local_inventory *inventory = NULL;
    scratch_remove(copy);
    scratch_copy(directory, copy);
    assert_int_equal(local_inventory_open(&inventory, files_system(), copy, history, NULL), 0);
    return inventory;
}

static void
an_order_is_on_disk_before_its_bytes_come_out_and_done_before_the_end(void **state)
{
    struct stage *stage = *state;
    struct faulty_files faulty;
    char copy[600];
    snprintf(copy, sizeof copy, "%s-copy", stage->directory);
    log_in(stage);
    leave(stage);
    faulty_files_init(&faulty, 0, false);
    enter(stage, &faulty.files);

    assert_int_equal(buy(stage), SHOPPER_SEND);
    assert_false(faulty.is_dirty);
    (void)take(stage);
    struct local_inventory *other = read_copy(stage->directory, copy);
    const struct pending *pending = &local_inventory_state(other)->pending;
    assert_true(pending->exists);
    assert_int_equal(pending->position, SEEN);
    assert_int_equal(pending->request_size, stage->sent_size);
    assert_memory_equal(pending->request, stage->sent, stage->sent_size);
    assert_int_equal(local_inventory_close(&other, NULL), 0);

    assert_int_equal(answer(stage, STATUS_INSUFFICIENT_STOCK), SHOPPER_END);
    assert_false(faulty.is_dirty);
    assert_int_equal(outcome_of(stage), OUTCOME_REFUSED);
    other = read_copy(stage->directory, copy);
    assert_false(local_inventory_state(other)->pending.exists);
    assert_int_equal(local_inventory_state(other)->order_next, 2);
    assert_int_equal(local_inventory_close(&other, NULL), 0);
    scratch_remove(copy);
    restart(stage); /* with file calls that outlive this function */
}

static void
what_was_bought_is_held_and_has_its_name(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    assert_int_equal(buy(stage), SHOPPER_SEND);
    assert_int_equal(take(stage)->order, 1);
    stage->position = 11;
    assert_int_equal(answer(stage, STATUS_OK), SHOPPER_SEND);
    answer_names(stage);
    assert_int_equal(outcome_of(stage), OUTCOME_DONE);
    assert_int_equal(shopper_result(stage->shopper)->order.order.number, 1);
    restart(stage);
    assert_int_equal(units_held(stage), 3);
    assert_string_equal(local_state_find_name(state_of(stage), tissues), "tissues");
    /* The second time the name is known. */
    assert_int_equal(buy(stage), SHOPPER_SEND);
    assert_int_equal(take(stage)->order, 2);
    assert_int_equal(answer(stage, STATUS_OK), SHOPPER_END);
    assert_int_equal(units_held(stage), 6);
}

static void
a_name_is_on_disk_when_the_purchase_is_told(void **state)
{
    struct stage *stage = *state;
    char copy[600];
    snprintf(copy, sizeof copy, "%s-copy", stage->directory);
    log_in(stage);
    assert_int_equal(buy(stage), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(answer(stage, STATUS_OK), SHOPPER_SEND);
    answer_names(stage);
    struct local_inventory *other = read_copy(stage->directory, copy);
    const char *name = local_state_find_name(local_inventory_state(other), tissues);
    assert_non_null(name);
    assert_string_equal(name, "tissues");
    assert_int_equal(local_inventory_close(&other, NULL), 0);
    scratch_remove(copy);
}

static void
a_name_that_was_lost_is_asked_for_after_the_next_purchase(void **state)
{
    static const struct line one_other = {49000006346, 1};
    static const struct item items[] = {
        {.upc = tissues, .name = "tissues"}, {.upc = 49000006346, .name = "others"}};
    struct stage *stage = *state;
    log_in(stage);
    assert_int_equal(buy(stage), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(answer(stage, STATUS_OK), SHOPPER_SEND);
    restart(stage); /* before the name came */
    assert_int_equal(
        shopper_begin_order(stage->shopper, OPERATION_BUY, &one_other, 1), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(answer(stage, STATUS_OK), SHOPPER_SEND);
    assert_int_equal(take(stage)->line_count, 2);
    assert_int_equal(answer_page(stage, items, 2, false), SHOPPER_END);
    assert_string_equal(local_state_find_name(state_of(stage), tissues), "tissues");
    assert_string_equal(local_state_find_name(state_of(stage), 49000006346), "others");
}

static void
a_name_that_does_not_come_spoils_nothing(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    for (int i = 0; i < 4; i++) {
        static const struct item wrong = {.upc = 1, .name = "other"};
        assert_int_equal(buy(stage), SHOPPER_SEND);
        (void)take(stage);
        assert_int_equal(answer(stage, STATUS_OK), SHOPPER_SEND);
        (void)take(stage);
        enum shopper_step step = SHOPPER_SEND;
        if (i == 0) {
            step = shopper_give_up(stage->shopper, "no answer");
        } else if (i == 1) {
            step = answer(stage, STATUS_BUSY);
        } else if (i == 2) {
            step = shopper_receive(stage->shopper, "?", 1);
        } else {
            step = answer_page(stage, &wrong, 1, false);
        }
        assert_int_equal(step, SHOPPER_END);
        assert_int_equal(outcome_of(stage), OUTCOME_DONE);
    }
    restart(stage);
    assert_int_equal(units_held(stage), 12);
}

static void
a_pending_order_is_settled_with_the_same_bytes_before_anything_else(void **state)
{
    struct stage *stage = *state;
    unsigned char first[MESSAGE_SIZE_MAX];
    log_in(stage);
    leave_pending(stage);
    size_t size = stage->sent_size;
    memcpy(first, stage->sent, size);

    assert_int_equal(shopper_begin_view(stage->shopper, NULL, 0), SHOPPER_SEND);
    assert_int_equal(take(stage)->operation, OPERATION_BUY);
    assert_int_equal(stage->sent_size, size);
    assert_memory_equal(stage->sent, first, size);
    assert_int_equal(answer(stage, STATUS_OK), SHOPPER_SEND);
    assert_int_equal(units_held(stage), 3);
    assert_int_equal(take(stage)->operation, OPERATION_VIEW);
    assert_int_equal(answer_page(stage, NULL, 0, false), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_DONE);
    assert_true(shopper_result(stage->shopper)->before.exists);
    assert_int_equal(shopper_result(stage->shopper)->before.status, STATUS_OK);
}

static void
a_pending_order_that_gets_no_answer_stops_what_was_to_come_next(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    leave_pending(stage);
    assert_int_equal(buy(stage), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(shopper_give_up(stage->shopper, "no answer"), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_UNREACHABLE);
    assert_int_equal(shopper_begin_resolve(stage->shopper), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(shopper_give_up(stage->shopper, "no answer"), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_UNKNOWN);
    restart(stage);
    assert_int_equal(state_of(stage)->pending.order.number, 1);
    assert_int_equal(units_held(stage), 0);
}

static void
a_broker_with_another_history_is_refused(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    assert_int_equal(buy(stage), SHOPPER_SEND);
    (void)take(stage);
    struct reply reply = reply_of(stage, STATUS_OK);
    reply.history[0] = 99;
    assert_int_equal(send_reply(stage, &reply), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_DAMAGED);
    assert_string_equal(shopper_result(stage->shopper)->error, "other_history");
    assert_non_null(strstr(shopper_result(stage->shopper)->message.text, stage->directory));
    assert_true(state_of(stage)->pending.exists);
    assert_int_equal(units_held(stage), 0);
    assert_int_equal(shopper_begin_ping(stage->shopper), SHOPPER_SEND);
    (void)take(stage);
    reply = reply_of(stage, STATUS_OK);
    reply.history[0] = 99;
    reply.order = 0;
    assert_int_equal(send_reply(stage, &reply), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_DAMAGED);
}

static void
a_broker_that_is_older_than_it_was_is_refused(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    stage->position = 40;
    assert_int_equal(shopper_begin_ping(stage->shopper), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(answer(stage, STATUS_OK), SHOPPER_END);
    restart(stage);
    stage->position = 39;
    assert_int_equal(shopper_begin_view(stage->shopper, NULL, 0), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(answer_page(stage, NULL, 0, false), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_DAMAGED);
    assert_string_equal(shopper_result(stage->shopper)->error, "older_data");
    assert_non_null(strstr(shopper_result(stage->shopper)->message.text, stage->directory));
}

static void
an_order_with_the_record_of_another_is_refused(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    assert_int_equal(buy(stage), SHOPPER_SEND);
    (void)take(stage);
    struct reply reply = reply_of(stage, STATUS_OK);
    reply.position = SEEN; /* that record was there before the order */
    assert_int_equal(send_reply(stage, &reply), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_DAMAGED);
    assert_string_equal(shopper_result(stage->shopper)->error, "older_data");
    assert_true(state_of(stage)->pending.exists);
}

static void
a_remembered_outcome_may_be_older_than_what_was_seen_since(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    leave_pending(stage);
    stage->position = 40;
    assert_int_equal(shopper_begin_ping(stage->shopper), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(answer(stage, STATUS_OK), SHOPPER_END);
    assert_int_equal(shopper_begin_resolve(stage->shopper), SHOPPER_SEND);
    (void)take(stage);
    stage->position = SEEN - 1;
    assert_int_equal(answer(stage, STATUS_OK), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_DAMAGED);
    assert_int_equal(shopper_begin_resolve(stage->shopper), SHOPPER_SEND);
    (void)take(stage);
    stage->position = SEEN + 1;
    skip_names(stage, answer(stage, STATUS_OK));
    assert_int_equal(outcome_of(stage), OUTCOME_DONE);
    assert_int_equal(state_of(stage)->position, 40);
}

static void
a_view_puts_its_pages_together(void **state)
{
    struct stage *stage = *state;
    const struct item items[] = {{1, 10, "one"}, {2, 20, "two"}, {5, 50, "five"}};
    log_in(stage);
    assert_int_equal(shopper_begin_view(stage->shopper, NULL, 0), SHOPPER_SEND);
    assert_false(take(stage)->continues);
    assert_int_equal(answer_page(stage, items, 2, true), SHOPPER_SEND);
    assert_true(take(stage)->continues);
    assert_int_equal(stage->request.after, 2);
    assert_int_equal(answer_page(stage, &items[2], 1, false), SHOPPER_END);
    const struct shopper_result *result = shopper_result(stage->shopper);
    assert_int_equal(result->outcome, OUTCOME_DONE);
    assert_int_equal(result->item_count, 3);
    assert_int_equal(result->items[2].units, 50);
    assert_string_equal(result->items[2].name, "five");
}

static void
a_page_that_does_not_follow_is_damage(void **state)
{
    struct stage *stage = *state;
    const struct item items[] = {{2, 10, "two"}, {1, 20, "one"}};
    log_in(stage);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(shopper_begin_view(stage->shopper, NULL, 0), SHOPPER_SEND);
        (void)take(stage);
        enum shopper_step step = SHOPPER_SEND;
        if (i == 0) {
            step = answer_page(stage, items, 2, false);
        } else if (i == 1) {
            step = answer_page(stage, NULL, 0, true);
        } else {
            step = answer(stage, STATUS_OK);
        }
        assert_int_equal(step, SHOPPER_END);
        assert_int_equal(outcome_of(stage), OUTCOME_DAMAGED);
    }
}

static void
a_view_of_many_upcs_is_asked_for_in_runs(void **state)
{
    struct stage *stage = *state;
    uint64_t upcs[ORDER_LINES_MAX];
    size_t asked = 0;
    log_in(stage);
    for (size_t i = 0; i < ORDER_LINES_MAX; i++) {
        upcs[i] = (i * 7919) % 900; /* in no order, some of them twice */
    }
    enum shopper_step step = shopper_begin_view(stage->shopper, upcs, ORDER_LINES_MAX);
    while (step == SHOPPER_SEND) {
        static struct item items[PAGE_ITEMS_MAX];
        const struct request *request = take(stage);
        assert_in_range(request->line_count, 1, PAGE_ITEMS_MAX);
        for (size_t i = 0; i < request->line_count; i++) {
            assert_int_equal(request->lines[i].upc, asked);
            items[i] = (struct item){asked++, 1, "item"};
        }
        step = answer_page(stage, items, request->line_count, false);
    }
    assert_int_equal(shopper_result(stage->shopper)->item_count, 900);
}

static void
a_session_that_the_broker_ended_is_forgotten(void **state)
{
    struct stage *stage = *state;
    log_in(stage);
    assert_int_equal(shopper_begin_view(stage->shopper, NULL, 0), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(answer(stage, STATUS_SESSION_ENDED), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_LOGGED_OUT);
    assert_false(state_of(stage)->is_logged_in);
    /* Logging out of it would have been fine as well. */
    log_in(stage);
    assert_int_equal(shopper_begin_logout(stage->shopper), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(answer(stage, STATUS_SESSION_ENDED), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_DONE);
    assert_false(state_of(stage)->is_logged_in);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(a_login_is_sent_as_it_was_typed_and_kept),
        STAGE_TEST(a_busy_broker_gets_the_same_bytes_again),
        STAGE_TEST(a_busy_broker_that_is_given_up_has_refused),
        STAGE_TEST(a_wrong_password_leaves_nobody_logged_in),
        STAGE_TEST(a_logout_that_was_begun_is_finished_before_any_order),
        STAGE_TEST(without_a_login_nothing_is_sent),
        STAGE_TEST(figures_are_asked_for_within_the_session),
        STAGE_TEST(an_order_is_on_disk_before_its_bytes_come_out_and_done_before_the_end),
        STAGE_TEST(what_was_bought_is_held_and_has_its_name),
        STAGE_TEST(a_name_is_on_disk_when_the_purchase_is_told),
        STAGE_TEST(a_name_that_was_lost_is_asked_for_after_the_next_purchase),
        STAGE_TEST(a_name_that_does_not_come_spoils_nothing),
        STAGE_TEST(a_pending_order_is_settled_with_the_same_bytes_before_anything_else),
        STAGE_TEST(a_pending_order_that_gets_no_answer_stops_what_was_to_come_next),
        STAGE_TEST(a_broker_with_another_history_is_refused),
        STAGE_TEST(a_broker_that_is_older_than_it_was_is_refused),
        STAGE_TEST(an_order_with_the_record_of_another_is_refused),
        STAGE_TEST(a_remembered_outcome_may_be_older_than_what_was_seen_since),
        STAGE_TEST(a_view_puts_its_pages_together),
        STAGE_TEST(a_page_that_does_not_follow_is_damage),
        STAGE_TEST(a_view_of_many_upcs_is_asked_for_in_runs),
        STAGE_TEST(a_session_that_the_broker_ended_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
