#include "client/actions.h"

#include "client/conversation.h"
#include "client/password.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Arguments. */

static bool
parse_units(const char *word, uint64_t *units)
{
    size_t digits = strspn(word, "0123456789");
    if (digits == 0 || digits > 10 || word[digits] != '\0') {
        return false;
    }
    *units = strtoull(word, NULL, 10);
    return *units >= 1 && *units <= UNITS_MAX;
}

static enum outcome
take_upc(struct client *client, const char *command, const char *word, uint64_t *upc)
{
    return upc_parse(word, upc)
               ? OUTCOME_DONE
               : client_usage(client, "%s: '%s' is no UPC, which is twelve digits", command, word);
}

static enum outcome
take_units(struct client *client, const char *command, const char *word, uint64_t *units)
{
    return parse_units(word, units)
               ? OUTCOME_DONE
               : client_usage(client, "%s: '%s' is no number of units from 1 to %d", command, word,
                     UNITS_MAX);
}

/* Makes the lines of an order from pairs of words. */
static enum outcome
take_lines(struct client *client, const char *command, size_t count, char **words,
    struct line *lines, size_t *line_count)
{
    if (count % 2 == 0) {
        return client_usage(client, "%s: how many units of %s?", command, words[count - 1]);
    }
    enum outcome outcome = OUTCOME_DONE;
    *line_count = 0;
    for (size_t i = 1; outcome == OUTCOME_DONE && i < count; i += 2) {
        struct line *line = &lines[(*line_count)++];
        outcome = take_upc(client, command, words[i], &line->upc);
        if (outcome == OUTCOME_DONE) {
            outcome = take_units(client, command, words[i + 1], &line->units);
        }
    }
    return outcome;
}

static const char *
ask(struct client *client, const char *question)
{
    const char *answer = client->ask(client->ask_context, question);
    return answer != NULL && answer[0] != '\0' ? answer : NULL;
}

/* Asks for lines until an empty answer. A wrong answer is told and asked for again. */
static void
ask_lines(struct client *client, const char *command, struct line *lines, size_t *line_count)
{
    *line_count = 0;
    while (*line_count < ORDER_LINES_MAX) {
        const char *word = ask(
            client, *line_count == 0 ? "UPC (12 digits): " : "another UPC (empty: that is all): ");
        if (word == NULL) {
            return;
        }
        struct line *line = &lines[*line_count];
        if (take_upc(client, command, word, &line->upc) != OUTCOME_DONE) {
            continue;
        }
        do {
            word = ask(client, "units: ");
        } while (word != NULL && take_units(client, command, word, &line->units) != OUTCOME_DONE);
        if (word == NULL) {
            *line_count = 0;
            return;
        }
        (*line_count)++;
    }
}

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
            return client_usage(client, "login: '%s' is not understood", words[i]);
        }
    }
    if (*user == NULL && client->profile.user[0] != '\0') {
        *user = client->profile.user;
    }
    if (*user == NULL && client->ask != NULL) {
        *user = ask(client, "user: ");
    }
    if (*user == NULL) {
        return client_usage(client, "login: who? (login USER, --user or STOCK_USER)");
    }
    size_t size = strlen(*user);
    if (size > USER_SIZE_MAX || !text_is_printable(*user, size)) {
        return client_usage(
            client, "login: a user name has 1 to %d bytes of printable text", USER_SIZE_MAX);
    }
    return OUTCOME_DONE;
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
    enum outcome outcome = take_login(client, count, words, &word, &file);
    if (outcome != OUTCOME_DONE) {
        return outcome;
    }
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
        outcome = client_usage(client, "inventory: more than %d UPCs", ORDER_LINES_MAX);
    }
    for (size_t i = 1; outcome == OUTCOME_DONE && i < count; i++) {
        outcome = take_upc(client, "inventory", words[i], &upcs[i - 1]);
    }
    if (outcome != OUTCOME_DONE) {
        return outcome;
    }
    outcome = client_run(client, shopper_begin_view(client->shopper, upcs, count - 1));
    if (outcome == OUTCOME_DONE) {
        render_inventory(&client->render, shopper_result(client->shopper));
    }
    return outcome;
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
    enum outcome outcome = check_user(client);
    if (outcome == OUTCOME_DONE && count > 1) {
        outcome = take_lines(client, command, count, words, lines, &line_count);
    } else if (outcome == OUTCOME_DONE) {
        ask_lines(client, command, lines, &line_count);
        if (line_count == 0) {
            render_note(&client->render, "nothing was ordered");
            return OUTCOME_DONE;
        }
    }
    if (outcome != OUTCOME_DONE) {
        return outcome;
    }
    outcome =
        client_run(client, shopper_begin_order(client->shopper, operation, lines, line_count));
    if (outcome == OUTCOME_DONE) {
        render_order(&client->render, local_inventory_state(client->inventory),
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
    bool puts_aside = count > 1 && strcmp(words[1], "--set-aside") == 0;
    enum shopper_step step;
    if (voids) {
        step = shopper_begin_void(client->shopper);
    } else if (puts_aside) {
        step = shopper_begin_set_aside(client->shopper);
    } else if (count == 1) {
        step = shopper_begin_resolve(client->shopper);
    } else {
        return client_usage(client, "resolve: '%s' is neither --void nor --set-aside", words[1]);
    }
    enum outcome outcome = client_run(client, step);
    if (outcome == OUTCOME_DONE) {
        render_order(&client->render, local_inventory_state(client->inventory),
            shopper_result(client->shopper), voids);
    }
    return outcome;
}

static int64_t
now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

enum outcome
action_ping(struct client *client, size_t count, char **words)
{
    (void)count;
    (void)words;
    int64_t begin_us = now_us();
    enum outcome outcome = client_run(client, shopper_begin_ping(client->shopper));
    if (outcome == OUTCOME_DONE) {
        render_ping(&client->render, shopper_result(client->shopper), client->profile.endpoint,
            now_us() - begin_us);
    }
    return outcome;
}
