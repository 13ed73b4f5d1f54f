#include "client/local_record.h"

#include <assert.h>
#include <string.h>

/*
 * A taker hands out the fields of an array one by one; the first that is not what it
 * should be makes it bad, and whoever takes looks at that once, at the end.
 */
struct taker {
    const msgpack_object *fields;
    size_t left;
    bool bad;
};

static const msgpack_object *
take(struct taker *taker)
{
    static const msgpack_object none = {.type = MSGPACK_OBJECT_NIL};
    if (taker->left == 0) {
        taker->bad = true;
        return &none;
    }
    assert(taker->fields != NULL);
    taker->left--;
    return taker->fields++;
}

static uint64_t
take_uint(struct taker *taker, uint64_t min, uint64_t max)
{
    uint64_t value = min;
    if (!object_uint(take(taker), min, max, &value)) {
        taker->bad = true;
    }
    return value;
}

static void
take_bytes(struct taker *taker, void *data, size_t size)
{
    if (!object_bytes(take(taker), data, size)) {
        taker->bad = true;
    }
}

static void
take_user(struct taker *taker, char *user)
{
    const char *text = "";
    size_t size = 0;
    if (!object_text(take(taker), USER_SIZE_MAX, &text, &size)) {
        taker->bad = true;
    }
    memset(user, 0, USER_SIZE_MAX + 1);
    memcpy(user, text, size);
}

static enum status
take_status(struct taker *taker)
{
    enum status status = STATUS_OK;
    if (!status_parse(take(taker), &status)) {
        taker->bad = true;
    }
    return status;
}

static enum operation
take_kind(struct taker *taker)
{
    const msgpack_object *field = take(taker);
    if (object_is_text(field, operation_word(OPERATION_RESTOCK))) {
        return OPERATION_RESTOCK;
    }
    if (!object_is_text(field, operation_word(OPERATION_BUY))) {
        taker->bad = true;
    }
    return OPERATION_BUY;
}

static struct taker
take_array(struct taker *taker)
{
    const msgpack_object *field = take(taker);
    if (field->type != MSGPACK_OBJECT_ARRAY) {
        taker->bad = true;
        return (struct taker){0};
    }
    return (struct taker){.fields = field->via.array.ptr, .left = field->via.array.size};
}

/* Takes the lines of an order, at least one. */
static void
take_lines(struct taker *taker, struct order *order)
{
    struct taker lines = take_array(taker);
    order->line_count = 0;
    if (lines.left == 0 || lines.left > ORDER_LINES_MAX) {
        taker->bad = true;
        return;
    }
    while (lines.left > 0) {
        struct taker fields = take_array(&lines);
        struct line *line = &order->lines[order->line_count++];
        line->upc = take_uint(&fields, 0, UPC_MAX);
        line->units = take_uint(&fields, 1, UNITS_MAX);
        taker->bad = taker->bad || fields.bad || lines.bad;
    }
}

/* Takes the four fields that say which order it is. */
static void
take_order(struct taker *taker, struct order *order)
{
    order->operation = take_kind(taker);
    take_user(taker, order->user);
    order->session = take_uint(taker, 1, NUMBER_MAX);
    order->number = take_uint(taker, 1, NUMBER_MAX);
}

/* Records, one function each. They return 0, ERROR_MEMORY, or ERROR_DAMAGED. */

static int
take_history(struct local_state *state, struct taker *taker)
{
    if (state->has_history) {
        return ERROR_DAMAGED;
    }
    take_bytes(taker, state->history, sizeof state->history);
    state->position = take_uint(taker, 0, NUMBER_MAX);
    state->has_history = true;
    return 0;
}

static int
take_session(struct local_state *state, struct taker *taker)
{
    if (state->is_logged_in || !state->has_history) {
        return ERROR_DAMAGED;
    }
    take_user(taker, state->user);
    state->session = take_uint(taker, 1, NUMBER_MAX);
    take_bytes(taker, state->token, sizeof state->token);
    state->order_next = take_uint(taker, 1, NUMBER_MAX + 1); /* one behind the last there can be */
    state->is_logged_in = true;
    return 0;
}

static int
take_last_user(struct local_state *state, struct taker *taker)
{
    if (state->is_logged_in) {
        return ERROR_DAMAGED;
    }
    take_user(taker, state->user);
    return 0;
}

static int
take_login(struct local_state *state, struct taker *taker)
{
    uint8_t history[HISTORY_SIZE];
    if (state->pending.exists) {
        return ERROR_DAMAGED;
    }
    take_user(taker, state->user);
    state->session = take_uint(taker, 1, NUMBER_MAX);
    take_bytes(taker, state->token, sizeof state->token);
    take_bytes(taker, history, sizeof history);
    uint64_t position = take_uint(taker, 0, NUMBER_MAX);
    if (taker->bad ||
        (state->has_history && memcmp(history, state->history, sizeof history) != 0)) {
        return ERROR_DAMAGED;
    }
    memcpy(state->history, history, sizeof history);
    state->has_history = true;
    local_state_see(state, position);
    state->order_next = 1;
    state->is_leaving = false;
    state->is_logged_in = true;
    return 0;
}

static int
take_pending(struct local_state *state, struct taker *taker)
{
    struct pending *pending = &state->pending;
    if (pending->exists || !state->is_logged_in || state->is_leaving) {
        return ERROR_DAMAGED;
    }
    take_order(taker, &pending->order);
    pending->position = take_uint(taker, 0, NUMBER_MAX);
    take_lines(taker, &pending->order);
    const msgpack_object *request = take(taker);
    if (taker->bad || request->type != MSGPACK_OBJECT_BIN || request->via.bin.size == 0 ||
        request->via.bin.size > sizeof pending->request ||
        pending->order.session != state->session || pending->order.number != state->order_next ||
        strcmp(pending->order.user, state->user) != 0) {
        return ERROR_DAMAGED;
    }
    memcpy(pending->request, request->via.bin.ptr, request->via.bin.size);
    pending->request_size = request->via.bin.size;
    pending->exists = true;
    local_state_see(state, pending->position);
    return 0;
}

/* Takes the fields that each end of an order has, and makes it the last one. */
static int
take_ending(struct local_state *state, struct taker *taker)
{
    const struct order *order = &state->pending.order;
    uint64_t session = take_uint(taker, 1, NUMBER_MAX);
    uint64_t number = take_uint(taker, 1, NUMBER_MAX);
    enum status status = take_status(taker);
    uint64_t position = take_uint(taker, 0, NUMBER_MAX);
    if (taker->bad || !state->pending.exists || session != order->session ||
        number != order->number) {
        return ERROR_DAMAGED;
    }
    state->last = (struct last_order){.exists = true,
        .operation = order->operation,
        .session = session,
        .number = number,
        .status = status};
    memcpy(state->last.user, order->user, sizeof state->last.user);
    state->pending.exists = false;
    local_state_see(state, position);
    return 0;
}

static int
take_done(struct local_state *state, struct taker *taker)
{
    int error = take_ending(state, taker);
    if (error != 0 || take(taker)->type != MSGPACK_OBJECT_BIN) {
        return error != 0 ? error : ERROR_DAMAGED;
    }
    state->order_next++;
    const struct order *order = &state->pending.order;
    if (state->last.status != STATUS_OK || order->operation != OPERATION_BUY) {
        return 0;
    }
    for (size_t i = 0; error == 0 && i < order->line_count; i++) {
        error =
            local_state_add_units(state, order->user, order->lines[i].upc, order->lines[i].units);
    }
    return error;
}

static int
take_aside(struct local_state *state, struct taker *taker)
{
    int error = take_ending(state, taker);
    if (error != 0) {
        return error;
    }
    /* The numbers of the session are in doubt as well, so it ends here. */
    state->is_logged_in = false;
    return local_state_add_aside(state, &state->pending.order, state->last.status);
}

static int
take_leaving(struct local_state *state, struct taker *taker)
{
    if (!state->is_logged_in || state->pending.exists) {
        return ERROR_DAMAGED;
    }
    local_state_see(state, take_uint(taker, 0, NUMBER_MAX));
    state->is_leaving = true;
    return 0;
}

static int
take_logout(struct local_state *state, struct taker *taker)
{
    if (state->pending.exists) {
        return ERROR_DAMAGED;
    }
    local_state_see(state, take_uint(taker, 0, NUMBER_MAX));
    state->is_logged_in = false;
    state->is_leaving = false;
    memset(state->token, 0, sizeof state->token);
    return 0;
}

static int
take_seen(struct local_state *state, struct taker *taker)
{
    local_state_see(state, take_uint(taker, 0, NUMBER_MAX));
    return 0;
}

static int
take_names(struct local_state *state, struct taker *taker)
{
    struct taker names = take_array(taker);
    while (names.left > 0) {
        struct taker fields = take_array(&names);
        const char *text;
        size_t size;
        uint64_t upc = take_uint(&fields, 0, UPC_MAX);
        if (!object_text(take(&fields), ITEM_NAME_SIZE_MAX, &text, &size) || fields.bad) {
            return ERROR_DAMAGED;
        }
        int error = local_state_set_name(state, upc, text, size);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int
take_items(struct local_state *state, struct taker *taker)
{
    char user[USER_SIZE_MAX + 1];
    take_user(taker, user);
    struct taker lines = take_array(taker);
    while (lines.left > 0) {
        struct taker fields = take_array(&lines);
        uint64_t upc = take_uint(&fields, 0, UPC_MAX);
        uint64_t units = take_uint(&fields, 1, UINT64_MAX);
        if (fields.bad || taker->bad) {
            return ERROR_DAMAGED;
        }
        int error = local_state_add_units(state, user, upc, units);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int
take_last(struct local_state *state, struct taker *taker)
{
    struct order order;
    enum status status = take_status(taker);
    take_order(taker, &order);
    state->last = (struct last_order){.exists = true,
        .operation = order.operation,
        .session = order.session,
        .number = order.number,
        .status = status};
    memcpy(state->last.user, order.user, sizeof state->last.user);
    return 0;
}

static int
take_set_aside(struct local_state *state, struct taker *taker)
{
    struct order order;
    enum status status = take_status(taker);
    take_order(taker, &order);
    take_lines(taker, &order);
    return taker->bad ? ERROR_DAMAGED : local_state_add_aside(state, &order, status);
}

int
local_record_apply(
    struct local_state *state, const msgpack_object *body, struct diagnostic *diagnostic)
{
    static const struct {
        const char *word;
        int (*take)(struct local_state *state, struct taker *taker);
    } records[] = {
        {"login", take_login},
        {"pending", take_pending},
        {"done", take_done},
        {"released", take_ending},
        {"aside", take_aside},
        {"leaving", take_leaving},
        {"logout", take_logout},
        {"seen", take_seen},
        {"names", take_names},
        {"history", take_history},
        {"session", take_session},
        {"user", take_last_user},
        {"items", take_items},
        {"last", take_last},
        {"set_aside", take_set_aside},
    };
    struct taker whole = {.fields = body, .left = 1};
    struct taker fields = take_array(&whole);
    const msgpack_object *word = take(&fields);
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        if (!object_is_text(word, records[i].word)) {
            continue;
        }
        int error = records[i].take(state, &fields);
        if (error == 0 && (fields.bad || fields.left > 0)) {
            error = ERROR_DAMAGED;
        }
        return error == 0 ? 0
                          : diagnostic_set(diagnostic, error, "the record '%s': %s",
                                records[i].word, error_text(error));
    }
    return diagnostic_set(diagnostic, ERROR_DAMAGED, "not a record of a client's state");
}
