/**
 * stage.h: a client in a scratch directory, and a broker that the test plays by hand.
 */
#ifndef STOCKBUS_TESTS_STAGE_H
#define STOCKBUS_TESTS_STAGE_H

#include "support/faulty_files.h"
#include "support/scratch.h"

#include <sodium.h>

#include "client/shopper.h"

enum {
    SEEN = 10 /* position of the broker's data after the login of most tests */
};

static const uint8_t history[HISTORY_SIZE] = {1, 2, 3};
static const uint8_t nonce[NONCE_SIZE] = {4, 5, 6};
static const uint64_t tissues = 36000291452;
static const struct line three_tissues = {36000291452, 3};

/* A client, and the broker that a test plays. */
struct stage {
    const char *directory;
    struct local_inventory *inventory;
    struct shopper *shopper;
    struct unpacked unpacked;
    struct request request;               /* the last one that was decoded */
    unsigned char sent[MESSAGE_SIZE_MAX]; /* its bytes */
    size_t sent_size;
    uint64_t position; /* of the replies */
};

static inline void
enter(struct stage *stage, struct files *files)
{
    struct diagnostic diagnostic = {""};
    assert_int_equal(
        local_inventory_open(&stage->inventory, files, stage->directory, history, &diagnostic), 0);
    stage->shopper = shopper_new(stage->inventory);
    assert_non_null(stage->shopper);
}

static inline void
leave(struct stage *stage)
{
    shopper_free(&stage->shopper);
    (void)local_inventory_close(&stage->inventory, NULL);
}

static inline void
restart(struct stage *stage)
{
    leave(stage);
    enter(stage, files_system());
}

static inline const struct local_state *
state_of(const struct stage *stage)
{
    return local_inventory_state(stage->inventory);
}

/* Takes what the client sends. */
static inline const struct request *
take(struct stage *stage)
{
    const void *data;
    char message[MESSAGE_TEXT_SIZE];
    shopper_request(stage->shopper, &data, &stage->sent_size);
    memcpy(stage->sent, data, stage->sent_size);
    assert_int_equal(
        request_decode(&stage->unpacked, stage->sent, stage->sent_size, &stage->request, message),
        STATUS_OK);
    return &stage->request;
}

static inline enum shopper_step
send_reply(struct stage *stage, const struct reply *reply)
{
    static unsigned char bytes[MESSAGE_SIZE_MAX];
    struct buffer buffer;
    buffer_init(&buffer, bytes, sizeof bytes);
    reply_encode(&buffer, reply);
    assert_false(buffer.overflow);
    if (reply->position > stage->position) {
        stage->position = reply->position;
    }
    return shopper_receive(stage->shopper, bytes, buffer.size);
}

/* A reply with what each has, and with the number of the order that was sent, if one was. */
static inline struct reply
reply_of(const struct stage *stage, enum status status)
{
    struct reply reply = {
        .status = status, .position = stage->position, .order = stage->request.order};
    if (status_settles_order(status) && stage->request.order != 0) {
        reply.position++;
    }
    memcpy(reply.history, history, sizeof reply.history);
    if (!status_settles_order(status)) {
        reply.order = 0;
    }
    if (status == STATUS_OK && stage->request.operation != OPERATION_VIEW) {
        for (size_t i = 0; i < stage->request.line_count; i++) {
            reply.units += stage->request.lines[i].units;
        }
    }
    return reply;
}

static inline enum shopper_step
answer(struct stage *stage, enum status status)
{
    struct reply reply = reply_of(stage, status);
    return send_reply(stage, &reply);
}

static inline enum shopper_step
answer_login(struct stage *stage)
{
    struct reply reply = reply_of(stage, STATUS_OK);
    reply.session = 7;
    memset(reply.token, 5, sizeof reply.token);
    return send_reply(stage, &reply);
}

static inline enum shopper_step
answer_page(struct stage *stage, const struct item *items, size_t count, bool more)
{
    struct reply reply = reply_of(stage, STATUS_OK);
    reply.is_page = true;
    reply.items = items;
    reply.item_count = count;
    reply.more = more;
    return send_reply(stage, &reply);
}

static inline enum outcome
outcome_of(const struct stage *stage)
{
    return shopper_result(stage->shopper)->outcome;
}

static inline uint64_t
units_held(const struct stage *stage)
{
    const struct holder *holder = local_state_find_holder(state_of(stage), "north");
    return holder == NULL ? 0 : holder->lines[0].units;
}

static inline void
log_in(struct stage *stage)
{
    assert_int_equal(shopper_begin_login(stage->shopper, "north", "apple", nonce), SHOPPER_SEND);
    assert_int_equal(take(stage)->operation, OPERATION_LOGIN);
    assert_int_equal(answer_login(stage), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_DONE);
}

static inline enum shopper_step
buy(struct stage *stage)
{
    return shopper_begin_order(stage->shopper, OPERATION_BUY, &three_tissues, 1);
}

/* Sends an order that gets no answer, and starts the client again. */
static inline void
leave_pending(struct stage *stage)
{
    assert_int_equal(buy(stage), SHOPPER_SEND);
    (void)take(stage);
    assert_int_equal(shopper_give_up(stage->shopper, "no answer"), SHOPPER_END);
    assert_int_equal(outcome_of(stage), OUTCOME_UNKNOWN);
    restart(stage);
    assert_true(state_of(stage)->pending.exists);
}

/* Answers the view that asks for the name of what was bought. */
static inline void
answer_names(struct stage *stage)
{
    const struct item item = {.upc = tissues, .name = "tissues", .units = 97};
    assert_true(shopper_may_give_up(stage->shopper));
    assert_int_equal(take(stage)->operation, OPERATION_VIEW);
    assert_int_equal(stage->request.lines[0].upc, tissues);
    assert_int_equal(answer_page(stage, &item, 1, false), SHOPPER_END);
}

static inline int
stage_setup(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    void *directory = NULL;
    if (stage == NULL || scratch_setup(&directory) != 0 || sodium_init() < 0 ||
        unpacked_init(&stage->unpacked) != 0) {
        return -1;
    }
    stage->directory = directory;
    stage->position = SEEN;
    enter(stage, files_system());
    *state = stage;
    return 0;
}

static inline int
stage_teardown(void **state)
{
    struct stage *stage = *state;
    leave(stage);
    unpacked_fini(&stage->unpacked);
    void *directory = (void *)(uintptr_t)stage->directory;
    scratch_teardown(&directory);
    free(stage);
    return 0;
}

/* Ends what asks for names. */
static inline void
skip_names(struct stage *stage, enum shopper_step step)
{
    if (step == SHOPPER_SEND) {
        assert_true(shopper_may_give_up(stage->shopper));
        (void)shopper_give_up(stage->shopper, "not wanted");
    }
}

#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

#endif
