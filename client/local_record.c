#include "client/local_record.h"

#include <string.h>

/* Packing. */

static void
pack_word(msgpack_packer *packer, size_t field_count, const char *word)
{
    msgpack_pack_array(packer, field_count);
    pack_text(packer, word);
}

static void
pack_lines(msgpack_packer *packer, const struct line *lines, size_t count)
{
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < count; i++) {
        msgpack_pack_array(packer, 2);
        msgpack_pack_uint64(packer, lines[i].upc);
        msgpack_pack_uint64(packer, lines[i].units);
    }
}

void
local_record_pack_login(msgpack_packer *packer, const char *user, const struct reply *reply)
{
    pack_word(packer, 6, "login");
    pack_text(packer, user);
    msgpack_pack_uint64(packer, reply->session);
    pack_bytes(packer, reply->token, sizeof reply->token);
    pack_bytes(packer, reply->history, sizeof reply->history);
    msgpack_pack_uint64(packer, reply->position);
}

void
local_record_pack_pending(msgpack_packer *packer, const struct pending *pending)
{
    const struct order *order = &pending->order;
    pack_word(packer, 8, "pending");
    pack_text(packer, operation_word(order->operation));
    pack_text(packer, order->user);
    msgpack_pack_uint64(packer, order->session);
    msgpack_pack_uint64(packer, order->number);
    msgpack_pack_uint64(packer, pending->position);
    pack_lines(packer, order->lines, order->line_count);
    pack_bytes(packer, pending->request, pending->request_size);
}

void
local_record_pack_ending(msgpack_packer *packer, enum ending ending, const struct order *order,
    enum status status, uint64_t position, const void *reply, size_t size)
{
    static const char *const words[] = {
        [ENDING_DONE] = "done", [ENDING_RELEASED] = "released", [ENDING_ASIDE] = "aside"};
    pack_word(packer, ending == ENDING_DONE ? 6 : 5, words[ending]);
    msgpack_pack_uint64(packer, order->session);
    msgpack_pack_uint64(packer, order->number);
    pack_text(packer, status_word(status));
    msgpack_pack_uint64(packer, position);
    if (ending == ENDING_DONE) {
        pack_bytes(packer, reply, size);
    }
}

void
local_record_pack_leaving(msgpack_packer *packer, uint64_t position)
{
    pack_word(packer, 2, "leaving");
    msgpack_pack_uint64(packer, position);
}

void
local_record_pack_logout(msgpack_packer *packer, uint64_t position)
{
    pack_word(packer, 2, "logout");
    msgpack_pack_uint64(packer, position);
}

void
local_record_pack_seen(msgpack_packer *packer, uint64_t position)
{
    pack_word(packer, 2, "seen");
    msgpack_pack_uint64(packer, position);
}

void
local_record_pack_names(
    msgpack_packer *packer, const struct local_state *state, const uint64_t *upcs, size_t count)
{
    pack_word(packer, 2, "names");
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < count; i++) {
        msgpack_pack_array(packer, 2);
        msgpack_pack_uint64(packer, upcs[i]);
        pack_text(packer, local_state_find_name(state, upcs[i]));
    }
}

/* Snapshots. */

enum {
    CHUNK_ITEMS_MAX = 1000 /* items or names of one record */
};

static int
save_session(const struct local_state *state, struct snapshot *snapshot)
{
    msgpack_packer *packer = snapshot_begin(snapshot);
    pack_word(packer, 5, "session");
    pack_text(packer, state->user);
    msgpack_pack_uint64(packer, state->session);
    pack_bytes(packer, state->token, sizeof state->token);
    msgpack_pack_uint64(packer, state->order_next);
    int error = snapshot_append(snapshot);
    if (error == 0 && state->is_leaving) {
        local_record_pack_leaving(snapshot_begin(snapshot), state->position);
        error = snapshot_append(snapshot);
    }
    if (error == 0 && state->pending.exists) {
        local_record_pack_pending(snapshot_begin(snapshot), &state->pending);
        error = snapshot_append(snapshot);
    }
    return error;
}

static int
save_holder(const struct holder *holder, struct snapshot *snapshot)
{
    for (size_t at = 0; at < holder->count; at += CHUNK_ITEMS_MAX) {
        size_t left = holder->count - at;
        msgpack_packer *packer = snapshot_begin(snapshot);
        pack_word(packer, 3, "items");
        pack_text(packer, holder->user);
        pack_lines(packer, &holder->lines[at], left < CHUNK_ITEMS_MAX ? left : CHUNK_ITEMS_MAX);
        int error = snapshot_append(snapshot);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int
save_names(const struct local_state *state, struct snapshot *snapshot)
{
    for (size_t at = 0; at < state->name_count; at += CHUNK_ITEMS_MAX) {
        size_t left = state->name_count - at;
        size_t count = left < CHUNK_ITEMS_MAX ? left : CHUNK_ITEMS_MAX;
        msgpack_packer *packer = snapshot_begin(snapshot);
        pack_word(packer, 2, "names");
        msgpack_pack_array(packer, count);
        for (size_t i = at; i < at + count; i++) {
            msgpack_pack_array(packer, 2);
            msgpack_pack_uint64(packer, state->names[i].upc);
            pack_text(packer, state->names[i].text);
        }
        int error = snapshot_append(snapshot);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int
save_last(const struct last_order *last, struct snapshot *snapshot)
{
    msgpack_packer *packer = snapshot_begin(snapshot);
    pack_word(packer, 6, "last");
    pack_text(packer, status_word(last->status));
    pack_text(packer, operation_word(last->operation));
    pack_text(packer, last->user);
    msgpack_pack_uint64(packer, last->session);
    msgpack_pack_uint64(packer, last->number);
    return snapshot_append(snapshot);
}

static int
save_aside(const struct aside *aside, struct snapshot *snapshot)
{
    msgpack_packer *packer = snapshot_begin(snapshot);
    pack_word(packer, 7, "set_aside");
    pack_text(packer, status_word(aside->status));
    pack_text(packer, operation_word(aside->order.operation));
    pack_text(packer, aside->order.user);
    msgpack_pack_uint64(packer, aside->order.session);
    msgpack_pack_uint64(packer, aside->order.number);
    pack_lines(packer, aside->order.lines, aside->order.line_count);
    return snapshot_append(snapshot);
}

int
local_record_save(const struct local_state *state, struct snapshot *snapshot)
{
    int error = 0;
    if (state->has_history) {
        msgpack_packer *packer = snapshot_begin(snapshot);
        pack_word(packer, 3, "history");
        pack_bytes(packer, state->history, sizeof state->history);
        msgpack_pack_uint64(packer, state->position);
        error = snapshot_append(snapshot);
    }
    if (error == 0 && state->is_logged_in) {
        error = save_session(state, snapshot);
    } else if (error == 0 && state->user[0] != '\0') {
        msgpack_packer *packer = snapshot_begin(snapshot);
        pack_word(packer, 2, "user");
        pack_text(packer, state->user);
        error = snapshot_append(snapshot);
    }
    for (size_t i = 0; error == 0 && i < state->holder_count; i++) {
        error = save_holder(&state->holders[i], snapshot);
    }
    if (error == 0) {
        error = save_names(state, snapshot);
    }
    if (error == 0 && state->last.exists) {
        error = save_last(&state->last, snapshot);
    }
    for (size_t i = 0; error == 0 && i < state->aside_count; i++) {
        error = save_aside(&state->asides[i], snapshot);
    }
    return error;
}
