#include "broker/fsck.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/local_inventory.h"
#include "shared/text.h"

static void *
make(void)
{
    return calloc(1, sizeof(struct local_state));
}

static void
free_state(void *state)
{
    local_state_clear(state);
    free(state);
}

static struct store_fold
fold(void *state)
{
    return local_inventory_fold(state);
}

static bool
holders_agree(const struct local_state *found, const struct local_state *expected)
{
    if (found->holder_count != expected->holder_count) {
        return false;
    }
    for (size_t i = 0; i < found->holder_count; i++) {
        const struct holder *holder = &found->holders[i];
        const struct holder *other = local_state_find_holder(expected, holder->user);
        if (other == NULL || other->count != holder->count) {
            return false;
        }
        for (size_t n = 0; n < holder->count; n++) {
            if (holder->lines[n].upc != other->lines[n].upc ||
                holder->lines[n].units != other->lines[n].units) {
                return false;
            }
        }
    }
    return true;
}

static bool
sessions_agree(const struct local_state *a, const struct local_state *b)
{
    return a->is_logged_in == b->is_logged_in &&
           (!a->is_logged_in || (strcmp(a->user, b->user) == 0 && a->session == b->session &&
                                    a->order_next == b->order_next &&
                                    memcmp(a->token, b->token, TOKEN_SIZE) == 0)) &&
           a->position == b->position && memcmp(a->history, b->history, HISTORY_SIZE) == 0;
}

static bool
agree(const void *found_state, const void *expected_state, struct diagnostic *difference)
{
    const struct local_state *found = found_state;
    const struct local_state *expected = expected_state;
    const struct pending *a = &found->pending;
    const struct pending *b = &expected->pending;
    const char *what = NULL;
    if (!sessions_agree(found, expected)) {
        what = "the session";
    } else if (a->exists != b->exists ||
               (a->exists && (a->request_size != b->request_size ||
                                 memcmp(a->request, b->request, a->request_size) != 0))) {
        what = "the pending order";
    } else if (!holders_agree(found, expected)) {
        what = "the items";
    } else if (found->aside_count != expected->aside_count) {
        what = "what was set aside";
    }
    if (what != NULL) {
        diagnostic_set(difference, 0, "%s is another", what);
    }
    return what == NULL;
}

static const char *
name_of(const struct local_state *state, uint64_t upc)
{
    const char *name = local_state_find_name(state, upc);
    return name == NULL ? "" : name;
}

static void
print_order(const struct local_state *state, const struct order *order, const char *what, FILE *out)
{
    fprintf(out, "order %" PRIu64 " of session %" PRIu64 " of %s %s: %s\n", order->number,
        order->session, order->user, what, operation_word(order->operation));
    for (size_t i = 0; i < order->line_count; i++) {
        char upc[UPC_TEXT_SIZE];
        upc_format(order->lines[i].upc, upc);
        fprintf(out, "  %s %10" PRIu64 "  %s\n", upc, order->lines[i].units,
            name_of(state, order->lines[i].upc));
    }
}

static void
print(const void *opaque, FILE *out)
{
    const struct local_state *state = opaque;
    char upc[UPC_TEXT_SIZE];
    if (state->is_logged_in) {
        fprintf(out, "%s is %s, session %" PRIu64 ", next order %" PRIu64 "\n", state->user,
            state->is_leaving ? "logging out" : "logged in", state->session, state->order_next);
    } else {
        fprintf(out, "nobody is logged in\n");
    }
    if (state->has_history) {
        char history[2 * HISTORY_SIZE + 1];
        sodium_bin2hex(history, sizeof history, state->history, HISTORY_SIZE);
        fprintf(out, "the broker of history %s was last seen at position %" PRIu64 "\n", history,
            state->position);
    }
    if (state->pending.exists) {
        print_order(state, &state->pending.order, "is pending", out);
    }
    for (size_t i = 0; i < state->aside_count; i++) {
        print_order(state, &state->asides[i].order, "was set aside", out);
    }
    for (size_t i = 0; i < state->holder_count; i++) {
        const struct holder *holder = &state->holders[i];
        fprintf(
            out, "%s has %zu item%s\n", holder->user, holder->count, text_plural(holder->count));
        for (size_t n = 0; n < holder->count; n++) {
            upc_format(holder->lines[n].upc, upc);
            fprintf(out, "  %s %10" PRIu64 "  %s\n", upc, holder->lines[n].units,
                name_of(state, holder->lines[n].upc));
        }
    }
}

static void
emit_lines(const struct line *lines, size_t count, struct json *json)
{
    json_begin(json, '[');
    for (size_t i = 0; i < count; i++) {
        char upc[UPC_TEXT_SIZE];
        upc_format(lines[i].upc, upc);
        json_begin(json, '{');
        json_text_member(json, "upc", upc);
        json_uint_member(json, "units", lines[i].units);
        json_end(json, '}');
    }
    json_end(json, ']');
}

/* With the members that `stockctl --json local` has. */
static void
emit_order(const struct order *order, const char *status, struct json *json)
{
    json_begin(json, '{');
    json_text_member(json, "user", order->user);
    if (status != NULL) {
        json_text_member(json, "status", status);
    }
    json_uint_member(json, "session", order->session);
    json_uint_member(json, "order", order->number);
    json_text_member(json, "kind", operation_word(order->operation));
    json_key(json, "lines");
    emit_lines(order->lines, order->line_count, json);
    json_end(json, '}');
}

static void
emit(const void *opaque, struct json *json)
{
    const struct local_state *state = opaque;
    json_key(json, "user");
    if (state->is_logged_in) {
        json_text(json, state->user);
        json_uint_member(json, "session", state->session);
        json_uint_member(json, "order_next", state->order_next);
    } else {
        json_null(json);
    }
    json_key(json, "broker_history");
    if (state->has_history) {
        char history[2 * HISTORY_SIZE + 1];
        json_text(json, sodium_bin2hex(history, sizeof history, state->history, HISTORY_SIZE));
    } else {
        json_null(json);
    }
    json_uint_member(json, "broker_position", state->position);
    json_key(json, "pending");
    if (state->pending.exists) {
        emit_order(&state->pending.order, NULL, json);
    } else {
        json_null(json);
    }
    json_key(json, "set_aside");
    json_begin(json, '[');
    for (size_t i = 0; i < state->aside_count; i++) {
        emit_order(&state->asides[i].order, status_word(state->asides[i].status), json);
    }
    json_end(json, ']');
    json_key(json, "users");
    json_begin(json, '[');
    for (size_t i = 0; i < state->holder_count; i++) {
        json_begin(json, '{');
        json_text_member(json, "user", state->holders[i].user);
        json_key(json, "items");
        emit_lines(state->holders[i].lines, state->holders[i].count, json);
        json_end(json, '}');
    }
    json_end(json, ']');
}

const struct fsck_side fsck_client = {
    .kind = "client",
    .make = make,
    .free = free_state,
    .fold = fold,
    .agree = agree,
    .print = print,
    .emit = emit,
};
