#include "client/stockbus.h"

#include "client/conversation.h"
#include "shared/text.h"

#include <assert.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An order as it is told. */
struct told {
    bool exists;
    struct stockbus_order order;
    struct stockbus_line lines[ORDER_LINES_MAX];
};

struct stockbus {
    struct local_inventory *inventory; /* NULL: it could not be opened */
    struct shopper *shopper;
    struct link *link;
    int64_t timeout_ms;
    const char *error;
    struct diagnostic message;
    struct told order;
    struct told before;
    struct stockbus_item *items; /* what was given out last */
};

#define RESULT_IS_OUTCOME(result, outcome) _Static_assert((int)(result) == (int)(outcome), #result)
RESULT_IS_OUTCOME(STOCKBUS_DONE, OUTCOME_DONE);
RESULT_IS_OUTCOME(STOCKBUS_REFUSED, OUTCOME_REFUSED);
RESULT_IS_OUTCOME(STOCKBUS_USAGE, OUTCOME_USAGE);
RESULT_IS_OUTCOME(STOCKBUS_DAMAGED, OUTCOME_DAMAGED);
RESULT_IS_OUTCOME(STOCKBUS_UNREACHABLE, OUTCOME_UNREACHABLE);
RESULT_IS_OUTCOME(STOCKBUS_PENDING, OUTCOME_UNKNOWN);
RESULT_IS_OUTCOME(STOCKBUS_LOGGED_OUT, OUTCOME_LOGGED_OUT);

/* Forgets what the call before has told. */
static void
begin(struct stockbus *client)
{
    client->error = NULL;
    client->message.text[0] = '\0';
    client->order.exists = false;
    client->before.exists = false;
}

static int
fail(struct stockbus *client, int result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int
fail(struct stockbus *client, int result, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(client->message.text, sizeof client->message.text, format, arguments);
    va_end(arguments);
    client->error = result == STOCKBUS_USAGE ? "usage" : "damaged";
    return result;
}

static int
fail_memory(struct stockbus *client)
{
    return fail(client, STOCKBUS_DAMAGED, "%s", error_text(ERROR_MEMORY));
}

/* Begins a call of an open client. */
static int
begin_open(struct stockbus *client)
{
    begin(client);
    return client->link != NULL ? STOCKBUS_DONE
                                : fail(client, STOCKBUS_USAGE, "the client is not open");
}

static enum stockbus_ending
ending_of(const struct shopper_order *from, const struct local_state *state)
{
    if (from->status == STATUS_OK) {
        return STOCKBUS_MADE;
    }
    for (size_t i = 0; i < state->aside_count; i++) {
        const struct order *aside = &state->asides[i].order;
        if (aside->session == from->order.session && aside->number == from->order.number) {
            return STOCKBUS_UNKNOWN;
        }
    }
    return STOCKBUS_NOT_MADE;
}

/* Tells of an order, unless it is still pending. */
static void
tell(struct told *told, const struct shopper_order *from, const struct local_state *state)
{
    const struct pending *pending = &state->pending;
    told->exists =
        from->exists && !(pending->exists && pending->order.number == from->order.number &&
                            pending->order.session == from->order.session);
    if (!told->exists) {
        return;
    }
    for (size_t i = 0; i < from->order.line_count; i++) {
        told->lines[i] =
            (struct stockbus_line){from->order.lines[i].upc, from->order.lines[i].units};
    }
    told->order = (struct stockbus_order){
        .number = from->order.number,
        .is_restock = from->order.operation == OPERATION_RESTOCK,
        .ending = ending_of(from, state),
        .error = from->status == STATUS_OK ? NULL : status_word(from->status),
        .lines = told->lines,
        .line_count = from->order.line_count,
    };
}

/* Carries out the errand that was begun with `step`. */
static int
run(struct stockbus *client, enum shopper_step step)
{
    const struct conversation conversation = {
        .link = client->link, .shopper = client->shopper, .timeout_ms = client->timeout_ms};
    enum outcome outcome = conversation_run(&conversation, step);
    const struct shopper_result *result = shopper_result(client->shopper);
    client->error = result->error;
    client->message = result->message;
    const struct local_state *state = local_inventory_state(client->inventory);
    tell(&client->order, &result->order, state);
    tell(&client->before, &result->before, state);
    return (int)outcome;
}

/* Opening and closing. */

static int
open_link(
    struct stockbus *client, const struct stockbus_config *config, struct diagnostic *diagnostic)
{
    struct link_keys keys;
    const char *endpoint = config->endpoint != NULL ? config->endpoint : LINK_ENDPOINT_DEFAULT;
    bool is_encrypted = config->broker_key != NULL;
    if (is_encrypted != (config->secret_key != NULL)) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "for an encrypted connection, broker_key and secret_key go together");
    }
    int error = is_encrypted
                    ? link_keys_parse(&keys, config->broker_key, config->secret_key, diagnostic)
                    : 0;
    if (error == 0) {
        error = link_open(&client->link, endpoint, is_encrypted ? &keys : NULL, diagnostic);
    }
    sodium_memzero(&keys, sizeof keys);
    return error;
}

static int
open_parts(struct stockbus *client, const struct stockbus_config *config)
{
    uint8_t history[HISTORY_SIZE];
    client->timeout_ms = config->timeout_ms != 0 ? config->timeout_ms : TIMEOUT_DEFAULT_MS;
    if (config->state == NULL || config->state[0] == '\0') {
        return fail(client, STOCKBUS_USAGE, "a state directory is wanted");
    }
    if (client->timeout_ms < 1 || client->timeout_ms > TIMEOUT_MAX_MS) {
        return fail(client, STOCKBUS_USAGE, "a timeout is 1 to %d milliseconds", TIMEOUT_MAX_MS);
    }
    if (sodium_init() < 0) {
        return fail(client, STOCKBUS_DAMAGED, "the cryptographic library does not start");
    }
    randombytes_buf(history, sizeof history);
    struct diagnostic diagnostic = {""};
    int error = local_inventory_check(config->state, &diagnostic);
    if (error == 0) {
        error = local_inventory_open(
            &client->inventory, files_system(), config->state, history, &diagnostic);
    }
    if (error == 0) {
        client->shopper = shopper_new(client->inventory);
        error = client->shopper != NULL
                    ? open_link(client, config, &diagnostic)
                    : diagnostic_set(&diagnostic, ERROR_MEMORY, "%s", error_text(ERROR_MEMORY));
    }
    bool is_usage = error == ERROR_LOCKED || error == ERROR_INVALID;
    return error == 0
               ? STOCKBUS_DONE
               : fail(client, is_usage ? STOCKBUS_USAGE : STOCKBUS_DAMAGED, "%s", diagnostic.text);
}

/*
 * Takes the configuration of a caller that was built with this header, an earlier one, or a later
 * one whose further members it has left as they were.
 */
static bool
take_config(struct stockbus_config *taken, const struct stockbus_config *config)
{
    enum {
        SIZE_FIRST = offsetof(struct stockbus_config, timeout_ms) + sizeof config->timeout_ms,
        SIZE_MAX_LATER = 4096 /* more is no size at all */
    };
    size_t size = config->size;
    if (size < SIZE_FIRST || size > SIZE_MAX_LATER) {
        return false;
    }
    for (size_t i = sizeof *taken; i < size; i++) {
        if (((const unsigned char *)config)[i] != 0) {
            return false;
        }
    }
    *taken = (struct stockbus_config)STOCKBUS_CONFIG_INIT;
    memcpy(taken, config, size < sizeof *taken ? size : sizeof *taken);
    return true;
}

int
stockbus_open(struct stockbus **result, const struct stockbus_config *config)
{
    struct stockbus *client = calloc(1, sizeof *client);
    *result = client;
    if (client == NULL) {
        return STOCKBUS_DAMAGED;
    }
    struct stockbus_config taken;
    if (!take_config(&taken, config)) {
        return fail(client, STOCKBUS_USAGE, "the configuration is of a version not known here");
    }
    return open_parts(client, &taken);
}

void
stockbus_close(struct stockbus **client)
{
    if (*client != NULL) {
        link_close(&(*client)->link);
        shopper_free(&(*client)->shopper);
        /* What could not be written at the end is learned again. */
        (void)local_inventory_close(&(*client)->inventory, NULL);
        free((*client)->items);
        free(*client);
        *client = NULL;
    }
}

/* Who. */

static bool
is_text(const char *text, size_t size_max)
{
    size_t size = strlen(text);
    return size >= 1 && size <= size_max && text_is_printable(text, size);
}

int
stockbus_login(struct stockbus *client, const char *user, const char *password)
{
    uint8_t nonce[NONCE_SIZE];
    int result = begin_open(client);
    if (result != STOCKBUS_DONE) {
        return result;
    }
    if (!is_text(user, USER_SIZE_MAX) || !is_text(password, PASSWORD_SIZE_MAX)) {
        return fail(client, STOCKBUS_USAGE,
            "a user name has 1 to %d bytes of printable text, a password 1 to %d", USER_SIZE_MAX,
            PASSWORD_SIZE_MAX);
    }
    randombytes_buf(nonce, sizeof nonce);
    return run(client, shopper_begin_login(client->shopper, user, password, nonce));
}

int
stockbus_logout(struct stockbus *client)
{
    int result = begin_open(client);
    return result != STOCKBUS_DONE ? result : run(client, shopper_begin_logout(client->shopper));
}

const char *
stockbus_user(const struct stockbus *client)
{
    const struct local_state *state =
        client->inventory != NULL ? local_inventory_state(client->inventory) : NULL;
    return state != NULL && state->is_logged_in ? state->user : NULL;
}

/* Looking. */

/* Makes room for `count` items, where there were those given out before. */
static bool
make_room(struct stockbus *client, size_t count)
{
    struct stockbus_item *items =
        realloc(client->items, (count > 0 ? count : 1) * sizeof *client->items);
    if (items != NULL) {
        client->items = items;
    }
    return items != NULL;
}

int
stockbus_inventory(struct stockbus *client, const uint64_t *upcs, size_t count,
    const struct stockbus_item **items, size_t *item_count)
{
    int result = begin_open(client);
    if (result == STOCKBUS_DONE && count > ORDER_LINES_MAX) {
        result = fail(client, STOCKBUS_USAGE, "more than %d items", ORDER_LINES_MAX);
    }
    for (size_t i = 0; result == STOCKBUS_DONE && i < count; i++) {
        if (upcs[i] > UPC_MAX) {
            result = fail(client, STOCKBUS_USAGE, "a UPC has at most twelve digits");
        }
    }
    if (result == STOCKBUS_DONE) {
        result = run(client, shopper_begin_view(client->shopper, upcs, count));
    }
    if (result != STOCKBUS_DONE) {
        return result;
    }
    const struct shopper_result *found = shopper_result(client->shopper);
    if (!make_room(client, found->item_count)) {
        return fail_memory(client);
    }
    for (size_t i = 0; i < found->item_count; i++) {
        const struct item *item = &found->items[i];
        client->items[i] = (struct stockbus_item){item->upc, item->units, item->name};
    }
    *items = client->items;
    *item_count = found->item_count;
    return STOCKBUS_DONE;
}

int
stockbus_local(struct stockbus *client, const char *user, const struct stockbus_item **items,
    size_t *item_count)
{
    int result = begin_open(client);
    if (result != STOCKBUS_DONE) {
        return result;
    }
    const struct local_state *state = local_inventory_state(client->inventory);
    const struct holder *holder = local_state_find_holder(state, user != NULL ? user : state->user);
    size_t count = holder != NULL ? holder->count : 0;
    if (!make_room(client, count)) {
        return fail_memory(client);
    }
    for (size_t i = 0; i < count; i++) {
        const struct line *line = &holder->lines[i];
        client->items[i] =
            (struct stockbus_item){line->upc, line->units, local_state_find_name(state, line->upc)};
    }
    *items = client->items;
    *item_count = count;
    return STOCKBUS_DONE;
}

/* Orders. */

static int
run_order(struct stockbus *client, enum operation operation, const struct stockbus_line *lines,
    size_t count)
{
    struct line copy[ORDER_LINES_MAX];
    int result = begin_open(client);
    if (result == STOCKBUS_DONE && (count < 1 || count > ORDER_LINES_MAX)) {
        result = fail(client, STOCKBUS_USAGE, "an order has 1 to %d lines", ORDER_LINES_MAX);
    }
    for (size_t i = 0; result == STOCKBUS_DONE && i < count; i++) {
        copy[i] = (struct line){lines[i].upc, lines[i].units};
        if (copy[i].upc > UPC_MAX || copy[i].units < 1 || copy[i].units > UNITS_MAX) {
            result = fail(client, STOCKBUS_USAGE,
                "line %zu: a UPC has at most twelve digits, and units are 1 to %d", i + 1,
                UNITS_MAX);
        }
    }
    return result != STOCKBUS_DONE
               ? result
               : run(client, shopper_begin_order(client->shopper, operation, copy, count));
}

int
stockbus_buy(struct stockbus *client, const struct stockbus_line *lines, size_t count)
{
    return run_order(client, OPERATION_BUY, lines, count);
}

int
stockbus_restock(struct stockbus *client, const struct stockbus_line *lines, size_t count)
{
    return run_order(client, OPERATION_RESTOCK, lines, count);
}

int
stockbus_resolve(struct stockbus *client, enum stockbus_doubt doubt)
{
    int result = begin_open(client);
    if (result != STOCKBUS_DONE) {
        return result;
    }
    switch (doubt) {
    case STOCKBUS_SETTLE:
        return run(client, shopper_begin_resolve(client->shopper));
    case STOCKBUS_VOID:
        return run(client, shopper_begin_void(client->shopper));
    case STOCKBUS_SET_ASIDE:
        return run(client, shopper_begin_set_aside(client->shopper));
    }
    return fail(client, STOCKBUS_USAGE, "that is no way to end a doubt");
}

bool
stockbus_is_pending(const struct stockbus *client)
{
    return client->inventory != NULL && local_inventory_state(client->inventory)->pending.exists;
}

/* What came of it. */

const struct stockbus_order *
stockbus_order(const struct stockbus *client)
{
    return client->order.exists ? &client->order.order : NULL;
}

const struct stockbus_order *
stockbus_order_before(const struct stockbus *client)
{
    return client->before.exists ? &client->before.order : NULL;
}

const char *
stockbus_error(const struct stockbus *client)
{
    return client->error;
}

const char *
stockbus_message(const struct stockbus *client)
{
    return client != NULL ? client->message.text : error_text(ERROR_MEMORY);
}

const char *
stockbus_warning(const struct stockbus *client)
{
    return client != NULL && client->inventory != NULL ? local_inventory_warning(client->inventory)
                                                       : "";
}
