/*
 * The fold of a client's journal, and of its snapshot, into the local inventory. For any bytes in a
 * file, as they are and sealed:
 *
 * - the file is read or refused with a reason, and what is said of its end is so;
 * - behind each record the state is one: who is logged in has a broker whose history is known; an
 *   order is pending only in a session that is not being left, is its next one, and has a position
 *   that was seen; the position never falls; units of an item are at least 1;
 * - the state is saved, loaded and saved again unchanged, byte for byte.
 */
#include "fuzz/records.h"
#include "fuzz/target.h"

#include "client/local_inventory.h"

#include <string.h>

static void
check_holders(const struct local_state *state)
{
    for (size_t i = 0; i < state->holder_count; i++) {
        const struct holder *holder = &state->holders[i];
        REQUIRE(local_state_find_holder(state, holder->user) == holder);
        for (size_t n = 0; n < holder->count; n++) {
            REQUIRE(holder->lines[n].upc <= UPC_MAX && holder->lines[n].units >= 1);
            REQUIRE(n == 0 || holder->lines[n - 1].upc < holder->lines[n].upc);
        }
    }
    for (size_t i = 0; i < state->name_count; i++) {
        REQUIRE(i == 0 || state->names[i - 1].upc < state->names[i].upc);
        REQUIRE(local_state_find_name(state, state->names[i].upc) == state->names[i].text);
    }
}

static void
check_pending(const struct local_state *state)
{
    const struct pending *pending = &state->pending;
    const struct order *order = &pending->order;
    REQUIRE(state->is_logged_in && !state->is_leaving);
    REQUIRE(order->session == state->session && order->number == state->order_next);
    REQUIRE(strcmp(order->user, state->user) == 0);
    REQUIRE(pending->position <= state->position);
    REQUIRE(order->line_count >= 1 && order->line_count <= ORDER_LINES_MAX);
    REQUIRE(pending->request_size >= 1 && pending->request_size <= MESSAGE_SIZE_MAX);
}

static void
check_state(const struct local_state *state)
{
    REQUIRE(state->position <= NUMBER_MAX && (state->has_history || state->position == 0));
    REQUIRE(strnlen(state->user, sizeof state->user) <= USER_SIZE_MAX);
    REQUIRE(!state->is_logged_in || (state->session >= 1 && state->order_next >= 1));
    REQUIRE(!state->is_logged_in || state->has_history);
    if (state->pending.exists) {
        check_pending(state);
    }
    check_holders(state);
}

static int
fold_record(void *context, uint64_t number, const msgpack_object *body, int64_t offset,
    struct diagnostic *diagnostic)
{
    const struct store_fold *fold = context;
    const struct local_state *state = fold->state;
    uint64_t position = state->position;
    (void)offset;
    int error = fold->apply(fold->state, number, body, diagnostic);
    if (error != 0) {
        REQUIRE(error == ERROR_DAMAGED && diagnostic->text[0] != '\0');
        return error;
    }
    REQUIRE(state->position >= position);
    check_state(state);
    return 0;
}

/* In a snapshot the record at the end counts the others; what is a journal has none. */
static int
fold_any_record(void *context, uint64_t number, const msgpack_object *body, int64_t offset,
    struct diagnostic *diagnostic)
{
    return body->type == MSGPACK_OBJECT_POSITIVE_INTEGER
               ? 0
               : fold_record(context, number, body, offset, diagnostic);
}

static void
fold_file(struct fake_disk *disk)
{
    struct local_state *state = calloc(1, sizeof *state);
    struct local_state *other = calloc(1, sizeof *other);
    REQUIRE(state != NULL && other != NULL);
    struct store_fold fold = local_inventory_fold(state);
    if (records_check_journal(disk, fold_any_record, &fold)) {
        const struct store_fold fold_other = local_inventory_fold(other);
        records_check_state(disk, "state", &fold, &fold_other);
    }
    local_state_clear(state);
    local_state_clear(other);
    free(state);
    free(other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    records_each_seal(data, size, fold_file);
    return 0;
}
