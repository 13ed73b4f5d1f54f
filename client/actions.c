#include "client/actions.h"

#include "client/arguments.h"
#include "client/clock.h"
#include "client/conversation.h"
#include "client/password.h"
#include "shared/text.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Sees that the user on the command line is the one that is logged in. */
static enum outcome
check_user(struct client *client)
{
    const struct local_state *state = local_inventory_state(client->inventory);
    const struct profile *profile = &client->profile;
    if (profile->user_is_flag && state->is_logged_in && strcmp(profile->user, state->user) != 0) {
        char text[DIAGNOSTIC_SIZE];
        snprintf(
            text, sizeof text, "%s is logged in, not %s; log in first", state->user, profile->user);
        render_failure(&client->render, status_word(STATUS_NOT_LOGGED_IN), text);
        return OUTCOME_LOGGED_OUT;
    }
    return OUTCOME_DONE;
}

/* Logging in. */

/* Finds out who logs in, into `user`, and which file has the password. */
static enum outcome
take_login(struct client *client, size_t count, char **words, const char **user, const char **file)
{
    *user = NULL;
    *file = client->password_file;
    for (size_t i = 1; i < count; i++) {
        if (strcmp(words[i], "--password-file") == 0 && i + 1 < count) {
            *file = words[++i];
        } else if (*user == NULL && words[i][0] != '-') {
            *user = words[i];
        } else {
            /* Not repeated: it may be a password. */
            return client_usage(client,
                "login: word %zu is too many; usage: login [USER] [--password-file FILE]", i);
        }
    }
    if (*user == NULL && client->profile.user[0] != '\0') {
        *user = client->profile.user;
    }
    if (*user == NULL && client->ask != NULL) {
        *user = arguments_ask(client, QUESTION_WORD, "user: ");
    }
    if (*user == NULL) {
        return client_usage(client, "login: who? (login USER, --user or STOCK_USER)");
    }
    size_t size = strlen(*user);
    if (size == 0 || size > USER_SIZE_MAX || !text_is_printable(*user, size)) {
        return client_usage(
            client, "login: a user name has 1 to %d bytes of printable text", USER_SIZE_MAX);
    }
    return OUTCOME_DONE;
}

/* After a login that failed: says so if whoever was logged in before it is logged out by it. */
static void
tell_if_out(struct client *client)
{
    const struct local_state *state = local_inventory_state(client->inventory);
    if (!state->is_logged_in) {
        char text[USER_SIZE_MAX + 32];
        snprintf(text, sizeof text, "%s was logged out", state->user);
        render_note(&client->render, text);
    }
}

enum outcome
action_login(struct client *client, size_t count, char **words)
{
    const char *word;
    const char *file;
    char user[USER_SIZE_MAX + 1] = "";
    char password[PASSWORD_SIZE_MAX + 1];
    uint8_t nonce[NONCE_SIZE];
    struct diagnostic diagnostic = {""};
    bool was_logged_in = local_inventory_state(client->inventory)->is_logged_in;
    enum outcome outcome = take_login(client, count, words, &word, &file);
    if (outcome != OUTCOME_DONE) {
        return outcome;
    }
    assert(word != NULL);
    memcpy(user, word, strlen(word));
    if (password_get(password, file, user, &diagnostic) != 0) {
        return client_usage(client, "login: %s", diagnostic.text);
    }
    randombytes_buf(nonce, sizeof nonce);
    enum shopper_step step = shopper_begin_login(client->shopper, user, password, nonce);
    sodium_memzero(password, sizeof password);
    outcome = client_run(client, step);
    if (outcome == OUTCOME_DONE) {
        render_login(&client->render, shopper_result(client->shopper),
            local_inventory_state(client->inventory));
    } else if (was_logged_in) {
        tell_if_out(client);
    }
    return outcome;
}

enum outcome
action_logout(struct client *client, size_t count, char **words)
{
    char user[USER_SIZE_MAX + 1];
    (void)count;
    (void)words;
    enum outcome outcome = check_user(client);
    if (outcome != OUTCOME_DONE) {
        return outcome;
    }
    memcpy(user, local_inventory_state(client->inventory)->user, sizeof user);
    outcome = client_run(client, shopper_begin_logout(client->shopper));
    if (outcome == OUTCOME_DONE) {
        render_logout(&client->render, shopper_result(client->shopper), user);
    }
    return outcome;
}

/* Looking. */

enum outcome
action_inventory(struct client *client, size_t count, char **words)
{
    uint64_t upcs[ORDER_LINES_MAX];
    enum outcome outcome = check_user(client);
    if (outcome == OUTCOME_DONE && count - 1 > ORDER_LINES_MAX) {
        outcome = client_usage(client, "inventory: more than %d items", ORDER_LINES_MAX);
    }
    for (size_t i = 1; outcome == OUTCOME_DONE && i < count; i++) {
        outcome = arguments_take_item(client, "inventory", words[i], &upcs[i - 1]);
    }
    if (outcome != OUTCOME_DONE) {
        return outcome;
    }
    outcome = client_run(client, shopper_begin_view(client->shopper, upcs, count - 1));
    if (outcome == OUTCOME_DONE) {
        if (count == 1) {
            client_keep_items(client);
        }
        render_inventory(&client->render, shopper_result(client->shopper));
    }
    return outcome;
}

/* Was something bought by a client that was killed before it learned what that is called? */
static bool
lacks_names(const struct local_state *state, const char *user)
{
    const struct holder *holder = local_state_find_holder(state, user);
    for (size_t i = 0; holder != NULL && i < holder->count; i++) {
        if (local_state_find_name(state, holder->lines[i].upc) == NULL) {
            return true;
        }
    }
    return false;
}

enum outcome
action_local(struct client *client, size_t count, char **words)
{
    const struct local_state *state = local_inventory_state(client->inventory);
    const char *user = state->user;
    (void)count;
    (void)words;
    if (client->profile.user_is_flag || user[0] == '\0') {
        user = client->profile.user;
    }
    if (lacks_names(state, user)) {
        client_peek_items(client);
    }
    render_local(&client->render, state, user[0] != '\0' ? user : NULL);
    return OUTCOME_DONE;
}

/* Orders. */

static enum outcome
run_order(struct client *client, enum operation operation, size_t count, char **words)
{
    struct line lines[ORDER_LINES_MAX];
    size_t line_count = 0;
    const char *command = operation_word(operation);
    const struct pending *pending = &local_inventory_state(client->inventory)->pending;
    enum outcome outcome = check_user(client);
    if (outcome == OUTCOME_DONE) {
        outcome = arguments_take_lines(client, command, count, words, lines, &line_count);
    }
    /* An earlier order that has to be settled first is told of already. */
    if (outcome == OUTCOME_UNREACHABLE ? !pending->exists
                                       : outcome == OUTCOME_DONE && line_count == 0) {
        render_note(&client->render, "nothing was ordered");
        return outcome;
    }
    if (outcome == OUTCOME_DONE) {
        outcome = arguments_confirm(client, command, lines, line_count);
    }
    if (outcome != OUTCOME_DONE) {
        return outcome;
    }
    outcome =
        client_run(client, shopper_begin_order(client->shopper, operation, lines, line_count));
    if (outcome == OUTCOME_DONE) {
        render_order(&client->render, local_inventory_state(client->inventory), &client->items,
            shopper_result(client->shopper), false);
    }
    return outcome;
}

enum outcome
action_buy(struct client *client, size_t count, char **words)
{
    return run_order(client, OPERATION_BUY, count, words);
}

enum outcome
action_restock(struct client *client, size_t count, char **words)
{
    return run_order(client, OPERATION_RESTOCK, count, words);
}

enum outcome
action_resolve(struct client *client, size_t count, char **words)
{
    bool voids = count > 1 && strcmp(words[1], "--void") == 0;
    bool sets_aside = count > 1 && strcmp(words[1], "--set-aside") == 0;
    enum shopper_step step;
    if (voids) {
        step = shopper_begin_void(client->shopper);
    } else if (sets_aside) {
        step = shopper_begin_set_aside(client->shopper);
    } else if (count == 1) {
        step = shopper_begin_resolve(client->shopper);
    } else {
        char shown[TEXT_SHOWN_SIZE];
        return client_usage(client, "resolve: '%s' is neither --void nor --set-aside",
            text_shorten(words[1], shown));
    }
    enum outcome outcome = client_run(client, step);
    if (outcome == OUTCOME_DONE) {
        render_order(&client->render, local_inventory_state(client->inventory), &client->items,
            shopper_result(client->shopper), voids);
    }
    return outcome;
}

enum outcome
action_ping(struct client *client, size_t count, char **words)
{
    (void)count;
    (void)words;
    int64_t begin_us = clock_now_us();
    enum outcome outcome = client_run(client, shopper_begin_ping(client->shopper));
    if (outcome == OUTCOME_DONE) {
        render_ping(&client->render, shopper_result(client->shopper), client->profile.endpoint,
            clock_now_us() - begin_us);
    }
    return outcome;
}

enum outcome
action_stats(struct client *client, size_t count, char **words)
{
    (void)count;
    (void)words;
    enum outcome outcome = check_user(client);
    if (outcome == OUTCOME_DONE) {
        outcome = client_run(client, shopper_begin_stats(client->shopper));
    }
    if (outcome == OUTCOME_DONE) {
        render_stats(&client->render, shopper_result(client->shopper));
    }
    return outcome;
}

/* Takes the timeout that stands behind "wait". */
static bool
take_timeout(size_t count, char **words, int64_t *timeout_ms)
{
    const char *option = "--timeout";
    size_t size = strlen(option);
    if (count == 3 && strcmp(words[1], option) == 0) {
        return profile_parse_ms(words[2], timeout_ms);
    }
    return count == 2 && strncmp(words[1], option, size) == 0 && words[1][size] == '=' &&
           profile_parse_ms(&words[1][size + 1], timeout_ms);
}

enum outcome
action_wait(struct client *client, size_t count, char **words)
{
    int64_t kept_ms = client->profile.timeout_ms;
    if (count > 1 && !take_timeout(count, words, &client->profile.timeout_ms)) {
        return client_usage(
            client, "wait: --timeout has a number of milliseconds from 1 to %d", TIMEOUT_MAX_MS);
    }
    enum outcome outcome = action_ping(client, 1, words);
    client->profile.timeout_ms = kept_ms;
    return outcome;
}

enum outcome
action_config(struct client *client, size_t count, char **words)
{
    (void)count;
    (void)words;
    render_config(&client->render, &client->profile);
    return OUTCOME_DONE;
}

enum outcome
action_keygen(struct client *client, size_t count, char **words)
{
    const char *path = count > 1 ? words[1] : "client.cert";
    char key[CERTIFICATE_TEXT_SIZE];
    struct diagnostic diagnostic = {""};
    int error = certificate_make(path, key, &diagnostic);
    if (error == ERROR_EXISTS) {
        return client_usage(client, "%s, and no key is overwritten", diagnostic.text);
    }
    if (error != 0) {
        render_failure(&client->render, "damaged", diagnostic.text);
        return OUTCOME_DAMAGED;
    }
    render_keygen(&client->render, path, key);
    return OUTCOME_DONE;
}
