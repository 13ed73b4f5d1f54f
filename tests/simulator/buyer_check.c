#include "simulator/buyer_check.h"

#include <inttypes.h>
#include <string.h>

/* Notes what the user is told of an order, and sees that it is so. */
static void
check_order(struct buyer *buyer, const struct shopper_order *told)
{
    struct stage *stage = buyer->stage;
    const struct local_state *state = local_inventory_state(buyer->inventory);
    const struct order *order = &told->order;
    if (!told->exists || (state->pending.exists && state->pending.order.number == order->number &&
                             state->pending.order.session == order->session)) {
        return;
    }
    const struct model_session *session = model_session(stage->model, order->session);
    if (session == NULL) {
        trace_fail(&stage->trace, "buyer %d has a session that never was", buyer->number);
    }
    trace_note(&stage->trace, "%d: order %" PRIu64 " of session %" PRIu64 " is told as %s",
        buyer->number, order->number, order->session, status_word(told->status));
    bool has_ended = order->number <= session->last.order;
    bool is_so = status_settles_order(told->status)
                     ? has_ended && session->ends[order->number - 1] == told->status
                     : !has_ended;
    if (!is_so) {
        trace_fail(&stage->trace,
            "buyer %d is told %s of order %" PRIu64 " of session %" PRIu64
            ", and the broker has it as %s",
            buyer->number, status_word(told->status), order->number, order->session,
            has_ended ? status_word(session->ends[order->number - 1]) : "not made");
    }
    if (buyer->sent_session == order->session && buyer->sent_order == order->number) {
        buyer->has_sent = false;
    }
    for (size_t i = 0; told->status == STATUS_OK && i < order->line_count; i++) {
        int item = model_find_item(stage->model, order->lines[i].upc);
        if (order->operation == OPERATION_BUY) {
            buyer->told[session->user][item] += order->lines[i].units;
        }
    }
}

static void
check_view(struct buyer *buyer, const struct shopper_result *result)
{
    for (size_t i = 0; i < result->item_count; i++) {
        char name[32];
        int item = model_find_item(buyer->stage->model, result->items[i].upc);
        bool is_next = i == 0 || result->items[i].upc > result->items[i - 1].upc;
        (void)stage_item((uint64_t)item, name);
        if (item < 0 || !is_next || strcmp(name, result->items[i].name) != 0) {
            trace_fail(&buyer->stage->trace, "buyer %d is shown a wrong view", buyer->number);
        }
    }
}

static void
check_session(struct buyer *buyer)
{
    const struct local_state *state = local_inventory_state(buyer->inventory);
    const struct model_session *session = model_session(buyer->stage->model, state->session);
    if (!state->is_logged_in || session == NULL || session->user != buyer->login_user ||
        memcmp(session->token, state->token, TOKEN_SIZE) != 0) {
        trace_fail(&buyer->stage->trace, "buyer %d is logged in wrongly", buyer->number);
    }
}

/* Does the broker say that it cannot tell what became of the pending order? */
static bool
is_disputed(const struct shopper_result *result)
{
    enum status status = result->reply.status;
    return result->outcome == OUTCOME_UNKNOWN &&
           (status == STATUS_SESSION_ENDED || status == STATUS_NOT_LOGGED_IN ||
               status == STATUS_ORDER_STALE || status == STATUS_ORDER_GAP ||
               status == STATUS_BAD_REQUEST || status == STATUS_WRONG_VERSION);
}

void
buyer_check_result(struct buyer *buyer, const struct shopper_result *result)
{
    struct stage *stage = buyer->stage;
    bool has_reason = buyer->disk.has_failed;
    if (!has_reason && (result->outcome == OUTCOME_DAMAGED || is_disputed(result))) {
        trace_fail(&stage->trace, "buyer %d: %s", buyer->number, result->message.text);
    }
    bool has_answer = result->outcome == OUTCOME_DONE || result->outcome == OUTCOME_REFUSED ||
                      result->outcome == OUTCOME_LOGGED_OUT;
    bool is_early = result->outcome == OUTCOME_UNKNOWN && result->reply.status == STATUS_NO_SPACE;
    if (is_early && buyer->calm != CALM_NOT_YET) {
        buyer->calm--; /* the broker has not looked at its disk again yet: once more */
    } else if (!has_reason && buyer->calm != CALM_NOT_YET && !has_answer) {
        trace_fail(
            &stage->trace, "buyer %d gets no answer: %s", buyer->number, result->message.text);
    }
    check_order(buyer, &result->before);
    check_order(buyer, &result->order);
    if (result->outcome == OUTCOME_DONE && buyer->login_user >= 0) {
        check_session(buyer);
    }
    if (result->outcome == OUTCOME_DONE && buyer->is_view) {
        check_view(buyer, result);
    }
}

/* Fills in the units of each item that the local inventory has for a user. */
static void
find_units(const struct buyer *buyer, int user, uint64_t units[STAGE_ITEMS_MAX])
{
    const struct local_state *state = local_inventory_state(buyer->inventory);
    const struct holder *holder = local_state_find_holder(state, stage_users[user]);
    memset(units, 0, STAGE_ITEMS_MAX * sizeof *units);
    for (size_t i = 0; holder != NULL && i < holder->count; i++) {
        int item = model_find_item(buyer->stage->model, holder->lines[i].upc);
        if (item < 0) {
            trace_fail(&buyer->stage->trace, "buyer %d has an item that never was", buyer->number);
        }
        units[item] += holder->lines[i].units;
    }
}

/* An order whose bytes went out is pending, or its end is written down. */
static void
check_sent(struct buyer *buyer, const struct local_state *state)
{
    bool is_over = !state->is_logged_in || state->session != buyer->sent_session ||
                   state->order_next > buyer->sent_order ||
                   (state->last.exists && state->last.session == buyer->sent_session &&
                       state->last.number == buyer->sent_order);
    if (buyer->has_sent && !state->pending.exists && !is_over) {
        trace_fail(&buyer->stage->trace,
            "buyer %d has forgotten order %" PRIu64 " of session %" PRIu64 ", which it sent",
            buyer->number, buyer->sent_order, buyer->sent_session);
    }
}

void
buyer_check_inventory(struct buyer *buyer)
{
    const struct local_state *state = local_inventory_state(buyer->inventory);
    const struct model *model = buyer->stage->model;
    uint64_t held[STAGE_ITEMS_MAX];
    check_sent(buyer, state);
    for (int user = 0; user < STAGE_USERS; user++) {
        find_units(buyer, user, held);
        for (uint64_t i = 0; i < model->item_count; i++) {
            uint64_t units = held[i];
            uint64_t bought = model->bought[buyer->number][user][i];
            if (units < buyer->told[user][i] || units > bought) {
                trace_fail(&buyer->stage->trace,
                    "buyer %d has %" PRIu64 " units of item %" PRIu64 ", was told of %" PRIu64
                    " and has bought %" PRIu64,
                    buyer->number, units, stage_item(i, NULL), buyer->told[user][i], bought);
            }
        }
    }
}

uint64_t
buyer_check_settled(struct buyer *buyer)
{
    const struct local_state *state = local_inventory_state(buyer->inventory);
    const struct model *model = buyer->stage->model;
    uint64_t held[STAGE_ITEMS_MAX];
    uint64_t sum = 0;
    if (state->pending.exists || state->aside_count > 0) {
        trace_fail(&buyer->stage->trace, "buyer %d has not settled its order", buyer->number);
    }
    for (int user = 0; user < STAGE_USERS; user++) {
        find_units(buyer, user, held);
        for (uint64_t i = 0; i < model->item_count; i++) {
            uint64_t units = held[i];
            sum += units;
            if (units != model->bought[buyer->number][user][i]) {
                trace_fail(&buyer->stage->trace,
                    "buyer %d has %" PRIu64 " units of item %" PRIu64 ", and has bought %" PRIu64,
                    buyer->number, units, stage_item(i, NULL),
                    model->bought[buyer->number][user][i]);
            }
        }
    }
    return sum;
}
