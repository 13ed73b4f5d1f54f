#include "support/cmocka_headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/event.h"
#include "broker/ledger.h"
#include "support/choices.h"

enum {
    TISSUES = 0,
    PENS = 1,
    UNKNOWN = 999
};

static const struct ledger_limits limits = {.sessions_max = 5, .sessions_user_max = 3};
static struct request request;
static struct reply reply;
static struct event event;
static struct item page[PAGE_ITEMS_MAX];
static uint64_t position;

static int
setup(void **state)
{
    struct ledger *ledger = ledger_new(&limits);
    assert_non_null(ledger);
    assert_int_equal(stock_add(&ledger->stock, TISSUES, "Tissues", 7, 100), 0);
    assert_int_equal(stock_add(&ledger->stock, PENS, "Pens", 4, 10), 0);
    assert_int_equal(ledger_permit(ledger, "north", false), 0);
    assert_int_equal(ledger_permit(ledger, "depot", true), 0);
    position = 0;
    *state = ledger;
    return 0;
}

static int
teardown(void **state)
{
    struct ledger *ledger = *state;
    ledger_free(&ledger);
    ledger_free(&ledger);
    return 0;
}

/* Decides the request and applies its event, as the engine does. */
static enum status
play(struct ledger *ledger)
{
    struct facts facts = {.position = position + 1, .page = page};
    memset(facts.token, (int)ledger->sessions.last + 1, sizeof facts.token);
    if (ledger_decide(ledger, &request, &facts, &reply, &event)) {
        assert_int_equal(ledger_apply(ledger, &event, ++position, NULL), 0);
    }
    return reply.status;
}

static uint64_t
log_in(struct ledger *ledger, const char *user)
{
    request = (struct request){.operation = OPERATION_LOGIN};
    snprintf(request.user, sizeof request.user, "%s", user);
    assert_int_equal(play(ledger), STATUS_OK);
    return reply.session;
}

/* Sets the request up for a session. Tokens are made of the session's number. */
static void
ask(enum operation operation, uint64_t session, uint64_t order)
{
    request = (struct request){.operation = operation, .session = session, .order = order};
    memset(request.token, (int)session, sizeof request.token);
}

static enum status
order(struct ledger *ledger, enum operation operation, uint64_t session, uint64_t number,
    uint64_t upc, uint64_t units)
{
    ask(operation, session, number);
    request.line_count = 1;
    request.lines[0] = (struct line){upc, units};
    return play(ledger);
}

static uint64_t
level(const struct ledger *ledger, uint64_t upc)
{
    return stock_find(&ledger->stock, upc)->units;
}

static void
an_order_is_filled_once_however_often_it_is_sent(void **state)
{
    struct ledger *ledger = *state;
    uint64_t session = log_in(ledger, "north");
    assert_int_equal(order(ledger, OPERATION_BUY, session, 1, TISSUES, 3), STATUS_OK);
    struct reply first = reply;
    assert_int_equal(first.order, 1);
    assert_int_equal(first.units, 3);
    assert_int_equal(first.position, 2);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(order(ledger, OPERATION_BUY, session, 1, TISSUES, 3), STATUS_OK);
        assert_memory_equal(&reply, &first, sizeof reply);
    }
    assert_int_equal(level(ledger, TISSUES), 97);
    assert_int_equal(position, 2);
}

static void
a_refusal_is_remembered_after_a_restock(void **state)
{
    struct ledger *ledger = *state;
    uint64_t north = log_in(ledger, "north");
    uint64_t depot = log_in(ledger, "depot");
    assert_int_equal(order(ledger, OPERATION_BUY, north, 1, PENS, 11), STATUS_INSUFFICIENT_STOCK);
    assert_int_equal(reply.available, 10);
    assert_int_equal(reply.upc, PENS);
    struct reply first = reply;
    assert_int_equal(order(ledger, OPERATION_RESTOCK, depot, 1, PENS, 5), STATUS_OK);
    assert_int_equal(level(ledger, PENS), 15);
    assert_int_equal(order(ledger, OPERATION_BUY, north, 1, PENS, 11), STATUS_INSUFFICIENT_STOCK);
    assert_memory_equal(&reply, &first, sizeof reply);
    assert_int_equal(order(ledger, OPERATION_BUY, north, 2, PENS, 11), STATUS_OK);
    assert_int_equal(level(ledger, PENS), 4);
}

static void
a_number_that_is_not_the_next_executes_nothing(void **state)
{
    struct ledger *ledger = *state;
    uint64_t session = log_in(ledger, "north");
    assert_int_equal(order(ledger, OPERATION_BUY, session, 2, PENS, 1), STATUS_ORDER_GAP);
    assert_int_equal(order(ledger, OPERATION_BUY, session, 1, PENS, 1), STATUS_OK);
    assert_int_equal(order(ledger, OPERATION_BUY, session, 1, PENS, 2), STATUS_ORDER_REUSED);
    assert_int_equal(order(ledger, OPERATION_BUY, session, 1, TISSUES, 1), STATUS_ORDER_REUSED);
    assert_int_equal(order(ledger, OPERATION_RESTOCK, session, 1, PENS, 1), STATUS_ORDER_REUSED);
    assert_int_equal(order(ledger, OPERATION_BUY, session, 2, PENS, 1), STATUS_OK);
    assert_int_equal(order(ledger, OPERATION_BUY, session, 1, PENS, 1), STATUS_ORDER_STALE);
    assert_int_equal(level(ledger, PENS), 8);
    assert_int_equal(level(ledger, TISSUES), 100);
}

static void
void_ends_a_doubt_either_way(void **state)
{
    struct ledger *ledger = *state;
    uint64_t session = log_in(ledger, "north");
    assert_int_equal(order(ledger, OPERATION_BUY, session, 1, PENS, 1), STATUS_OK);
    struct reply bought = reply;
    ask(OPERATION_VOID, session, 1);
    assert_int_equal(play(ledger), STATUS_OK);
    assert_memory_equal(&reply, &bought, sizeof reply);

    ask(OPERATION_VOID, session, 2);
    assert_int_equal(play(ledger), STATUS_ORDER_VOIDED);
    struct reply voided = reply;
    assert_int_equal(play(ledger), STATUS_ORDER_VOIDED);
    assert_int_equal(order(ledger, OPERATION_BUY, session, 2, PENS, 1), STATUS_ORDER_VOIDED);
    assert_memory_equal(&reply, &voided, sizeof reply);
    assert_int_equal(level(ledger, PENS), 9);

    ask(OPERATION_VOID, session, 1);
    assert_int_equal(play(ledger), STATUS_ORDER_STALE);
    ask(OPERATION_VOID, session, 4);
    assert_int_equal(play(ledger), STATUS_ORDER_GAP);
    assert_int_equal(order(ledger, OPERATION_BUY, session, 3, PENS, 1), STATUS_OK);
}

static void
all_lines_are_filled_or_none(void **state)
{
    struct ledger *ledger = *state;
    uint64_t session = log_in(ledger, "north");
    ask(OPERATION_BUY, session, 1);
    request.line_count = 2;
    request.lines[0] = (struct line){TISSUES, 5};
    request.lines[1] = (struct line){PENS, 11};
    assert_int_equal(play(ledger), STATUS_INSUFFICIENT_STOCK);
    assert_int_equal(level(ledger, TISSUES), 100);
    request.order = 2;
    request.lines[1] = (struct line){UNKNOWN, 1};
    assert_int_equal(play(ledger), STATUS_UNKNOWN_ITEM);
    assert_int_equal(reply.upc, UNKNOWN);
    assert_int_equal(level(ledger, TISSUES), 100);
    request.order = 3;
    request.lines[1] = (struct line){PENS, 10};
    assert_int_equal(play(ledger), STATUS_OK);
    assert_int_equal(reply.units, 15);
    assert_int_equal(level(ledger, TISSUES), 95);
    assert_int_equal(level(ledger, PENS), 0);
}

static void
equal_upcs_are_summed_before_the_check(void **state)
{
    struct ledger *ledger = *state;
    uint64_t session = log_in(ledger, "north");
    ask(OPERATION_BUY, session, 1);
    request.line_count = 3;
    request.lines[0] = (struct line){PENS, 6};
    request.lines[1] = (struct line){TISSUES, 1};
    request.lines[2] = (struct line){PENS, 6};
    assert_int_equal(play(ledger), STATUS_INSUFFICIENT_STOCK);
    request.order = 2;
    request.lines[2].units = 4;
    assert_int_equal(play(ledger), STATUS_OK);
    assert_int_equal(level(ledger, PENS), 0);
    assert_int_equal(event.line_count, 2);
}

static void
only_who_may_restocks_and_never_beyond_the_largest_level(void **state)
{
    struct ledger *ledger = *state;
    uint64_t north = log_in(ledger, "north");
    uint64_t depot = log_in(ledger, "depot");
    assert_int_equal(order(ledger, OPERATION_RESTOCK, north, 1, PENS, 1), STATUS_FORBIDDEN);
    assert_int_equal(order(ledger, OPERATION_RESTOCK, depot, 1, UNKNOWN, 1), STATUS_UNKNOWN_ITEM);
    stock_find(&ledger->stock, PENS)->units = LEVEL_MAX - 1;
    assert_int_equal(order(ledger, OPERATION_RESTOCK, depot, 2, PENS, 2), STATUS_TOO_LARGE);
    assert_int_equal(order(ledger, OPERATION_RESTOCK, depot, 3, PENS, 1), STATUS_OK);
    assert_int_equal(level(ledger, PENS), LEVEL_MAX);
    /* The refusals took their numbers: nobody who comes into the role later makes them happen. */
    assert_int_equal(ledger_permit(ledger, "north", true), 0);
    assert_int_equal(order(ledger, OPERATION_RESTOCK, north, 1, PENS, 1), STATUS_FORBIDDEN);
}

static void
a_session_is_known_by_number_and_token(void **state)
{
    struct ledger *ledger = *state;
    uint64_t north = log_in(ledger, "north");
    uint64_t depot = log_in(ledger, "depot");
    ask(OPERATION_VIEW, north, 0);
    assert_int_equal(play(ledger), STATUS_OK);
    request.session = depot;
    assert_int_equal(play(ledger), STATUS_NOT_LOGGED_IN);
    request.session = 77;
    assert_int_equal(play(ledger), STATUS_NOT_LOGGED_IN);
    ask(OPERATION_LOGOUT, north, 0);
    assert_int_equal(play(ledger), STATUS_OK);
    ask(OPERATION_VIEW, north, 0);
    assert_int_equal(play(ledger), STATUS_SESSION_ENDED);
    assert_int_equal(order(ledger, OPERATION_BUY, north, 1, PENS, 1), STATUS_SESSION_ENDED);
    assert_int_equal(log_in(ledger, "north"), 3);
}

static void
who_loses_the_account_is_shut_out(void **state)
{
    struct ledger *ledger = *state;
    uint64_t north = log_in(ledger, "north");
    ledger_forbid_all(ledger);
    assert_int_equal(order(ledger, OPERATION_BUY, north, 1, PENS, 1), STATUS_NOT_LOGGED_IN);
    assert_non_null(strstr(reply.message, "north"));
    request = (struct request){.operation = OPERATION_LOGIN, .user = "north"};
    assert_int_equal(play(ledger), STATUS_BAD_CREDENTIALS);
    assert_int_equal(ledger_permit(ledger, "north", false), 0);
    assert_int_equal(order(ledger, OPERATION_BUY, north, 1, PENS, 1), STATUS_OK);
}

static void
sessions_are_bounded_for_a_user_and_in_all(void **state)
{
    struct ledger *ledger = *state;
    for (int i = 0; i < 3; i++) {
        (void)log_in(ledger, "north");
    }
    request = (struct request){.operation = OPERATION_LOGIN, .user = "north"};
    assert_int_equal(play(ledger), STATUS_BUSY);
    assert_non_null(strstr(reply.message, "too many sessions"));
    (void)log_in(ledger, "depot");
    (void)log_in(ledger, "depot");
    request = (struct request){.operation = OPERATION_LOGIN, .user = "depot"};
    assert_int_equal(play(ledger), STATUS_BUSY);
    ask(OPERATION_LOGOUT, 2, 0);
    assert_int_equal(play(ledger), STATUS_OK);
    (void)log_in(ledger, "depot");
}

static void
a_view_comes_in_pages_in_order(void **state)
{
    struct ledger *ledger = *state;
    char name[ITEM_NAME_SIZE_MAX];
    memset(name, 'n', sizeof name);
    for (uint64_t upc = 2; upc < 2000; upc++) {
        assert_int_equal(stock_add(&ledger->stock, upc, name, sizeof name - upc % 7, upc), 0);
    }
    uint64_t session = log_in(ledger, "north");
    uint64_t expected = 0;
    int pages = 0;
    ask(OPERATION_VIEW, session, 0);
    do {
        static unsigned char bytes[MESSAGE_SIZE_MAX];
        struct buffer buffer;
        assert_int_equal(play(ledger), STATUS_OK);
        buffer_init(&buffer, bytes, sizeof bytes);
        reply_encode(&buffer, &reply);
        assert_false(buffer.overflow);
        for (size_t i = 0; i < reply.item_count; i++) {
            assert_int_equal(reply.items[i].upc, expected++);
        }
        request.continues = true;
        request.after = expected - 1;
        pages++;
    } while (reply.more);
    assert_int_equal(expected, 2000);
    assert_in_range(pages, 6, 8);
    request.after = UPC_MAX;
    assert_int_equal(play(ledger), STATUS_OK);
    assert_int_equal(reply.item_count, 0);

    ask(OPERATION_VIEW, session, 0);
    request.line_count = 2;
    request.lines[0].upc = PENS;
    request.lines[1].upc = TISSUES;
    assert_int_equal(play(ledger), STATUS_OK);
    assert_int_equal(reply.item_count, 2);
    assert_string_equal(reply.items[0].name, "Pens");
    request.lines[1].upc = 123456;
    assert_int_equal(play(ledger), STATUS_UNKNOWN_ITEM);

    request.line_count = 400; /* whose names are more than a page holds */
    for (uint64_t i = 0; i < request.line_count; i++) {
        request.lines[i].upc = 2 + i;
    }
    assert_int_equal(play(ledger), STATUS_TOO_LARGE);
}

static void
events_that_do_not_fit_the_state_are_damage(void **state)
{
    struct ledger *ledger = *state;
    struct diagnostic diagnostic = {""};
    uint64_t session = log_in(ledger, "north");
    struct event bad = {.kind = EVENT_BUY, .session = session, .order = 1, .line_count = 2};
    bad.lines[0] = (struct line){TISSUES, 1};
    bad.lines[1] = (struct line){PENS, 11};
    assert_int_equal(ledger_apply(ledger, &bad, 9, &diagnostic), ERROR_DAMAGED);
    assert_int_equal(level(ledger, TISSUES), 100);
    bad.lines[1] = (struct line){UNKNOWN, 1};
    assert_int_equal(ledger_apply(ledger, &bad, 9, &diagnostic), ERROR_DAMAGED);
    bad.line_count = 1;
    bad.order = 2;
    assert_int_equal(ledger_apply(ledger, &bad, 9, &diagnostic), ERROR_DAMAGED);
    bad.order = 1;
    bad.session = 5;
    assert_int_equal(ledger_apply(ledger, &bad, 9, &diagnostic), ERROR_DAMAGED);
    bad = (struct event){.kind = EVENT_LOGIN, .session = session, .user = "north"};
    assert_int_equal(ledger_apply(ledger, &bad, 9, &diagnostic), ERROR_DAMAGED);
    assert_non_null(strstr(diagnostic.text, "session 1"));
}

static void
an_event_decodes_to_what_was_encoded(void **state)
{
    (void)state;
    static struct event back;
    static unsigned char bytes[65536];
    struct unpacked unpacked;
    const struct guard_bounds bounds = {.depth_max = 8, .elements_max = 10000};
    assert_int_equal(unpacked_init(&unpacked), 0);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct buffer buffer;
        msgpack_packer packer;
        size_t used;
        enum guard_verdict verdict;
        memset(&event, 0, sizeof event);
        event.kind = (enum event_kind)kind;
        event.session = 7;
        if (event.kind == EVENT_LOGIN) {
            snprintf(event.user, sizeof event.user, "north");
            memset(event.token_hash, 3, sizeof event.token_hash);
        } else if (event.kind != EVENT_LOGOUT) {
            event.order = NUMBER_MAX;
        }
        if (event.kind == EVENT_BUY || event.kind == EVENT_RESTOCK || event.kind == EVENT_REFUSE) {
            event.body = UINT64_MAX;
        }
        if (event.kind == EVENT_REFUSE) {
            event.status = STATUS_INSUFFICIENT_STOCK;
            event.upc = UPC_MAX;
            event.available = LEVEL_MAX;
        }
        if (event.kind == EVENT_BUY || event.kind == EVENT_RESTOCK) {
            event.line_count = ORDER_LINES_MAX;
            for (size_t i = 0; i < ORDER_LINES_MAX; i++) {
                event.lines[i] = (struct line){UPC_MAX - ORDER_LINES_MAX + i, 1000000000000};
            }
        }
        buffer_init(&buffer, bytes, sizeof bytes);
        pack_into(&packer, &buffer);
        event_encode(&packer, &event);
        const struct request like = {.line_count = event.line_count};
        assert_in_range(buffer.size, 1, event_size_max(&like));
        assert_int_equal(unpack(&unpacked, bytes, buffer.size, &bounds, &used, &verdict), 0);
        memset(&back, 0, sizeof back);
        assert_int_equal(event_decode(&unpacked.object, &back, NULL), 0);
        assert_memory_equal(&back, &event, sizeof event);
    }
    unpacked_fini(&unpacked);
}

static void
events_out_of_range_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {
#define BYTES(text) {(text), sizeof(text) - 1}
        BYTES("\xc0"),
        BYTES("\x90"),
        BYTES("\x92\xa6logoff\x01"),
        BYTES("\x93\xa6logout\x01\x01"),
        BYTES("\x92\xa6logout\x00"),
        BYTES("\x93\xa4void\x01\x00"),
        BYTES("\x95\xa3"
              "buy\x01\x01\x01\x90"),
        BYTES("\x95\xa3"
              "buy\x01\x01\x01\x91\x92\x01\x00"),
        BYTES("\x95\xa3"
              "buy\x01\x01\x01\x92\x92\x02\x01\x92\x02\x01"),
        BYTES("\x94\xa5login\x01\xa0\xc4\x10"
              "0123456789abcdef"),
        BYTES("\x97\xa6refuse\x01\x01\x01\xa4nope\x01\x01"),
#undef BYTES
    };
    struct unpacked unpacked;
    const struct guard_bounds bounds = {.depth_max = 8, .elements_max = 100};
    assert_int_equal(unpacked_init(&unpacked), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t used;
        enum guard_verdict verdict;
        assert_int_equal(unpack(&unpacked, bad[i].bytes, bad[i].size, &bounds, &used, &verdict), 0);
        assert_int_equal(event_decode(&unpacked.object, &event, NULL), ERROR_DAMAGED);
    }
    unpacked_fini(&unpacked);
}

static void
the_index_agrees_with_a_plain_search(void **state)
{
    (void)state;
    enum {
        ROWS = 2000
    };
    struct row {
        uint64_t key;
        uint64_t other;
    } rows[ROWS];
    size_t count = 0;
    struct index index;
    index_init(&index, sizeof rows[0]);
    struct random_stream random = {.state = 1};
    for (int step = 0; step < 20000; step++) {
        uint64_t key = random_below(&random, ROWS) * 1000003;
        uint32_t found = index_find(&index, rows, key);
        uint32_t expected = INDEX_NONE;
        for (size_t i = 0; i < count; i++) {
            expected = rows[i].key == key ? (uint32_t)i : expected;
        }
        assert_int_equal(found, expected);
        if (found == INDEX_NONE && random_below(&random, 3) != 0) {
            assert_int_equal(index_reserve(&index, rows, count, count + 1), 0);
            rows[count] = (struct row){key, 0};
            index_add(&index, rows, (uint32_t)count++);
        } else if (found != INDEX_NONE) {
            uint32_t last = (uint32_t)--count;
            index_remove(&index, rows, found);
            if (found != last) {
                index_move(&index, rows, last, found);
                rows[found] = rows[last];
            }
        }
    }
    index_clear(&index);
}

#define LEDGER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        LEDGER_TEST(an_order_is_filled_once_however_often_it_is_sent),
        LEDGER_TEST(a_refusal_is_remembered_after_a_restock),
        LEDGER_TEST(a_number_that_is_not_the_next_executes_nothing),
        LEDGER_TEST(void_ends_a_doubt_either_way),
        LEDGER_TEST(all_lines_are_filled_or_none),
        LEDGER_TEST(equal_upcs_are_summed_before_the_check),
        LEDGER_TEST(only_who_may_restocks_and_never_beyond_the_largest_level),
        LEDGER_TEST(a_session_is_known_by_number_and_token),
        LEDGER_TEST(who_loses_the_account_is_shut_out),
        LEDGER_TEST(sessions_are_bounded_for_a_user_and_in_all),
        LEDGER_TEST(a_view_comes_in_pages_in_order),
        LEDGER_TEST(events_that_do_not_fit_the_state_are_damage),
        cmocka_unit_test(an_event_decodes_to_what_was_encoded),
        cmocka_unit_test(events_out_of_range_are_refused),
        cmocka_unit_test(the_index_agrees_with_a_plain_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
