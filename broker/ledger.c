#include "broker/ledger.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RETRY_SESSIONS_MS = 1000
};

struct ledger *
ledger_new(const struct ledger_limits *limits)
{
    struct ledger *ledger = malloc(sizeof *ledger);
    if (ledger != NULL) {
        ledger->limits = *limits;
        stock_init(&ledger->stock);
        sessions_init(&ledger->sessions);
    }
    return ledger;
}

void
ledger_free(struct ledger **ledger)
{
    if (*ledger != NULL) {
        ledger_clear(*ledger);
        free(*ledger);
        *ledger = NULL;
    }
}

void
ledger_clear(struct ledger *ledger)
{
    stock_clear(&ledger->stock);
    sessions_clear(&ledger->sessions);
}

void
ledger_forbid_all(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->sessions.user_count; i++) {
        ledger->sessions.users[i].has_account = false;
        ledger->sessions.users[i].may_restock = false;
    }
}

int
ledger_permit(struct ledger *ledger, const char *name, bool may_restock)
{
    uint32_t row = sessions_user(&ledger->sessions, name);
    if (row == INDEX_NONE) {
        return ERROR_MEMORY;
    }
    ledger->sessions.users[row].has_account = true;
    ledger->sessions.users[row].may_restock = may_restock;
    return 0;
}

static void
hash_token(const uint8_t token[TOKEN_SIZE], uint8_t hash[TOKEN_HASH_SIZE])
{
    crypto_generichash(hash, TOKEN_HASH_SIZE, token, TOKEN_SIZE, NULL, 0);
}

/*
 * Hashes kind and lines of an order, to know its repetition from another order with the same
 * number. SipHash-2-4 (Aumasson, Bernstein) with no key: whoever finds two bodies with one hash
 * harms nobody but himself.
 */
static uint64_t
hash_body(const struct request *request)
{
    static const unsigned char key[crypto_shorthash_KEYBYTES];
    unsigned char bytes[1 + ORDER_LINES_MAX * 16];
    unsigned char hash[crypto_shorthash_BYTES];
    size_t size = 0;
    bytes[size++] = (unsigned char)request->operation;
    for (size_t i = 0; i < request->line_count; i++) {
        const uint64_t numbers[2] = {request->lines[i].upc, request->lines[i].units};
        for (int n = 0; n < 2; n++) {
            for (unsigned shift = 0; shift < 64; shift += 8) {
                bytes[size++] = (unsigned char)(numbers[n] >> shift);
            }
        }
    }
    crypto_shorthash(hash, bytes, size, key);
    uint64_t body = 0;
    for (int i = 7; i >= 0; i--) {
        body = body << 8 | hash[i];
    }
    return body;
}

static bool
refuse(struct reply *reply, enum status status)
{
    reply->status = status;
    return false;
}

/* Gives the outcome of an order as its reply: the same bytes whenever it is asked for. */
static void
tell_outcome(const struct outcome *outcome, struct reply *reply)
{
    reply->status = outcome->status;
    reply->position = outcome->position;
    reply->order = outcome->order;
    reply->units = outcome->units;
    reply->upc = outcome->upc;
    reply->available = outcome->available;
}

static int
compare_lines(const void *a, const void *b)
{
    const struct line *x = a;
    const struct line *y = b;
    return (x->upc > y->upc) - (x->upc < y->upc);
}

/* Copies the lines of a request in ascending order, equal UPCs summed. */
static void
merge_lines(const struct request *request, struct event *event)
{
    struct line *lines = event->lines;
    memcpy(lines, request->lines, request->line_count * sizeof *lines);
    if (request->line_count > 1) {
        qsort(lines, request->line_count, sizeof *lines, compare_lines);
    }
    size_t last = 0;
    for (size_t i = 1; i < request->line_count; i++) {
        if (lines[i].upc == lines[last].upc) {
            lines[last].units += lines[i].units;
        } else {
            lines[++last] = lines[i];
        }
    }
    event->line_count = last + 1;
}

/* Sees whether all lines can be filled. Otherwise fills in the first reason why not. */
static enum status
check_lines(const struct stock *stock, struct event *event)
{
    for (size_t i = 0; i < event->line_count; i++) {
        if (stock_find(stock, event->lines[i].upc) == NULL) {
            event->upc = event->lines[i].upc;
            return STATUS_UNKNOWN_ITEM;
        }
    }
    for (size_t i = 0; i < event->line_count; i++) {
        const struct item *item = stock_find(stock, event->lines[i].upc);
        if (event->kind == EVENT_RESTOCK && event->lines[i].units > LEVEL_MAX - item->units) {
            event->upc = item->upc;
            return STATUS_TOO_LARGE;
        }
        if (event->kind == EVENT_BUY && event->lines[i].units > item->units) {
            event->upc = item->upc;
            event->available = item->units;
            return STATUS_INSUFFICIENT_STOCK;
        }
    }
    return STATUS_OK;
}

/* The outcome that an event of an order leaves behind in its session. */
static struct outcome
outcome_of(const struct event *event, uint64_t position)
{
    struct outcome outcome = {.order = event->order, .position = position, .status = STATUS_OK};
    if (event->kind == EVENT_VOID) {
        outcome.status = STATUS_ORDER_VOIDED;
        return outcome;
    }
    outcome.body = event->body;
    if (event->kind == EVENT_REFUSE) {
        outcome.status = event->status;
        outcome.upc = event->upc;
        outcome.available = event->available;
        return outcome;
    }
    for (size_t i = 0; i < event->line_count; i++) {
        outcome.units += event->lines[i].units;
    }
    return outcome;
}

/* Decides an order whose number is the session's next. */
static bool
decide_order(struct ledger *ledger, const struct session *session, const struct request *request,
    const struct facts *facts, struct reply *reply, struct event *event)
{
    event->session = session->number;
    event->order = request->order;
    event->upc = 0;
    event->available = 0;
    if (request->operation == OPERATION_VOID) {
        event->kind = EVENT_VOID;
    } else {
        event->kind = request->operation == OPERATION_BUY ? EVENT_BUY : EVENT_RESTOCK;
        event->body = hash_body(request);
        merge_lines(request, event);
        event->status =
            event->kind == EVENT_RESTOCK && !ledger->sessions.users[session->user].may_restock
                ? STATUS_FORBIDDEN
                : check_lines(&ledger->stock, event);
        if (event->status != STATUS_OK) {
            event->kind = EVENT_REFUSE;
        }
    }
    struct outcome outcome = outcome_of(event, facts->position);
    tell_outcome(&outcome, reply);
    return true;
}

/* Holds an order's number against the session's last one. */
static bool
take_order(struct ledger *ledger, const struct session *session, const struct request *request,
    const struct facts *facts, struct reply *reply, struct event *event)
{
    const struct outcome *last = &session->last;
    if (request->order < last->order) {
        return refuse(reply, STATUS_ORDER_STALE);
    }
    if (request->order > last->order + 1) {
        return refuse(reply, STATUS_ORDER_GAP);
    }
    if (request->order == last->order + 1) {
        return decide_order(ledger, session, request, facts, reply, event);
    }
    if (request->operation != OPERATION_VOID && last->status != STATUS_ORDER_VOIDED &&
        last->body != hash_body(request)) {
        return refuse(reply, STATUS_ORDER_REUSED);
    }
    tell_outcome(last, reply);
    return false;
}

/* Fills a page with the items that were asked for by UPC. */
static bool
view_items(const struct ledger *ledger, const struct request *request, const struct facts *facts,
    struct reply *reply)
{
    size_t size = 0;
    for (size_t i = 0; i < request->line_count; i++) {
        const struct item *item = stock_find(&ledger->stock, request->lines[i].upc);
        if (item == NULL) {
            reply->upc = request->lines[i].upc;
            return refuse(reply, STATUS_UNKNOWN_ITEM);
        }
        size += reply_item_size(item);
        if (size > PAGE_SIZE_MAX) {
            return refuse(reply, STATUS_TOO_LARGE);
        }
        facts->page[i] = *item;
    }
    reply->is_page = true;
    reply->items = facts->page;
    reply->item_count = request->line_count;
    return false;
}

/* Fills a page with as many items as fit, from the first behind the cursor on. */
static bool
view_page(const struct ledger *ledger, const struct request *request, struct reply *reply)
{
    const struct stock *stock = &ledger->stock;
    size_t first = request->continues ? stock_first_after(stock, request->after) : 0;
    size_t count = 0;
    size_t size = 0;
    while (first + count < stock->count && count < PAGE_ITEMS_MAX) {
        size += reply_item_size(&stock->items[first + count]);
        if (size > PAGE_SIZE_MAX) {
            break;
        }
        count++;
    }
    reply->is_page = true;
    reply->items = stock->items + first;
    reply->item_count = count;
    reply->more = first + count < stock->count;
    return false;
}

static bool
log_in(struct ledger *ledger, const struct request *request, const struct facts *facts,
    struct reply *reply, struct event *event)
{
    struct sessions *sessions = &ledger->sessions;
    uint32_t row = sessions_user(sessions, request->user);
    if (row == INDEX_NONE || sessions_reserve(sessions) != 0) {
        reply->retry_ms = RETRY_SESSIONS_MS;
        return refuse(reply, STATUS_BUSY);
    }
    if (!sessions->users[row].has_account) {
        return refuse(reply, STATUS_BAD_CREDENTIALS);
    }
    if (sessions->count >= ledger->limits.sessions_max ||
        sessions->users[row].session_count >= ledger->limits.sessions_user_max) {
        snprintf(reply->message, sizeof reply->message,
            "too many sessions are open; log out of one first");
        reply->retry_ms = RETRY_SESSIONS_MS;
        return refuse(reply, STATUS_BUSY);
    }
    event->kind = EVENT_LOGIN;
    event->session = sessions->last + 1;
    snprintf(event->user, sizeof event->user, "%s", request->user);
    hash_token(facts->token, event->token_hash);
    reply->session = event->session;
    memcpy(reply->token, facts->token, sizeof reply->token);
    return true;
}

/* Decides what only somebody with a session may ask. */
static bool
decide_for_session(struct ledger *ledger, const struct request *request, const struct facts *facts,
    struct reply *reply, struct event *event)
{
    const struct session *session = sessions_find(&ledger->sessions, request->session);
    if (session == NULL) {
        return refuse(reply, request->session <= ledger->sessions.last ? STATUS_SESSION_ENDED
                                                                       : STATUS_NOT_LOGGED_IN);
    }
    uint8_t hash[TOKEN_HASH_SIZE];
    hash_token(request->token, hash);
    if (sodium_memcmp(hash, session->token_hash, sizeof hash) != 0) {
        return refuse(reply, STATUS_NOT_LOGGED_IN);
    }
    const struct user *user = &ledger->sessions.users[session->user];
    if (!user->has_account) {
        snprintf(
            reply->message, sizeof reply->message, "user '%s' has no account any more", user->name);
        return refuse(reply, STATUS_NOT_LOGGED_IN);
    }
    switch (request->operation) {
    case OPERATION_VIEW:
        return request->line_count > 0 ? view_items(ledger, request, facts, reply)
                                       : view_page(ledger, request, reply);
    case OPERATION_BUY:
    case OPERATION_RESTOCK:
    case OPERATION_VOID:
        return take_order(ledger, session, request, facts, reply, event);
    case OPERATION_LOGOUT:
        event->kind = EVENT_LOGOUT;
        event->session = session->number;
        return true;
    /* unreached: the engine does not ask the ledger about these */
    case OPERATION_STATS:
        return false; /* who may ask was found out; the figures are not the ledger's */
    case OPERATION_PING:
    case OPERATION_LOGIN:
    case OPERATION_COUNT:
        break;
    }
    assert(false);
    return false;
}

bool
ledger_decide(struct ledger *ledger, const struct request *request, const struct facts *facts,
    struct reply *reply, struct event *event)
{
    *reply = (struct reply){.status = STATUS_OK};
    if (request->operation == OPERATION_PING) {
        return false;
    }
    if (request->operation == OPERATION_LOGIN) {
        return log_in(ledger, request, facts, reply, event);
    }
    return decide_for_session(ledger, request, facts, reply, event);
}

static int
mismatch(struct diagnostic *diagnostic, const struct event *event, const char *reason)
{
    return diagnostic_set(
        diagnostic, ERROR_DAMAGED, "session %" PRIu64 ": %s", event->session, reason);
}

static int
apply_login(struct ledger *ledger, const struct event *event, struct diagnostic *diagnostic)
{
    struct sessions *sessions = &ledger->sessions;
    if (event->session <= sessions->last) {
        return mismatch(diagnostic, event, "its number was given out before");
    }
    struct session session = {.number = event->session};
    session.user = sessions_user(sessions, event->user);
    memcpy(session.token_hash, event->token_hash, sizeof session.token_hash);
    if (session.user == INDEX_NONE || sessions_reserve(sessions) != 0) {
        return diagnostic_set(diagnostic, ERROR_MEMORY, "out of memory");
    }
    sessions_add(sessions, &session);
    return 0;
}

/* Moves units. All lines are checked before any is applied. */
static int
apply_lines(struct ledger *ledger, const struct event *event, struct diagnostic *diagnostic)
{
    struct item *items[ORDER_LINES_MAX];
    for (size_t i = 0; i < event->line_count; i++) {
        items[i] = stock_find(&ledger->stock, event->lines[i].upc);
        if (items[i] == NULL) {
            return mismatch(diagnostic, event, "an order for an item that is not in the stock");
        }
        uint64_t room = event->kind == EVENT_BUY ? items[i]->units : LEVEL_MAX - items[i]->units;
        if (event->lines[i].units > room) {
            return mismatch(diagnostic, event, "an order that the level does not allow");
        }
    }
    for (size_t i = 0; i < event->line_count; i++) {
        if (event->kind == EVENT_BUY) {
            items[i]->units -= event->lines[i].units;
        } else {
            items[i]->units += event->lines[i].units;
        }
    }
    return 0;
}

int
ledger_apply(struct ledger *ledger, const struct event *event, uint64_t position,
    struct diagnostic *diagnostic)
{
    if (event->kind == EVENT_LOGIN) {
        return apply_login(ledger, event, diagnostic);
    }
    struct session *session = sessions_find(&ledger->sessions, event->session);
    if (session == NULL) {
        return mismatch(diagnostic, event, "it is not open");
    }
    if (event->kind == EVENT_LOGOUT) {
        sessions_remove(&ledger->sessions, session);
        return 0;
    }
    if (event->order != session->last.order + 1) {
        return mismatch(diagnostic, event, "an order out of turn");
    }
    if (event->kind == EVENT_BUY || event->kind == EVENT_RESTOCK) {
        int error = apply_lines(ledger, event, diagnostic);
        if (error != 0) {
            return error;
        }
    }
    session->last = outcome_of(event, position);
    return 0;
}

uint64_t
ledger_units(const struct ledger *ledger)
{
    uint64_t units = 0;
    for (size_t i = 0; i < ledger->stock.count; i++) {
        units += ledger->stock.items[i].units;
    }
    return units;
}
