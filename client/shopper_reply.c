#include "client/shopper_parts.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum {
    BUSY_WAIT_DEFAULT_MS = 100,
    BUSY_WAIT_MAX_MS = 10000
};

/*
 * Remembers the names of what `user` has, as far as they are known, and asks for the others: those
 * of what was bought just now, and of what was bought by a client that was killed before it knew.
 */
static enum shopper_step
name_items(struct shopper *shopper, const char *user)
{
    uint64_t unknown[ORDER_LINES_MAX];
    size_t count = 0;
    const struct holder *holder = local_state_find_holder(shopper_state(shopper), user);
    for (size_t i = 0; holder != NULL && i < holder->count && count < ORDER_LINES_MAX; i++) {
        uint64_t upc = holder->lines[i].upc;
        const char *name = view_find_name(&shopper->view, upc);
        if (name != NULL) {
            local_inventory_learn(shopper->inventory, upc, name);
        } else if (local_state_find_name(shopper_state(shopper), upc) == NULL) {
            unknown[count++] = upc;
        }
    }
    view_clear(&shopper->names);
    if (count == 0 || view_want(&shopper->names, unknown, count) != 0) {
        return shopper_end_well(shopper);
    }
    return shopper_send_view(shopper, PHASE_NAMES, &shopper->names);
}

static enum shopper_step
receive_names(struct shopper *shopper, const struct reply *reply)
{
    for (size_t i = 0; reply->status == STATUS_OK && i < reply->item_count; i++) {
        local_inventory_learn(shopper->inventory, reply->items[i].upc, reply->items[i].name);
    }
    return shopper_end_well(shopper);
}

/* Goes on after the outcome of an order was written down. */
static enum shopper_step
go_on(struct shopper *shopper, const struct shopper_order *noted)
{
    if (noted == &shopper->result.before) {
        return shopper_start(shopper);
    }
    if (noted->status == STATUS_OK && noted->order.operation == OPERATION_BUY) {
        return name_items(shopper, noted->order.user);
    }
    if (noted->status == STATUS_OK || shopper->errand == ERRAND_VOID) {
        return shopper_end_well(shopper);
    }
    return shopper_refuse(shopper, noted->status);
}

/* Is this the outcome of the pending order, as far as can be told? */
static bool
is_outcome_of(const struct order *order, const struct reply *reply)
{
    uint64_t units = 0;
    for (size_t i = 0; i < order->line_count; i++) {
        units += order->lines[i].units;
    }
    return reply->status == STATUS_ORDER_REUSED ||
           (reply->order == order->number && (reply->status != STATUS_OK || reply->units == units));
}

static enum shopper_step
settle(struct shopper *shopper, const struct reply *reply, const void *data, size_t size)
{
    struct diagnostic diagnostic = {""};
    if (!is_outcome_of(&shopper_state(shopper)->pending.order, reply)) {
        return shopper_leave_pending(
            shopper, "the broker answered with the outcome of another order");
    }
    struct shopper_order *noted = shopper_note_order(
        shopper, shopper_is_own_order(shopper) ? &shopper->result.order : &shopper->result.before);
    noted->status = reply->status;
    if (local_inventory_settle(shopper->inventory, reply, data, size, &diagnostic) != 0) {
        return shopper_fail(shopper, OUTCOME_UNKNOWN, "outcome_unknown",
            "the broker answered '%s' to the order, but that could not be written down: %s; "
            "start again and run 'resolve'",
            status_word(reply->status), diagnostic.text);
    }
    return go_on(shopper, noted);
}

static bool
is_session_lost(enum status status)
{
    return status == STATUS_SESSION_ENDED || status == STATUS_NOT_LOGGED_IN ||
           status == STATUS_ORDER_STALE || status == STATUS_ORDER_GAP;
}

/* Takes back an order that the broker has not made and will not make. */
enum shopper_step
shopper_release(struct shopper *shopper, enum status status)
{
    struct diagnostic diagnostic = {""};
    shopper->result.order.status = status;
    int error = local_inventory_release(shopper->inventory, status, &diagnostic);
    if (error == 0 && is_session_lost(status)) {
        error = local_inventory_log_out(shopper->inventory, &diagnostic);
        if (error != 0) {
            return shopper_fail_disk(shopper, &diagnostic);
        }
    }
    return error == 0 ? shopper_refuse(shopper, status)
                      : shopper_leave_pending(shopper, diagnostic.text);
}

/* The broker says something of the pending order that neither makes nor refuses it for ever. */
static enum shopper_step
dispute(struct shopper *shopper, enum status status)
{
    struct diagnostic diagnostic = {""};
    if (shopper->errand == ERRAND_SET_ASIDE) {
        shopper_note_order(shopper, &shopper->result.order)->status = status;
        if (local_inventory_set_aside(shopper->inventory, status, &diagnostic) != 0) {
            return shopper_leave_pending(shopper, diagnostic.text);
        }
        return shopper_end_well(shopper);
    }
    const struct order *order = &shopper_state(shopper)->pending.order;
    if (shopper_is_own_order(shopper)) {
        shopper_note_order(shopper, &shopper->result.order)->status = status;
    }
    return shopper_fail(shopper, OUTCOME_UNKNOWN, "outcome_unknown",
        "the broker cannot tell what became of order %" PRIu64 " of session %" PRIu64
        ", it may or may not have been made (%s); it stays pending: "
        "'resolve --void' gives it up if the broker still can, "
        "'resolve --set-aside' takes it out of the way%s",
        order->number, order->session, status_text(status), shopper_nothing_else(shopper));
}

/*
 * Does the reply claim to be the outcome of an order? Of those that can be one, only too_large and
 * forbidden have another meaning without its number: nothing was decided.
 */
static bool
is_outcome(const struct reply *reply)
{
    bool can_be_less = reply->status == STATUS_TOO_LARGE || reply->status == STATUS_FORBIDDEN;
    return status_settles_order(reply->status) && (reply->order != 0 || !can_be_less);
}

static enum shopper_step
receive_outcome(struct shopper *shopper, const struct reply *reply, const void *data, size_t size)
{
    if (is_outcome(reply) || reply->status == STATUS_ORDER_REUSED) {
        return settle(shopper, reply, data, size);
    }
    if (!shopper->in_doubt) {
        return shopper_release(shopper, reply->status);
    }
    if (reply->status == STATUS_NO_SPACE) {
        return shopper_leave_pending(shopper, status_text(reply->status));
    }
    return dispute(shopper, reply->status);
}

/* Forgets the session, after the broker has. */
static enum shopper_step
receive_logout(struct shopper *shopper, const struct reply *reply)
{
    struct diagnostic diagnostic = {""};
    if (reply->status != STATUS_OK && !is_session_lost(reply->status)) {
        return shopper_refuse(shopper, reply->status);
    }
    if (local_inventory_log_out(shopper->inventory, &diagnostic) != 0) {
        return shopper_fail_disk(shopper, &diagnostic);
    }
    return shopper->phase == PHASE_LEAVE ? shopper_start(shopper) : shopper_end_well(shopper);
}

static enum shopper_step
receive_login(struct shopper *shopper, const struct reply *reply)
{
    struct diagnostic diagnostic = {""};
    if (reply->status != STATUS_OK) {
        return shopper_refuse(shopper, reply->status);
    }
    if (reply->session == 0) {
        return shopper_fail(
            shopper, OUTCOME_DAMAGED, "damaged", "the reply to a login has no session");
    }
    if (local_inventory_log_in(shopper->inventory, shopper->draft.user, reply, &diagnostic) != 0) {
        return shopper_fail_disk(shopper, &diagnostic);
    }
    return shopper_end_well(shopper);
}

/* The broker refuses to show something. The session is forgotten, if that is why. */
static enum shopper_step
refuse_to_show(struct shopper *shopper, enum status status)
{
    struct diagnostic diagnostic = {""};
    if (is_session_lost(status) && local_inventory_log_out(shopper->inventory, &diagnostic) != 0) {
        return shopper_fail_disk(shopper, &diagnostic);
    }
    return shopper_refuse(shopper, status);
}

static enum shopper_step
receive_stats(struct shopper *shopper, const struct reply *reply)
{
    if (reply->status != STATUS_OK) {
        return refuse_to_show(shopper, reply->status);
    }
    if (reply->stats == NULL) {
        return shopper_fail(shopper, OUTCOME_DAMAGED, "damaged", "the reply has no figures");
    }
    return shopper_end_well(shopper);
}

static enum shopper_step
receive_view(struct shopper *shopper, const struct reply *reply)
{
    struct view *view = &shopper->view;
    bool more = false;
    if (reply->status != STATUS_OK) {
        return refuse_to_show(shopper, reply->status);
    }
    int error = view_take(view, reply, &more);
    if (error != 0) {
        return shopper_fail(
            shopper, OUTCOME_DAMAGED, "damaged", "a page of the view: %s", error_text(error));
    }
    for (size_t i = 0; i < reply->item_count; i++) {
        local_inventory_learn(shopper->inventory, reply->items[i].upc, reply->items[i].name);
    }
    if (more) {
        return shopper_send_view(shopper, PHASE_ERRAND, view);
    }
    shopper->result.items = view->items;
    shopper->result.item_count = view->count;
    return shopper_end_well(shopper);
}

static enum shopper_step
receive_errand(struct shopper *shopper, const struct reply *reply)
{
    switch (shopper->errand) {
    case ERRAND_LOGIN:
        return receive_login(shopper, reply);
    case ERRAND_VIEW:
        return receive_view(shopper, reply);
    case ERRAND_LOGOUT:
        return receive_logout(shopper, reply);
    case ERRAND_STATS:
        return receive_stats(shopper, reply);
    case ERRAND_PING:
    case ERRAND_ORDER:
    case ERRAND_RESOLVE:
    case ERRAND_VOID:
    case ERRAND_SET_ASIDE:
    case ERRAND_COUNT:
        break;
    }
    return reply->status == STATUS_OK ? shopper_end_well(shopper)
                                      : shopper_refuse(shopper, reply->status);
}

/* Holds a reply against what was seen of the broker. Returns a word for what is wrong, or NULL. */
static const char *
distrust(struct shopper *shopper, const struct reply *reply, struct diagnostic *diagnostic)
{
    const struct local_state *state = shopper_state(shopper);
    const char *directory = local_inventory_directory(shopper->inventory);
    if (!state->has_history) {
        return NULL;
    }
    if (memcmp(reply->history, state->history, sizeof reply->history) != 0) {
        diagnostic_set(diagnostic, 0,
            "the broker has other data than the one this client has dealt with: is it the right "
            "broker, or was it set up anew? To begin afresh, move %s away, with all that it says "
            "you have bought",
            directory);
        return "other_history";
    }
    bool is_remembered = shopper_is_about_order(shopper) && is_outcome(reply);
    /* The record of an order is a new one: it stands behind all that was seen before. */
    uint64_t seen = is_remembered ? state->pending.position : state->position;
    if (reply->position < seen || (is_remembered && reply->position == seen)) {
        diagnostic_set(diagnostic, 0,
            "the broker's data is older than what this client has seen (position %" PRIu64
            ", seen was %" PRIu64 "): was a backup put back? To begin afresh, move %s away, with "
            "all that it says you have bought",
            reply->position, seen, directory);
        return "older_data";
    }
    return NULL;
}

/* A reply that cannot be used: what it was for is as open as without it. */
static enum shopper_step
reject(struct shopper *shopper, const char *word, const struct diagnostic *diagnostic)
{
    if (shopper->phase == PHASE_NAMES) {
        return shopper_end_well(shopper);
    }
    const char *more = shopper_is_about_order(shopper) ? ". The order stays pending" : "";
    return shopper_fail(shopper, OUTCOME_DAMAGED, word, "%s%s", diagnostic->text, more);
}

enum shopper_step
shopper_receive(struct shopper *shopper, const void *data, size_t size)
{
    struct diagnostic diagnostic = {""};
    struct reply reply;
    assert(shopper->phase != PHASE_END);
    if (reply_decode(shopper->memory, data, size, &reply, &diagnostic) != 0) {
        return shopper_is_about_order(shopper) ? shopper_leave_pending(shopper, diagnostic.text)
                                               : reject(shopper, "damaged", &diagnostic);
    }
    const char *word = distrust(shopper, &reply, &diagnostic);
    if (word != NULL) {
        return reject(shopper, word, &diagnostic);
    }
    local_inventory_see(shopper->inventory, reply.position);
    shopper->awaits = false;
    shopper->is_busy = reply.status == STATUS_BUSY;
    if (shopper->phase == PHASE_NAMES) {
        return receive_names(shopper, &reply);
    }
    shopper->result.reply = reply;
    shopper->result.reply.items = NULL;
    shopper->result.reply.item_count = 0;
    if (shopper->is_busy) {
        uint64_t wait_ms = reply.retry_ms == 0 ? BUSY_WAIT_DEFAULT_MS : reply.retry_ms;
        shopper->wait_ms = (int64_t)(wait_ms < BUSY_WAIT_MAX_MS ? wait_ms : BUSY_WAIT_MAX_MS);
        return SHOPPER_WAIT;
    }
    if (shopper_is_about_order(shopper)) {
        return receive_outcome(shopper, &reply, data, size);
    }
    return shopper->phase == PHASE_LEAVE ? receive_logout(shopper, &reply)
                                         : receive_errand(shopper, &reply);
}
