#include "simulator/seller_check.h"

#include "broker/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One number of a reply and what it has to be. */
static void
check_number(struct seller *seller, const char *what, uint64_t found, uint64_t wanted)
{
    if (found != wanted) {
        trace_fail(
            &seller->stage->trace, "a reply has %s %" PRIu64 ", not %" PRIu64, what, found, wanted);
    }
}

static void
check_page(struct seller *seller, const struct request *request, const struct reply *reply,
    const struct expectation *expected)
{
    const struct model *model = seller->stage->model;
    check_number(seller, "a page of items", reply->item_count, expected->item_count);
    check_number(seller, "more", reply->more, expected->more);
    for (size_t i = 0; i < reply->item_count; i++) {
        uint64_t number = expected->item_first + i;
        uint64_t upc = expected->is_whole_page ? stage_item(number, NULL) : request->lines[i].upc;
        check_number(seller, "an item", reply->items[i].upc, upc);
        check_number(seller, "the level", reply->items[i].units,
            expected->is_whole_page ? model->units[number] : expected->levels[i]);
    }
}

/* The outcome of an order is told with the same bytes for ever. */
static void
check_bytes(struct seller *seller, const struct request *request, const struct buffer *bytes)
{
    struct model_outcome *last = &model_session(seller->stage->model, request->session)->last;
    if (last->order != request->order) {
        return; /* the session has gone on within this very batch */
    }
    if (last->bytes == NULL) {
        last->bytes = malloc(bytes->size);
        if (last->bytes == NULL) {
            abort();
        }
        memcpy(last->bytes, bytes->data, bytes->size);
        last->size = bytes->size;
    } else if (last->size != bytes->size || memcmp(last->bytes, bytes->data, last->size) != 0) {
        trace_fail(&seller->stage->trace,
            "order %" PRIu64 " of session %" PRIu64 " is answered with other bytes than before",
            request->order, request->session);
    }
}

static void
check_login(struct seller *seller, const struct reply *reply)
{
    const struct model_session *session = model_session(seller->stage->model, reply->session);
    if (session == NULL || memcmp(session->token, reply->token, TOKEN_SIZE) != 0) {
        trace_fail(&seller->stage->trace, "a login is answered with another session or token");
    }
}

void
seller_check_reply(struct seller *seller, const struct taken *taken,
    const struct expectation *expected, const struct buffer *bytes)
{
    struct stage *stage = seller->stage;
    const struct request *request = &taken->exchange->request;
    struct diagnostic diagnostic = {""};
    struct reply reply;
    if (bytes->overflow ||
        reply_decode(seller->memory, bytes->data, bytes->size, &reply, &diagnostic) != 0) {
        trace_fail(&stage->trace, "the broker's reply is no reply: %s", diagnostic.text);
    }
    trace_note(&stage->trace, "broker: answers %s to %d (sending %" PRIu64 "), position %" PRIu64,
        status_word(reply.status), taken->message.buyer, taken->message.serial, reply.position);
    if (reply.status != expected->status) {
        trace_fail(&stage->trace, "the broker answers %s, not %s", status_word(reply.status),
            status_word(expected->status));
    }
    check_number(seller, "position", reply.position,
        expected->has_position ? expected->position : stage->model->position);
    if (memcmp(reply.history, seller->history, HISTORY_SIZE) != 0) {
        trace_fail(&stage->trace, "a reply has another history");
    }
    if (reply.session != 0) {
        check_login(seller, &reply);
    }
    if (!taken->is_for_engine) {
        return;
    }
    check_number(seller, "session", reply.session, expected->session);
    check_number(seller, "order", reply.order, expected->order);
    check_number(seller, "units", reply.units, expected->units);
    check_number(seller, "UPC", reply.upc, expected->upc);
    check_number(seller, "available", reply.available, expected->available);
    check_number(seller, "a page", reply.is_page, expected->is_page);
    check_page(seller, request, &reply, expected);
    if (expected->is_outcome) {
        check_bytes(seller, request, bytes);
    }
}

static void
check_session(struct seller *seller, const struct session *session)
{
    struct stage *stage = seller->stage;
    const struct ledger *ledger = engine_ledger(seller->engine);
    const struct model_session *wanted = model_session(stage->model, session->number);
    const struct outcome *last = &session->last;
    if (wanted == NULL || !wanted->is_open ||
        strcmp(ledger->sessions.users[session->user].name, stage_users[wanted->user]) != 0) {
        trace_fail(
            &stage->trace, "session %" PRIu64 " is open, and should not be", session->number);
    }
    if (last->order != wanted->last.order ||
        (last->order != 0 &&
            (last->status != wanted->last.status || last->units != wanted->last.units ||
                last->position != wanted->last.position ||
                last->available != wanted->last.available))) {
        trace_fail(&stage->trace,
            "session %" PRIu64 " remembers order %" PRIu64 " as %s, %" PRIu64
            " units, and should order %" PRIu64 " as %s, %" PRIu64 " units",
            session->number, last->order, status_word(last->status), last->units,
            wanted->last.order, status_word(wanted->last.status), wanted->last.units);
    }
}

void
seller_check_ledger(struct seller *seller)
{
    struct stage *stage = seller->stage;
    const struct model *model = stage->model;
    const struct ledger *ledger = engine_ledger(seller->engine);
    if (ledger->stock.count != model->item_count || ledger->sessions.last != model->session_count) {
        trace_fail(&stage->trace, "the broker has other items or sessions");
    }
    for (size_t i = 0; i < ledger->stock.count; i++) {
        const struct item *item = &ledger->stock.items[i];
        if (item->upc != stage_item(i, NULL) || item->units != model->units[i]) {
            trace_fail(&stage->trace,
                "the broker has %" PRIu64 " units of item %" PRIu64 ", and should have %" PRIu64,
                item->units, item->upc, model->units[i]);
        }
    }
    size_t open = 0;
    for (size_t i = 0; i < model->session_count; i++) {
        open += model->sessions[i].is_open;
    }
    if (open != ledger->sessions.count) {
        trace_fail(&stage->trace, "the broker has %zu sessions, and should have %zu",
            ledger->sessions.count, open);
    }
    for (size_t i = 0; i < ledger->sessions.count; i++) {
        check_session(seller, &ledger->sessions.rows[i]);
    }
}
