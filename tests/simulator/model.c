#include "simulator/model.h"

#include <stdlib.h>
#include <string.h>

struct model *
model_new(uint64_t item_count, uint64_t session_user_max)
{
    struct model *model = calloc(1, sizeof *model);
    if (model == NULL) {
        abort();
    }
    model->item_count = item_count;
    model->session_user_max = session_user_max;
    return model;
}

void
model_free(struct model **model)
{
    for (size_t i = 0; i < (*model)->session_count; i++) {
        free((*model)->sessions[i].last.bytes);
        free((*model)->sessions[i].ends);
    }
    free((*model)->sessions);
    free(*model);
    *model = NULL;
}

struct model_session *
model_session(const struct model *model, uint64_t number)
{
    return number >= 1 && number <= model->session_count ? &model->sessions[number - 1] : NULL;
}

int
model_find_item(const struct model *model, uint64_t upc)
{
    uint64_t number = (upc - STAGE_CATALOG_UPC) / STAGE_CATALOG_STEP;
    return number < model->item_count && stage_item(number, NULL) == upc ? (int)number : -1;
}

static uint64_t
hash_order(const struct request *request)
{
    uint64_t hash = (uint64_t)request->operation + 1;
    for (size_t i = 0; i < request->line_count; i++) {
        hash = hash * UINT64_C(6364136223846793005) + request->lines[i].upc + 1;
        hash = hash * UINT64_C(6364136223846793005) + request->lines[i].units + 1;
    }
    return hash;
}

static void
take_login(struct model *model, const struct request *request, const uint8_t *token,
    struct expectation *expected)
{
    int user = stage_find_user(request->user);
    uint64_t open = 0;
    for (size_t i = 0; i < model->session_count; i++) {
        open += model->sessions[i].is_open && model->sessions[i].user == user ? 1 : 0;
    }
    if (open >= model->session_user_max) {
        expected->status = STATUS_BUSY;
        return;
    }
    model->sessions =
        realloc(model->sessions, (model->session_count + 1) * sizeof *model->sessions);
    if (model->sessions == NULL) {
        abort();
    }
    struct model_session *session = &model->sessions[model->session_count++];
    *session =
        (struct model_session){.number = model->session_count, .user = user, .is_open = true};
    memcpy(session->token, token, TOKEN_SIZE);
    expected->session = session->number;
    expected->changes = true;
}

static void
take_view(const struct model *model, const struct request *request, struct expectation *expected)
{
    expected->is_page = true;
    if (request->line_count == 0) {
        uint64_t first = 0;
        while (request->continues && first < model->item_count &&
               stage_item(first, NULL) <= request->after) {
            first++;
        }
        uint64_t left = model->item_count - first;
        expected->is_whole_page = true;
        expected->item_first = first;
        expected->item_count = left < PAGE_ITEMS_MAX ? (size_t)left : PAGE_ITEMS_MAX;
        expected->more = left > PAGE_ITEMS_MAX;
        return;
    }
    for (size_t i = 0; i < request->line_count; i++) {
        int item = model_find_item(model, request->lines[i].upc);
        if (item < 0) {
            *expected =
                (struct expectation){.status = STATUS_UNKNOWN_ITEM, .upc = request->lines[i].upc};
            return;
        }
        expected->levels[expected->item_count++] = model->units[item];
    }
}

/* Says whether the order can be filled, and if not, why: the lowest unknown UPC, or the lowest of
 * those whose level does not allow it. */
static void
judge_order(const struct model *model, const struct request *request, int user,
    const uint64_t *wanted, uint64_t unknown, struct model_outcome *outcome)
{
    if (request->operation == OPERATION_RESTOCK && user != STAGE_USERS - 1) {
        outcome->status = STATUS_FORBIDDEN;
        return;
    }
    if (unknown != UINT64_MAX) {
        outcome->status = STATUS_UNKNOWN_ITEM;
        outcome->upc = unknown;
        return;
    }
    for (uint64_t i = 0; i < model->item_count; i++) {
        if (request->operation == OPERATION_BUY && wanted[i] > model->units[i]) {
            outcome->status = STATUS_INSUFFICIENT_STOCK;
            outcome->upc = stage_item(i, NULL);
            outcome->available = model->units[i];
            return;
        }
        if (request->operation == OPERATION_RESTOCK && wanted[i] > LEVEL_MAX - model->units[i]) {
            outcome->status = STATUS_TOO_LARGE;
            return;
        }
    }
}

/* Moves the units of an order that is made. */
static void
make_order(struct model *model, const struct request *request, int user, const uint64_t *wanted,
    int buyer, struct model_outcome *outcome)
{
    for (uint64_t i = 0; i < model->item_count; i++) {
        outcome->units += wanted[i];
        if (request->operation == OPERATION_RESTOCK) {
            model->units[i] += wanted[i];
            model->units_restocked += wanted[i];
        } else {
            model->units[i] -= wanted[i];
            if (buyer >= 0) {
                model->bought[buyer][user][i] += wanted[i];
            }
        }
    }
    model->orders++;
}

/* Decides the order that is the session's next. */
static void
decide_order(struct model *model, struct model_session *session, const struct request *request,
    int buyer, uint64_t position)
{
    struct model_outcome *outcome = &session->last;
    free(outcome->bytes);
    *outcome = (struct model_outcome){.order = request->order,
        .position = position,
        .operation = request->operation,
        .status = STATUS_ORDER_VOIDED};
    if (request->operation == OPERATION_VOID) {
        return;
    }
    uint64_t wanted[STAGE_ITEMS_MAX] = {0};
    uint64_t unknown = UINT64_MAX;
    for (size_t i = 0; i < request->line_count; i++) {
        int item = model_find_item(model, request->lines[i].upc);
        if (item >= 0) {
            wanted[item] += request->lines[i].units;
        } else if (request->lines[i].upc < unknown) {
            unknown = request->lines[i].upc;
        }
    }
    outcome->status = STATUS_OK;
    outcome->body = hash_order(request);
    judge_order(model, request, session->user, wanted, unknown, outcome);
    if (outcome->status == STATUS_OK) {
        make_order(model, request, session->user, wanted, buyer, outcome);
    } else {
        model->refusals++;
    }
}

static void
note_end(struct model_session *session)
{
    session->ends = realloc(session->ends, session->last.order * sizeof *session->ends);
    if (session->ends == NULL) {
        abort();
    }
    session->ends[session->last.order - 1] = session->last.status;
}

static void
take_order(struct model *model, struct model_session *session, const struct request *request,
    int buyer, uint64_t position, struct expectation *expected)
{
    struct model_outcome *last = &session->last;
    if (request->order < last->order) {
        expected->status = STATUS_ORDER_STALE;
        return;
    }
    if (request->order > last->order + 1) {
        expected->status = STATUS_ORDER_GAP;
        return;
    }
    if (request->order == last->order + 1) {
        decide_order(model, session, request, buyer, position);
        note_end(session);
        expected->changes = true;
    } else if (request->operation != OPERATION_VOID && last->status != STATUS_ORDER_VOIDED &&
               last->body != hash_order(request)) {
        expected->status = STATUS_ORDER_REUSED;
        return;
    } else {
        model->repetitions++;
    }
    expected->status = last->status;
    expected->has_position = true;
    expected->position = last->position;
    expected->order = last->order;
    expected->units = last->units;
    expected->upc = last->upc;
    expected->available = last->available;
    expected->is_outcome = true;
}

void
model_take(struct model *model, const struct request *request, int buyer, uint64_t position,
    const uint8_t *token, struct expectation *expected)
{
    *expected = (struct expectation){.status = STATUS_OK};
    if (request->operation == OPERATION_PING) {
        return;
    }
    if (request->operation == OPERATION_LOGIN) {
        take_login(model, request, token, expected);
        return;
    }
    struct model_session *session = model_session(model, request->session);
    if (session == NULL ||
        (session->is_open && memcmp(session->token, request->token, TOKEN_SIZE) != 0)) {
        expected->status = STATUS_NOT_LOGGED_IN;
    } else if (!session->is_open) {
        expected->status = STATUS_SESSION_ENDED;
    } else if (request->operation == OPERATION_VIEW) {
        take_view(model, request, expected);
    } else if (request->operation == OPERATION_LOGOUT) {
        session->is_open = false;
        expected->changes = true;
    } else {
        take_order(model, session, request, buyer, position, expected);
    }
}
