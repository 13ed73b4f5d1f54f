#include "client/client.h"

#include "client/conversation.h"

#include <malloc.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    PEEK_MS = 500
};

enum outcome
client_usage(struct client *client, const char *format, ...)
{
    char text[DIAGNOSTIC_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    render_failure(&client->render, "usage", text);
    return OUTCOME_USAGE;
}

static bool
is_encrypted(const struct client *client)
{
    return client->profile.certificate[0] != '\0';
}

static int
read_keys(struct client *client, struct diagnostic *diagnostic)
{
    const struct profile *profile = &client->profile;
    int error =
        certificate_read_secret(profile->certificate, &client->keys.certificate, diagnostic);
    return error != 0
               ? error
               : certificate_read_public(profile->broker_key, client->keys.broker_key, diagnostic);
}

/* Opens the link unless it is open. */
static int
open_link(struct client *client, struct diagnostic *diagnostic)
{
    return client->link != NULL ? 0
                                : link_open(&client->link, client->profile.endpoint,
                                      is_encrypted(client) ? &client->keys : NULL, diagnostic);
}

enum outcome
client_open(struct client *client)
{
    /* Memory that is freed, by libzmq as well, is overwritten: passwords have been in it. */
    (void)mallopt(M_PERTURB, 1);
    struct diagnostic diagnostic = {""};
    uint8_t history[HISTORY_SIZE];
    const char *directory = client->profile.state;
    if (is_encrypted(client) && read_keys(client, &diagnostic) != 0) {
        return client_usage(client, "%s", diagnostic.text);
    }
    if (sodium_init() < 0) {
        render_failure(&client->render, "damaged", "the cryptographic library does not start");
        return OUTCOME_DAMAGED;
    }
    randombytes_buf(history, sizeof history);
    int error = local_inventory_check(directory, &diagnostic);
    if (error == 0) {
        error = local_inventory_open(
            &client->inventory, files_system(), directory, history, &diagnostic);
    }
    if (error == ERROR_LOCKED) {
        return client_usage(client,
            "%s is in use by another client; give this one a directory of its own with --state",
            directory);
    }
    if (error == 0) {
        client->shopper = shopper_new(client->inventory);
        if (client->shopper == NULL) {
            error = diagnostic_set(
                &diagnostic, ERROR_MEMORY, "%s: %s", directory, error_text(ERROR_MEMORY));
        }
    }
    if (error != 0) {
        render_failure(&client->render, "damaged", diagnostic.text);
        return OUTCOME_DAMAGED;
    }
    if (local_inventory_warning(client->inventory)[0] != '\0') {
        render_message(&client->render, local_inventory_warning(client->inventory));
    }
    return OUTCOME_DONE;
}

enum outcome
client_close(struct client *client)
{
    struct diagnostic diagnostic = {""};
    link_close(&client->link);
    sodium_memzero(&client->keys, sizeof client->keys);
    lookup_clear(&client->items);
    render_fini(&client->render);
    shopper_free(&client->shopper);
    int error = local_inventory_close(&client->inventory, &diagnostic);
    if (error != 0) {
        render_message(&client->render, diagnostic.text);
        return OUTCOME_DAMAGED;
    }
    return OUTCOME_DONE;
}

enum outcome
client_flush(struct client *client, enum outcome outcome)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return outcome;
    }
    render_message(&client->render, "standard output cannot be written");
    return outcome == OUTCOME_DONE ? OUTCOME_DAMAGED : outcome;
}

static void
notice(void *context, const char *text)
{
    struct client *client = context;
    render_note(&client->render, text);
}

const char *
client_item_name(const struct client *client, uint64_t upc)
{
    const char *name = lookup_name(&client->items, upc);
    return name != NULL ? name
                        : local_state_find_name(local_inventory_state(client->inventory), upc);
}

void
client_keep_items(struct client *client)
{
    const struct shopper_result *result = shopper_result(client->shopper);
    /* Without memory for them, names are not known: no more than that. */
    client->items_are_fresh = lookup_take(&client->items, result->items, result->item_count) == 0;
}

void
client_peek_items(struct client *client)
{
    struct diagnostic diagnostic = {""};
    const struct local_state *state = local_inventory_state(client->inventory);
    if (client->items.count > 0 || client->is_away || !state->is_logged_in ||
        state->pending.exists) {
        return;
    }
    if (open_link(client, &diagnostic) != 0) {
        return;
    }
    struct conversation conversation = {.link = client->link,
        .shopper = client->shopper,
        .timeout_ms = PEEK_MS,
        .is_away = &client->is_away};
    enum outcome outcome =
        conversation_run(&conversation, shopper_begin_view(client->shopper, NULL, 0));
    if (outcome == OUTCOME_DONE) {
        client_keep_items(client);
    }
}

void
client_suggest(struct client *client, const char *digits, char *text, size_t size)
{
    uint64_t upc;
    client_peek_items(client);
    text[0] = '\0';
    if (lookup_near(&client->items, digits, &upc)) {
        const char *name = lookup_name(&client->items, upc);
        char meant[UPC_TEXT_SIZE];
        upc_format(upc, meant);
        snprintf(text, size, "did you mean %s%s%s?", meant, name != NULL ? ", " : "",
            name != NULL ? name : "");
    }
}

/* After a refusal of an item that is not there: tells which one may have been meant. */
static void
suggest_item(struct client *client, uint64_t upc)
{
    char digits[UPC_TEXT_SIZE];
    char text[DIAGNOSTIC_SIZE];
    upc_format(upc, digits);
    client_suggest(client, digits, text, sizeof text);
    if (text[0] != '\0') {
        render_note(&client->render, text);
    }
}

bool
client_may_lack_keys(const struct client *client)
{
    bool dealt_with = local_inventory_state(client->inventory)->has_history;
    return client->link != NULL && client->is_away && !dealt_with && !is_encrypted(client);
}

/* After silence, where nobody is asked what comes next. */
static void
explain_silence(struct client *client)
{
    if (client->ask == NULL && client_may_lack_keys(client)) {
        render_note(&client->render,
            "is the broker running, and at that address? does it encrypt? then it wants "
            "--certificate and --broker-key");
    }
}

enum outcome
client_run(struct client *client, enum shopper_step step)
{
    struct diagnostic diagnostic = {""};
    if (step != SHOPPER_END && open_link(client, &diagnostic) != 0) {
        step = shopper_give_up(client->shopper, diagnostic.text);
    }
    struct conversation conversation = {.link = client->link,
        .shopper = client->shopper,
        .timeout_ms = client->profile.timeout_ms,
        .notice = notice,
        .context = client,
        .is_away = &client->is_away};
    enum outcome outcome = conversation_run(&conversation, step);
    const struct shopper_result *result = shopper_result(client->shopper);
    if (outcome != OUTCOME_DONE) {
        render_refusal(&client->render, result);
        if (result->reply.status == STATUS_UNKNOWN_ITEM) {
            suggest_item(client, result->reply.upc);
        } else if (outcome == OUTCOME_UNREACHABLE) {
            explain_silence(client);
        }
    }
    return outcome;
}
