#include "client/shopper.h"

#include "client/shopper_parts.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shopper *
shopper_new(struct local_inventory *inventory)
{
    struct shopper *shopper = calloc(1, sizeof *shopper);
    if (shopper != NULL) {
        shopper->inventory = inventory;
        shopper->memory = reply_memory_new();
        if (shopper->memory == NULL) {
            free(shopper);
            shopper = NULL;
        }
    }
    return shopper;
}

void
shopper_free(struct shopper **shopper)
{
    if (*shopper != NULL) {
        view_clear(&(*shopper)->view);
        view_clear(&(*shopper)->names);
        reply_memory_free(&(*shopper)->memory);
        sodium_memzero(*shopper, sizeof **shopper);
        free(*shopper);
        *shopper = NULL;
    }
}

const struct local_state *
shopper_state(const struct shopper *shopper)
{
    return local_inventory_state(shopper->inventory);
}

/* Ends. */

static enum shopper_step
end(struct shopper *shopper, enum outcome outcome, const char *word)
{
    shopper->phase = PHASE_END;
    shopper->result.outcome = outcome;
    shopper->result.error = word;
    sodium_memzero(shopper->draft.password, sizeof shopper->draft.password);
    sodium_memzero(shopper->bytes, sizeof shopper->bytes);
    return SHOPPER_END;
}

enum shopper_step
shopper_end_well(struct shopper *shopper)
{
    /* A name that is lost is asked for again, and what ails the disk the next record tells. */
    (void)local_inventory_keep_names(shopper->inventory, NULL);
    shopper->result.message.text[0] = '\0';
    return end(shopper, OUTCOME_DONE, NULL);
}

enum shopper_step
shopper_fail(
    struct shopper *shopper, enum outcome outcome, const char *word, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start() is two lines above */
    vsnprintf(shopper->result.message.text, sizeof shopper->result.message.text, format, arguments);
    va_end(arguments);
    return end(shopper, outcome, word);
}

enum shopper_step
shopper_refuse(struct shopper *shopper, enum status status)
{
    const char *said = shopper->result.reply.message;
    bool login = status == STATUS_NOT_LOGGED_IN || status == STATUS_BAD_CREDENTIALS ||
                 status == STATUS_SESSION_ENDED;
    bool both = status == STATUS_BAD_REQUEST && said[0] != '\0';
    const char *text = said[0] != '\0' && !both ? said : status_text(status);
    return shopper_fail(shopper, login ? OUTCOME_LOGGED_OUT : OUTCOME_REFUSED, status_word(status),
        "%s%s%s", text, both ? ": " : "", both ? said : "");
}

enum shopper_step
shopper_fail_disk(struct shopper *shopper, const struct diagnostic *diagnostic)
{
    return shopper_fail(shopper, OUTCOME_DAMAGED, "damaged", "%s", diagnostic->text);
}

bool
shopper_is_about_order(const struct shopper *shopper)
{
    bool is_own = shopper->errand == ERRAND_ORDER || shopper->errand == ERRAND_VOID;
    return shopper->phase == PHASE_SETTLE || (shopper->phase == PHASE_ERRAND && is_own);
}

bool
shopper_is_own_order(const struct shopper *shopper)
{
    return shopper->phase == PHASE_ERRAND || shopper->errand == ERRAND_RESOLVE ||
           shopper->errand == ERRAND_SET_ASIDE;
}

const char *
shopper_nothing_else(const struct shopper *shopper)
{
    return shopper_is_own_order(shopper) ? "" : "; nothing else was begun";
}

enum shopper_step
shopper_leave_pending(struct shopper *shopper, const char *reason)
{
    const struct order *order = &shopper_state(shopper)->pending.order;
    if (shopper_is_own_order(shopper)) {
        shopper_note_order(shopper, &shopper->result.order);
    }
    return shopper_fail(shopper, OUTCOME_UNKNOWN, "outcome_unknown",
        "%s; what became of order %" PRIu64 " of session %" PRIu64
        " is not known yet: it stays pending, and 'resolve' settles it%s",
        reason, order->number, order->session, shopper_nothing_else(shopper));
}

/* Requests. */

static enum shopper_step
send_request(struct shopper *shopper, enum phase phase, const struct request *request)
{
    struct buffer buffer;
    buffer_init(&buffer, shopper->bytes, sizeof shopper->bytes);
    request_encode(&buffer, request);
    assert(!buffer.overflow);
    shopper->size = buffer.size;
    shopper->phase = phase;
    shopper->awaits = false;
    shopper->in_doubt = false;
    shopper->is_busy = false;
    return SHOPPER_SEND;
}

static void
fill_session(const struct shopper *shopper, struct request *request)
{
    const struct local_state *state = shopper_state(shopper);
    request->session = state->session;
    memcpy(request->token, state->token, sizeof request->token);
}

/* Sends something that has no members but those of the session. */
static enum shopper_step
send_side(struct shopper *shopper, enum phase phase, enum operation operation, uint64_t order)
{
    memset(&shopper->side, 0, sizeof shopper->side);
    shopper->side.operation = operation;
    shopper->side.order = order;
    fill_session(shopper, &shopper->side);
    return send_request(shopper, phase, &shopper->side);
}

enum shopper_step
shopper_send_view(struct shopper *shopper, enum phase phase, const struct view *view)
{
    memset(&shopper->side, 0, sizeof shopper->side);
    view_ask(view, &shopper->side);
    fill_session(shopper, &shopper->side);
    return send_request(shopper, phase, &shopper->side);
}

/* Errands, from where nothing is pending. */

static enum shopper_step
start_ping(struct shopper *shopper)
{
    memset(&shopper->side, 0, sizeof shopper->side);
    shopper->side.operation = OPERATION_PING;
    return send_request(shopper, PHASE_ERRAND, &shopper->side);
}

/*
 * Sends the logout, once it is written down that the session takes no order any more: a copy of it
 * may come to the broker late, and would end the session under an order.
 */
static enum shopper_step
send_logout(struct shopper *shopper, enum phase phase)
{
    struct diagnostic diagnostic = {""};
    if (local_inventory_leave(shopper->inventory, &diagnostic) != 0) {
        return shopper_fail_disk(shopper, &diagnostic);
    }
    return send_side(shopper, phase, OPERATION_LOGOUT, 0);
}

static enum shopper_step
start_login(struct shopper *shopper)
{
    if (shopper_state(shopper)->is_logged_in) {
        return send_logout(shopper, PHASE_LEAVE);
    }
    return send_request(shopper, PHASE_ERRAND, &shopper->draft);
}

static enum shopper_step
start_view(struct shopper *shopper)
{
    return shopper_send_view(shopper, PHASE_ERRAND, &shopper->view);
}

struct shopper_order *
shopper_note_order(struct shopper *shopper, struct shopper_order *noted)
{
    noted->exists = true;
    noted->order = shopper_state(shopper)->pending.order;
    return noted;
}

static enum shopper_step
start_order(struct shopper *shopper)
{
    struct diagnostic diagnostic = {""};
    struct request *draft = &shopper->draft;
    struct order *order = &shopper->result.order.order;
    fill_session(shopper, draft);
    draft->order = shopper_state(shopper)->order_next;
    enum shopper_step step = send_request(shopper, PHASE_ERRAND, draft);

    order->operation = draft->operation;
    order->line_count = draft->line_count;
    memcpy(order->lines, draft->lines, draft->line_count * sizeof draft->lines[0]);
    int error =
        local_inventory_pend(shopper->inventory, order, shopper->bytes, shopper->size, &diagnostic);
    if (error == 0) {
        shopper_note_order(shopper, &shopper->result.order);
        return step;
    }
    if (local_inventory_is_doubtful(shopper->inventory)) {
        return shopper_fail(shopper, OUTCOME_UNKNOWN, "outcome_unknown",
            "%s; the order was not sent, but it may be on disk and be sent later: "
            "'resolve --void' gives it up",
            diagnostic.text);
    }
    return shopper_fail_disk(shopper, &diagnostic);
}

/* Resolving and setting aside are done once nothing is pending. */
static enum shopper_step
start_nothing(struct shopper *shopper)
{
    struct diagnostic diagnostic = {""};
    int error = local_inventory_secure(shopper->inventory, &diagnostic);
    return error == 0 ? shopper_end_well(shopper) : shopper_fail_disk(shopper, &diagnostic);
}

static enum shopper_step
start_void(struct shopper *shopper)
{
    const struct pending *pending = &shopper_state(shopper)->pending;
    if (!pending->exists) {
        return start_nothing(shopper);
    }
    struct diagnostic diagnostic = {""};
    if (local_inventory_secure(shopper->inventory, &diagnostic) != 0) {
        return shopper_leave_pending(shopper, diagnostic.text);
    }
    shopper_note_order(shopper, &shopper->result.order);
    enum shopper_step step =
        send_side(shopper, PHASE_ERRAND, OPERATION_VOID, pending->order.number);
    shopper->in_doubt = true;
    return step;
}

static enum shopper_step
start_logout(struct shopper *shopper)
{
    return send_logout(shopper, PHASE_ERRAND);
}

static enum shopper_step
start_stats(struct shopper *shopper)
{
    return send_side(shopper, PHASE_ERRAND, OPERATION_STATS, 0);
}

static const struct {
    bool needs_session;
    enum shopper_step (*start)(struct shopper *shopper);
} errands[ERRAND_COUNT] = {
    [ERRAND_PING] = {false, start_ping},
    [ERRAND_LOGIN] = {false, start_login},
    [ERRAND_VIEW] = {true, start_view},
    [ERRAND_ORDER] = {true, start_order},
    [ERRAND_RESOLVE] = {false, start_nothing},
    [ERRAND_VOID] = {false, start_void},
    [ERRAND_SET_ASIDE] = {false, start_nothing},
    [ERRAND_LOGOUT] = {true, start_logout},
    [ERRAND_STATS] = {true, start_stats},
};

enum shopper_step
shopper_start(struct shopper *shopper)
{
    if (errands[shopper->errand].needs_session && !shopper_state(shopper)->is_logged_in) {
        return shopper_fail(shopper, OUTCOME_LOGGED_OUT, status_word(STATUS_NOT_LOGGED_IN), "%s",
            status_text(STATUS_NOT_LOGGED_IN));
    }
    if (errands[shopper->errand].needs_session && shopper_state(shopper)->is_leaving &&
        shopper->errand != ERRAND_LOGOUT) {
        return send_logout(shopper, PHASE_LEAVE);
    }
    return errands[shopper->errand].start(shopper);
}

static void
prepare(struct shopper *shopper, enum errand errand)
{
    shopper->errand = errand;
    shopper->phase = PHASE_END;
    sodium_memzero(&shopper->draft, sizeof shopper->draft);
    memset(&shopper->result, 0, sizeof shopper->result);
}

static enum shopper_step
begin(struct shopper *shopper)
{
    const struct pending *pending = &shopper_state(shopper)->pending;
    bool goes_first = shopper->errand == ERRAND_PING || shopper->errand == ERRAND_VOID;
    if (goes_first || !pending->exists) {
        return shopper_start(shopper);
    }
    struct diagnostic diagnostic = {""};
    if (local_inventory_secure(shopper->inventory, &diagnostic) != 0) {
        return shopper_leave_pending(shopper, diagnostic.text);
    }
    memcpy(shopper->bytes, pending->request, pending->request_size);
    shopper->size = pending->request_size;
    shopper->phase = PHASE_SETTLE;
    shopper->awaits = false;
    shopper->in_doubt = true;
    shopper->is_busy = false;
    return SHOPPER_SEND;
}

enum shopper_step
shopper_begin_ping(struct shopper *shopper)
{
    prepare(shopper, ERRAND_PING);
    return begin(shopper);
}

enum shopper_step
shopper_begin_stats(struct shopper *shopper)
{
    prepare(shopper, ERRAND_STATS);
    return begin(shopper);
}

enum shopper_step
shopper_begin_login(
    struct shopper *shopper, const char *user, const char *password, const uint8_t *nonce)
{
    prepare(shopper, ERRAND_LOGIN);
    assert(strlen(user) <= USER_SIZE_MAX && strlen(password) <= PASSWORD_SIZE_MAX);
    shopper->draft.operation = OPERATION_LOGIN;
    memcpy(shopper->draft.nonce, nonce, sizeof shopper->draft.nonce);
    memcpy(shopper->draft.user, user, strlen(user));
    memcpy(shopper->draft.password, password, strlen(password));
    return begin(shopper);
}

enum shopper_step
shopper_begin_view(struct shopper *shopper, const uint64_t *upcs, size_t count)
{
    prepare(shopper, ERRAND_VIEW);
    view_clear(&shopper->view);
    if (count > 0 && view_want(&shopper->view, upcs, count) != 0) {
        return shopper_fail(shopper, OUTCOME_DAMAGED, "damaged", "%s", error_text(ERROR_MEMORY));
    }
    return begin(shopper);
}

enum shopper_step
shopper_begin_order(
    struct shopper *shopper, enum operation operation, const struct line *lines, size_t count)
{
    prepare(shopper, ERRAND_ORDER);
    assert(operation == OPERATION_BUY || operation == OPERATION_RESTOCK);
    assert(count >= 1 && count <= ORDER_LINES_MAX);
    shopper->draft.operation = operation;
    shopper->draft.line_count = count;
    memcpy(shopper->draft.lines, lines, count * sizeof lines[0]);
    return begin(shopper);
}

enum shopper_step
shopper_begin_resolve(struct shopper *shopper)
{
    prepare(shopper, ERRAND_RESOLVE);
    return begin(shopper);
}

enum shopper_step
shopper_begin_void(struct shopper *shopper)
{
    prepare(shopper, ERRAND_VOID);
    return begin(shopper);
}

enum shopper_step
shopper_begin_set_aside(struct shopper *shopper)
{
    prepare(shopper, ERRAND_SET_ASIDE);
    return begin(shopper);
}

enum shopper_step
shopper_begin_logout(struct shopper *shopper)
{
    prepare(shopper, ERRAND_LOGOUT);
    return begin(shopper);
}

void
shopper_request(struct shopper *shopper, const void **data, size_t *size)
{
    assert(shopper->phase != PHASE_END);
    shopper->in_doubt = shopper->in_doubt || shopper->awaits;
    shopper->awaits = true;
    *data = shopper->bytes;
    *size = shopper->size;
}

int64_t
shopper_wait_ms(const struct shopper *shopper)
{
    return shopper->wait_ms;
}

bool
shopper_may_give_up(const struct shopper *shopper)
{
    return shopper->phase == PHASE_NAMES;
}

bool
shopper_is_login(const struct shopper *shopper)
{
    return shopper->errand == ERRAND_LOGIN;
}

void
shopper_describe_wait(const struct shopper *shopper, char *text, size_t size)
{
    static const char *const errand_texts[ERRAND_COUNT] = {
        [ERRAND_PING] = "an answer",
        [ERRAND_LOGIN] = "the login",
        [ERRAND_VIEW] = "the list of items",
        [ERRAND_LOGOUT] = "the logout",
        [ERRAND_STATS] = "the broker's figures",
    };
    const struct order *order = &shopper_state(shopper)->pending.order;
    if (shopper_is_about_order(shopper)) {
        snprintf(text, size, "%sthe outcome of order %" PRIu64 " (%s)",
            shopper->errand == ERRAND_VOID ? "the end or " : "", order->number,
            operation_word(order->operation));
    } else if (shopper->phase == PHASE_LEAVE) {
        snprintf(text, size, "the logout before the login");
    } else if (shopper->phase == PHASE_NAMES) {
        snprintf(text, size, "the names of what was bought");
    } else {
        const char *errand = errand_texts[shopper->errand];
        snprintf(text, size, "%s", errand != NULL ? errand : "an answer");
    }
}

const struct shopper_result *
shopper_result(const struct shopper *shopper)
{
    assert(shopper->phase == PHASE_END);
    return &shopper->result;
}

enum shopper_step
shopper_give_up(struct shopper *shopper, const char *reason)
{
    assert(shopper->phase != PHASE_END);
    if (shopper->phase == PHASE_NAMES) {
        return shopper_end_well(shopper);
    }
    bool was_busy = shopper->is_busy && !shopper->awaits;
    const struct local_state *state = shopper_state(shopper);
    if (!shopper_is_about_order(shopper)) {
        if (state->is_logged_in && state->is_leaving) {
            return shopper_fail(shopper, OUTCOME_UNREACHABLE, "unreachable",
                "%s; the broker may or may not have logged %s out, and the next command sees to it",
                reason, state->user);
        }
        return was_busy ? shopper_refuse(shopper, STATUS_BUSY)
                        : shopper_fail(shopper, OUTCOME_UNREACHABLE, "unreachable", "%s", reason);
    }
    if (!shopper_is_own_order(shopper)) {
        const struct order *order = &state->pending.order;
        return shopper_fail(shopper, OUTCOME_UNREACHABLE, "unreachable",
            "%s; order %" PRIu64 " of session %" PRIu64
            " is still pending and has to be settled first%s",
            reason, order->number, order->session, shopper_nothing_else(shopper));
    }
    if (shopper->in_doubt || shopper->awaits) {
        return shopper_leave_pending(shopper, reason);
    }
    if (was_busy) {
        return shopper_release(shopper, STATUS_BUSY);
    }
    struct diagnostic diagnostic = {""};
    if (local_inventory_release(shopper->inventory, STATUS_BUSY, &diagnostic) != 0) {
        return shopper_leave_pending(shopper, diagnostic.text);
    }
    return shopper_fail(
        shopper, OUTCOME_UNREACHABLE, "unreachable", "%s; the order was not sent", reason);
}
