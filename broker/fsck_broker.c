#include "broker/fsck.h"

#include <inttypes.h>
#include <string.h>

#include "broker/engine.h"
#include "shared/text.h"

static void *
make(void)
{
    static const struct ledger_limits limits = {UINT32_MAX, UINT32_MAX};
    return ledger_new(&limits);
}

static void
free_ledger(void *state)
{
    struct ledger *ledger = state;
    ledger_free(&ledger);
}

static struct store_fold
fold(void *state)
{
    return engine_fold(state);
}

static bool
stocks_agree(const struct stock *found, const struct stock *expected, struct diagnostic *difference)
{
    if (found->count != expected->count) {
        diagnostic_set(difference, 0, "it has %zu item%s, not %zu", found->count,
            text_plural(found->count), expected->count);
        return false;
    }
    for (size_t i = 0; i < found->count; i++) {
        const struct item *item = &found->items[i];
        const struct item *other = stock_find(expected, item->upc);
        char upc[UPC_TEXT_SIZE];
        upc_format(item->upc, upc);
        if (other == NULL || other->units != item->units || strcmp(other->name, item->name) != 0) {
            diagnostic_set(difference, 0, "item %s has %" PRIu64 " unit%s, not %" PRIu64, upc,
                item->units, text_plural(item->units), other == NULL ? 0 : other->units);
            return false;
        }
    }
    return true;
}

static bool
outcomes_agree(const struct outcome *a, const struct outcome *b)
{
    return a->order == b->order && a->body == b->body && a->position == b->position &&
           a->units == b->units && a->upc == b->upc && a->available == b->available &&
           a->status == b->status;
}

static const char *
user_of(const struct ledger *ledger, const struct session *session)
{
    return ledger->sessions.users[session->user].name;
}

static bool
agree(const void *found_state, const void *expected_state, struct diagnostic *difference)
{
    const struct ledger *found = found_state;
    const struct ledger *expected = expected_state;
    if (!stocks_agree(&found->stock, &expected->stock, difference)) {
        return false;
    }
    if (found->sessions.count != expected->sessions.count ||
        found->sessions.last != expected->sessions.last) {
        diagnostic_set(difference, 0,
            "it has %zu session%s, the last one %" PRIu64 ", not %zu and %" PRIu64,
            found->sessions.count, text_plural(found->sessions.count), found->sessions.last,
            expected->sessions.count, expected->sessions.last);
        return false;
    }
    for (size_t i = 0; i < found->sessions.count; i++) {
        const struct session *session = &found->sessions.rows[i];
        const struct session *other = sessions_find(&expected->sessions, session->number);
        if (other == NULL || strcmp(user_of(found, session), user_of(expected, other)) != 0 ||
            memcmp(session->token_hash, other->token_hash, TOKEN_HASH_SIZE) != 0 ||
            !outcomes_agree(&session->last, &other->last)) {
            diagnostic_set(difference, 0, "session %" PRIu64 " is another one", session->number);
            return false;
        }
    }
    return true;
}

static void
print(const void *state, FILE *out)
{
    const struct ledger *ledger = state;
    size_t items = ledger->stock.count;
    uint64_t units = ledger_units(ledger);
    size_t sessions = ledger->sessions.count;
    fprintf(out, "%zu item%s, %" PRIu64 " unit%s on hand\n", items, text_plural(items), units,
        text_plural(units));
    for (size_t i = 0; i < ledger->stock.count; i++) {
        const struct item *item = &ledger->stock.items[i];
        char upc[UPC_TEXT_SIZE];
        upc_format(item->upc, upc);
        fprintf(out, "  %s %10" PRIu64 "  %s\n", upc, item->units, item->name);
    }
    fprintf(out, "%zu session%s open, the last one begun was %" PRIu64 "\n", sessions,
        text_plural(sessions), ledger->sessions.last);
    for (size_t i = 0; i < ledger->sessions.count; i++) {
        const struct session *session = &ledger->sessions.rows[i];
        const struct outcome *last = &session->last;
        fprintf(out, "  session %" PRIu64 ", %s: ", session->number, user_of(ledger, session));
        if (last->order == 0) {
            fprintf(out, "no order yet\n");
        } else {
            fprintf(out, "order %" PRIu64 " at position %" PRIu64 ": %s, %" PRIu64 " unit%s\n",
                last->order, last->position, status_word(last->status), last->units,
                text_plural(last->units));
        }
    }
}

static void
emit_session(const struct ledger *ledger, const struct session *session, struct json *json)
{
    json_begin(json, '{');
    json_uint_member(json, "session", session->number);
    json_text_member(json, "user", user_of(ledger, session));
    json_key(json, "last");
    if (session->last.order == 0) {
        json_null(json);
    } else {
        json_begin(json, '{');
        json_uint_member(json, "order", session->last.order);
        json_text_member(json, "status", status_word(session->last.status));
        json_uint_member(json, "units", session->last.units);
        json_uint_member(json, "position", session->last.position);
        json_end(json, '}');
    }
    json_end(json, '}');
}

static void
emit(const void *state, struct json *json)
{
    const struct ledger *ledger = state;
    json_uint_member(json, "units", ledger_units(ledger));
    json_key(json, "items");
    json_begin(json, '[');
    for (size_t i = 0; i < ledger->stock.count; i++) {
        const struct item *item = &ledger->stock.items[i];
        char upc[UPC_TEXT_SIZE];
        upc_format(item->upc, upc);
        json_begin(json, '{');
        json_text_member(json, "upc", upc);
        json_text_member(json, "name", item->name);
        json_uint_member(json, "units", item->units);
        json_end(json, '}');
    }
    json_end(json, ']');
    json_uint_member(json, "session_last", ledger->sessions.last);
    json_key(json, "sessions");
    json_begin(json, '[');
    for (size_t i = 0; i < ledger->sessions.count; i++) {
        emit_session(ledger, &ledger->sessions.rows[i], json);
    }
    json_end(json, ']');
}

const struct fsck_side fsck_broker = {
    .kind = "broker",
    .make = make,
    .free = free_ledger,
    .fold = fold,
    .agree = agree,
    .print = print,
    .emit = emit,
};
