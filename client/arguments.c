#include "client/arguments.h"

#include "shared/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    CANDIDATES_MAX = 10, /* of an ambiguous name that are shown */
    QUESTION_SIZE = 400
};

const char *
arguments_ask(struct client *client, enum question question, const char *text)
{
    const char *answer = client->ask(client->ask_context, question, text);
    return answer != NULL && answer[0] != '\0' ? answer : NULL;
}

/* Items. */

/* Sees that the broker's items are known as they are now. */
static enum outcome
load_items(struct client *client)
{
    if (client->items_are_fresh) {
        return OUTCOME_DONE;
    }
    enum outcome outcome = client_run(client, shopper_begin_view(client->shopper, NULL, 0));
    if (outcome != OUTCOME_DONE) {
        return outcome;
    }
    render_keep_before(&client->render, &shopper_result(client->shopper)->before);
    client_keep_items(client);
    return OUTCOME_DONE;
}

static enum outcome
find_item(struct client *client, const char *command, const char *word, uint64_t *upc)
{
    size_t found[CANDIDATES_MAX];
    enum outcome outcome = load_items(client);
    if (outcome != OUTCOME_DONE) {
        return outcome;
    }
    size_t count = lookup_find(&client->items, word, found, CANDIDATES_MAX);
    if (count == 1) {
        *upc = client->items.items[found[0]].upc;
        return OUTCOME_DONE;
    }
    if (count == 0) {
        char text[QUESTION_SIZE];
        char shown[TEXT_SHOWN_SIZE];
        snprintf(text, sizeof text, "%s: there is no item called '%s'", command,
            text_shorten(word, shown));
        render_failure(&client->render, status_word(STATUS_UNKNOWN_ITEM), text);
        return OUTCOME_REFUSED;
    }
    struct item candidates[CANDIDATES_MAX];
    for (size_t i = 0; i < count && i < CANDIDATES_MAX; i++) {
        candidates[i] = client->items.items[found[i]];
    }
    render_ambiguous(&client->render, command, word, candidates,
        count < CANDIDATES_MAX ? count : CANDIDATES_MAX, count);
    return OUTCOME_USAGE;
}

enum outcome
arguments_take_item(struct client *client, const char *command, const char *word, uint64_t *upc)
{
    if (upc_parse(word, upc)) {
        return OUTCOME_DONE;
    }
    if (word[0] == '\0') {
        return client_usage(
            client, "%s: an item is called by its UPC or its name, not by ''", command);
    }
    char shown[TEXT_SHOWN_SIZE];
    text_shorten(word, shown);
    /* Nobody means a name by digits alone: it is a UPC with a slip. */
    if (word[strspn(word, "0123456789")] == '\0') {
        char meant[QUESTION_SIZE] = "";
        if (client->shopper != NULL) {
            client_suggest(client, word, meant, sizeof meant);
        }
        return client_usage(client, "%s: '%s' is no UPC, which is twelve digits%s%s", command,
            shown, meant[0] != '\0' ? "; " : "", meant);
    }
    if (client->shopper == NULL) {
        return client_usage(client, "%s: '%s' is no UPC", command, shown);
    }
    return find_item(client, command, word, upc);
}

/* Units and lines. */

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
take_units(struct client *client, const char *command, const char *word, uint64_t *units)
{
    if (parse_units(word, units)) {
        return OUTCOME_DONE;
    }
    char shown[TEXT_SHOWN_SIZE];
    bool is_number = word[strspn(word, "-+.,0123456789")] == '\0';
    return client_usage(client, "%s: '%s' is no number of units from 1 to %d%s", command,
        text_shorten(word, shown), UNITS_MAX,
        is_number ? "" : "; a name of several words stands in double quotes");
}

static enum outcome
take_pairs(struct client *client, const char *command, size_t count, char **words,
    struct line *lines, size_t *line_count)
{
    if (count % 2 == 0) {
        char shown[TEXT_SHOWN_SIZE];
        return client_usage(client,
            "%s: how many units of '%s'? (a name of several words stands in double quotes)",
            command, text_shorten(words[count - 1], shown));
    }
    enum outcome outcome = OUTCOME_DONE;
    /* Units first: they can be told wrong without asking the broker for the names. */
    for (size_t i = 1; outcome == OUTCOME_DONE && i < count; i += 2) {
        outcome = take_units(client, command, words[i + 1], &lines[i / 2].units);
    }
    for (size_t i = 1; outcome == OUTCOME_DONE && i < count; i += 2) {
        outcome = arguments_take_item(client, command, words[i], &lines[i / 2].upc);
    }
    *line_count = count / 2;
    return outcome;
}

/* Is it worth asking once more after this? */
static bool
is_slip(enum outcome outcome)
{
    return outcome == OUTCOME_USAGE || outcome == OUTCOME_REFUSED;
}

/* Asks how many units of an item. Returns false when there is no answer. */
static bool
ask_units(struct client *client, const char *command, struct line *line)
{
    char question[QUESTION_SIZE];
    const char *name = client_item_name(client, line->upc);
    snprintf(question, sizeof question, "units%s%s: ", name != NULL ? " of " : "",
        name != NULL ? name : "");
    const char *word;
    do {
        word = arguments_ask(client, QUESTION_WORD, question);
    } while (word != NULL && take_units(client, command, word, &line->units) != OUTCOME_DONE);
    return word != NULL;
}

/*
 * Asks for lines until an empty answer. A wrong answer is told and asked for again; without any, as
 * at the end of the input or after Ctrl-C, there is no line at all.
 */
static enum outcome
ask_lines(struct client *client, const char *command, struct line *lines, size_t *line_count)
{
    *line_count = 0;
    while (*line_count < ORDER_LINES_MAX) {
        char copy[QUESTION_SIZE];
        const char *word = client->ask(client->ask_context, QUESTION_ITEM,
            *line_count == 0 ? "item (UPC or name; empty: none): "
                             : "another item (empty: that is all): ");
        if (word == NULL) {
            *line_count = 0;
        }
        if (word == NULL || word[0] == '\0') {
            return OUTCOME_DONE;
        }
        snprintf(copy, sizeof copy, "%s", word);
        struct line *line = &lines[*line_count];
        enum outcome outcome = arguments_take_item(client, command, copy, &line->upc);
        if (is_slip(outcome)) {
            continue;
        }
        if (outcome != OUTCOME_DONE) {
            return outcome;
        }
        if (!ask_units(client, command, line)) {
            *line_count = 0;
            return OUTCOME_DONE;
        }
        (*line_count)++;
    }
    return OUTCOME_DONE;
}

enum outcome
arguments_take_lines(struct client *client, const char *command, size_t count, char **words,
    struct line *lines, size_t *line_count)
{
    return count > 1 ? take_pairs(client, command, count, words, lines, line_count)
                     : ask_lines(client, command, lines, line_count);
}

/* Confirmation. */

enum outcome
arguments_confirm(
    struct client *client, const char *command, const struct line *lines, size_t line_count)
{
    char question[QUESTION_SIZE];
    uint64_t units = 0;
    uint64_t limit = client->profile.confirm_units;
    for (size_t i = 0; i < line_count; i++) {
        units += lines[i].units;
    }
    if (client->confirm == NULL || client->in_script || limit == 0 || units <= limit) {
        return OUTCOME_DONE;
    }
    char upc[UPC_TEXT_SIZE];
    upc_format(lines[0].upc, upc);
    const char *name = client_item_name(client, lines[0].upc);
    if (line_count == 1) {
        snprintf(question, sizeof question, "%s %" PRIu64 " units of %s%s%s? [y/N] ", command,
            units, upc, name != NULL ? " " : "", name != NULL ? name : "");
    } else {
        snprintf(question, sizeof question, "%s %" PRIu64 " units of %zu items? [y/N] ", command,
            units, line_count);
    }
    const char *answer = client->confirm(client->ask_context, QUESTION_WORD, question);
    if (answer != NULL && (answer[0] == 'y' || answer[0] == 'Y')) {
        return OUTCOME_DONE;
    }
    return client_usage(client, "%s: not confirmed, nothing was ordered", command);
}
