#include "client/render.h"

#include "client/render_parts.h"
#include "client/table.h"
#include "shared/certificate.h"
#include "shared/text.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    WIDTH_DEFAULT = 80,
    SENTENCE_SIZE = 512
};

void
render_init(struct render *render, const char *program, FILE *out, FILE *err)
{
    *render = (struct render){.program = program, .out = out, .err = err};
    render->is_terminal = isatty(fileno(out)) == 1;
}

void
render_fini(struct render *render)
{
    free(render->kept);
    render->kept = NULL;
}

void
render_set_colors(struct render *render, enum style_choice choice)
{
    render->colors_out = style_wanted(choice, render->out);
    render->colors_err = style_wanted(choice, render->err);
}

/* Returns the columns of the terminal, or `otherwise`; people change them as they go. */
static unsigned
measure_width(FILE *stream, unsigned otherwise)
{
    struct winsize window = {0};
    bool known = ioctl(fileno(stream), TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
    return known ? window.ws_col : otherwise;
}

/* JSON: an object per answer. */

struct json
render_begin_object(struct render *render, bool ok)
{
    struct json json = {.out = render->out};
    json_begin(&json, '{');
    json_key(&json, "ok");
    json_bool(&json, ok);
    return json;
}

void
render_end_object(struct json *json)
{
    json_end(json, '}');
    fputc('\n', json->out);
    fflush(json->out);
}

static void
add_upc(struct json *json, uint64_t upc)
{
    char text[UPC_TEXT_SIZE];
    upc_format(upc, text);
    json_text_member(json, "upc", text);
}

static void
add_lines(struct json *json, const struct order *order)
{
    json_key(json, "lines");
    json_begin(json, '[');
    for (size_t i = 0; i < order->line_count; i++) {
        json_begin(json, '{');
        add_upc(json, order->lines[i].upc);
        json_uint_member(json, "units", order->lines[i].units);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void
add_order(struct json *json, const struct order *order)
{
    json_uint_member(json, "session", order->session);
    json_uint_member(json, "order", order->number);
    json_text_member(json, "kind", operation_word(order->operation));
    add_lines(json, order);
}

void
render_add_before(
    struct json *json, const struct render *render, const struct shopper_result *result)
{
    const struct shopper_order *before = result->before.exists ? &result->before : render->kept;
    if (before != NULL) {
        json_key(json, "settled");
        json_begin(json, '{');
        json_text_member(json, "status", status_word(before->status));
        add_order(json, &before->order);
        json_end(json, '}');
    }
}

static void
add_items(struct json *json, const struct item *items, size_t count)
{
    json_key(json, "items");
    json_begin(json, '[');
    for (size_t i = 0; i < count; i++) {
        json_begin(json, '{');
        add_upc(json, items[i].upc);
        json_key(json, "name");
        if (items[i].name != NULL) {
            json_text(json, items[i].name);
        } else {
            json_null(json);
        }
        json_uint_member(json, "units", items[i].units);
        json_end(json, '}');
    }
    json_end(json, ']');
}

/* Messages. */

static void
write_message(struct render *render, enum style style, const char *text)
{
    const char *begin = style_code(render->colors_err, style);
    const char *end = style_code(render->colors_err, STYLE_PLAIN);
    char sentence[sizeof render->place + 2 * SENTENCE_SIZE];
    char escaped[TEXT_ESCAPE_SIZE * sizeof sentence];
    unsigned column = 0;
    fflush(render->out);
    fputs(begin, render->err);
    if (render->program != NULL) {
        fprintf(render->err, "%s:%s ", render->program, end);
        column = table_text_width(render->program) + 2;
    }
    snprintf(sentence, sizeof sentence, "%s%s%s", render->place,
        render->place[0] != '\0' ? ": " : "", text);
    text_escape(sentence, escaped, sizeof escaped);
    table_write_wrapped(render->err, escaped, column, measure_width(render->err, UINT_MAX));
    fprintf(render->err, "%s\n", render->program != NULL ? "" : end);
    fflush(render->err);
}

void
render_message(struct render *render, const char *text)
{
    write_message(render, STYLE_BAD, text);
}

void
render_note(struct render *render, const char *text)
{
    if (!render->quiet) {
        write_message(render, STYLE_CARE, text);
    }
}

void
render_failure(struct render *render, const char *word, const char *text)
{
    render_message(render, text);
    if (render->json) {
        struct json json = render_begin_object(render, false);
        json_text_member(&json, "error", word);
        json_text_member(&json, "message", text);
        render_end_object(&json);
    }
}

void
render_ambiguous(struct render *render, const char *command, const char *word,
    const struct item *items, size_t count, size_t total)
{
    char text[SENTENCE_SIZE];
    char shown[TEXT_SHOWN_SIZE];
    snprintf(text, sizeof text, "%s: '%s' may be any of %zu items:", command,
        text_shorten(word, shown), total);
    render_message(render, text);
    for (size_t i = 0; i < count; i++) {
        char upc[UPC_TEXT_SIZE];
        upc_format(items[i].upc, upc);
        fprintf(render->err, "  %s  %s\n", upc, items[i].name);
    }
    if (total > count) {
        fprintf(render->err, "  … and %zu more\n", total - count);
    }
    if (render->json) {
        struct json json = render_begin_object(render, false);
        json_text_member(&json, "error", "ambiguous_item");
        json_text_member(&json, "message", text);
        add_items(&json, items, count);
        render_end_object(&json);
    }
}

void
render_refusal(struct render *render, const struct shopper_result *result)
{
    const struct reply *reply = &result->reply;
    render_before(render, &result->before);
    render_message(render, result->message.text);
    if (!render->json) {
        return;
    }
    struct json json = render_begin_object(render, false);
    json_text_member(&json, "error", result->error);
    json_text_member(&json, "message", result->message.text);
    if (reply->status == STATUS_INSUFFICIENT_STOCK || reply->status == STATUS_UNKNOWN_ITEM) {
        add_upc(&json, reply->upc);
    }
    if (reply->status == STATUS_INSUFFICIENT_STOCK) {
        json_uint_member(&json, "available", reply->available);
    }
    if (result->order.exists) {
        add_order(&json, &result->order.order);
    }
    render_add_before(&json, render, result);
    render_end_object(&json);
}

/* Writes the lines of an order as "3 of 036000291452, 1 of 012345678905". */
static void
describe_lines(const struct order *order, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < order->line_count && used < size; i++) {
        char upc[UPC_TEXT_SIZE];
        upc_format(order->lines[i].upc, upc);
        int put = snprintf(text + used, size - used, "%s%" PRIu64 " of %s", i == 0 ? "" : ", ",
            order->lines[i].units, upc);
        used += put > 0 ? (size_t)put : 0;
        if (i == 3 && order->line_count > 4) {
            snprintf(text + used, used < size ? size - used : 0, ", …");
            return;
        }
    }
}

void
render_before(struct render *render, const struct shopper_order *before)
{
    char lines[SENTENCE_SIZE / 2];
    char text[SENTENCE_SIZE];
    if (!before->exists) {
        return;
    }
    describe_lines(&before->order, lines, sizeof lines);
    snprintf(text, sizeof text,
        "order %" PRIu64 " of session %" PRIu64 ", which was pending, %s%s (%s %s)",
        before->order.number, before->order.session,
        before->status == STATUS_OK ? "was made" : "was not made: ",
        before->status == STATUS_OK ? "" : status_text(before->status),
        operation_word(before->order.operation), lines);
    render_note(render, text);
}

void
render_keep_before(struct render *render, const struct shopper_order *before)
{
    render_fini(render);
    if (before != NULL && before->exists) {
        render_before(render, before);
        render->kept = malloc(sizeof *render->kept);
        if (render->kept != NULL) {
            *render->kept = *before;
        }
    }
}

/* Answers. */

static void
write_table(struct render *render, const struct item *items, size_t count)
{
    struct table table = {.out = render->out,
        .is_aligned = render->is_terminal,
        .is_colored = render->colors_out,
        .width = measure_width(render->out, WIDTH_DEFAULT)};
    table_write(&table, items, count);
    fflush(render->out);
}

void
render_inventory(struct render *render, const struct shopper_result *result)
{
    render_before(render, &result->before);
    if (!render->json) {
        write_table(render, result->items, result->item_count);
        return;
    }
    struct json json = render_begin_object(render, true);
    add_items(&json, result->items, result->item_count);
    render_add_before(&json, render, result);
    render_end_object(&json);
}

/* Returns the items of `user` with their names, on the heap; NULL: there are none, or no memory. */
static struct item *
list_held(const struct local_state *state, const char *user, size_t *count)
{
    const struct holder *holder = user == NULL ? NULL : local_state_find_holder(state, user);
    *count = 0;
    if (holder == NULL) {
        return NULL;
    }
    struct item *items = calloc(holder->count, sizeof *items);
    for (size_t i = 0; items != NULL && i < holder->count; i++) {
        const struct line *line = &holder->lines[i];
        items[(*count)++] = (struct item){.upc = line->upc,
            .units = line->units,
            .name = local_state_find_name(state, line->upc)};
    }
    return items;
}

static void
write_local_json(struct render *render, const struct local_state *state, const char *user,
    const struct item *items, size_t count)
{
    struct json json = render_begin_object(render, true);
    json_key(&json, "user");
    if (user != NULL) {
        json_text(&json, user);
    } else {
        json_null(&json);
    }
    json_key(&json, "logged_in");
    json_bool(&json, state->is_logged_in && user != NULL && strcmp(user, state->user) == 0);
    add_items(&json, items, count);
    json_key(&json, "pending");
    if (state->pending.exists) {
        json_begin(&json, '{');
        json_text_member(&json, "user", state->pending.order.user);
        add_order(&json, &state->pending.order);
        json_end(&json, '}');
    } else {
        json_null(&json);
    }
    json_key(&json, "set_aside");
    json_begin(&json, '[');
    for (size_t i = 0; i < state->aside_count; i++) {
        json_begin(&json, '{');
        json_text_member(&json, "user", state->asides[i].order.user);
        json_text_member(&json, "status", status_word(state->asides[i].status));
        add_order(&json, &state->asides[i].order);
        json_end(&json, '}');
    }
    json_end(&json, ']');
    render_end_object(&json);
}

/* Notes an order that is neither made nor refused. */
static void
note_open(struct render *render, const struct order *order, const char *what)
{
    char lines[SENTENCE_SIZE / 2];
    char text[SENTENCE_SIZE];
    describe_lines(order, lines, sizeof lines);
    snprintf(text, sizeof text, "order %" PRIu64 " of session %" PRIu64 " of %s (%s %s) %s",
        order->number, order->session, order->user, operation_word(order->operation), lines, what);
    render_note(render, text);
}

void
render_local(struct render *render, const struct local_state *state, const char *user)
{
    size_t count;
    struct item *items = list_held(state, user, &count);
    if (render->json) {
        write_local_json(render, state, user, items, count);
    } else if (count > 0) {
        write_table(render, items, count);
    } else {
        char text[SENTENCE_SIZE];
        snprintf(text, sizeof text, "%s%s", user != NULL ? user : "nobody has ever logged in here",
            user != NULL ? " has nothing in the local inventory" : "");
        render_note(render, text);
    }
    free(items);
    if (state->pending.exists) {
        note_open(render, &state->pending.order, "is pending; 'resolve' settles it");
    }
    for (size_t i = 0; i < state->aside_count; i++) {
        note_open(render, &state->asides[i].order,
            "was set aside; the broker's operator may know whether it was made");
    }
}

/* Writes a line of an order that was made. */
static void
confirm_line(struct render *render, const struct local_state *state, const struct lookup *items,
    const struct order *order, const struct line *line)
{
    char upc[UPC_TEXT_SIZE];
    const char *name = lookup_name(items, line->upc);
    if (name == NULL) {
        name = local_state_find_name(state, line->upc);
    }
    upc_format(line->upc, upc);
    fprintf(render->out, "%s %" PRIu64 " of %s%s%s (order %" PRIu64 ")\n",
        order->operation == OPERATION_BUY ? "bought" : "added", line->units, upc,
        name != NULL ? " " : "", name != NULL ? name : "", order->number);
}

static void
confirm_order(struct render *render, const struct local_state *state, const struct lookup *items,
    const struct shopper_order *order, bool voided)
{
    if (!order->exists) {
        fputs("no order is pending\n", render->out);
    } else if (order->status == STATUS_OK) {
        if (voided) {
            fputs("too late to give it up, the order was made already:\n", render->out);
        }
        for (size_t i = 0; i < order->order.line_count; i++) {
            confirm_line(render, state, items, &order->order, &order->order.lines[i]);
        }
    } else if (voided) {
        fprintf(render->out, "order %" PRIu64 " was given up: %s\n", order->order.number,
            status_text(order->status));
    } else {
        fprintf(render->out, "order %" PRIu64 " was set aside; log in again to go on\n",
            order->order.number);
    }
}

void
render_order(struct render *render, const struct local_state *state, const struct lookup *items,
    const struct shopper_result *result, bool voided)
{
    const struct shopper_order *order = &result->order;
    render_before(render, &result->before);
    if (!render->json) {
        if (!render->quiet) {
            confirm_order(render, state, items, order, voided);
            fflush(render->out);
        }
        return;
    }
    struct json json = render_begin_object(render, true);
    if (order->exists) {
        json_text_member(&json, "status", status_word(order->status));
        add_order(&json, &order->order);
    } else {
        json_key(&json, "order");
        json_null(&json);
    }
    render_add_before(&json, render, result);
    render_end_object(&json);
}

/* Writes a confirmation that says one thing of one user. */
static void
confirm_user(struct render *render, const struct shopper_result *result, const char *text,
    const char *user, uint64_t session)
{
    render_before(render, &result->before);
    if (!render->json) {
        if (!render->quiet) {
            fprintf(render->out, "%s %s\n", user, text);
            fflush(render->out);
        }
        return;
    }
    struct json json = render_begin_object(render, true);
    json_text_member(&json, "user", user);
    if (session != 0) {
        json_uint_member(&json, "session", session);
    }
    render_add_before(&json, render, result);
    render_end_object(&json);
}

void
render_login(
    struct render *render, const struct shopper_result *result, const struct local_state *state)
{
    confirm_user(render, result, "is logged in", state->user, state->session);
}

void
render_logout(struct render *render, const struct shopper_result *result, const char *user)
{
    confirm_user(render, result, "is logged out", user, 0);
}

void
render_ping(struct render *render, const struct shopper_result *result, const char *endpoint,
    int64_t microseconds)
{
    if (!render->json) {
        fprintf(render->out, "%s answers after %.1f ms\n", endpoint, (double)microseconds / 1000);
        fflush(render->out);
        return;
    }
    struct json json = render_begin_object(render, true);
    char history[2 * HISTORY_SIZE + 1];
    for (size_t i = 0; i < HISTORY_SIZE; i++) {
        snprintf(&history[2 * i], 3, "%02x", result->reply.history[i]);
    }
    json_text_member(&json, "endpoint", endpoint);
    json_uint_member(&json, "microseconds", (uint64_t)microseconds);
    json_text_member(&json, "history", history);
    json_uint_member(&json, "position", result->reply.position);
    render_end_object(&json);
}

void
render_keygen(struct render *render, const char *path, const char *key)
{
    if (!render->json) {
        fprintf(render->out,
            "wrote %s, for the broker, and %s" CERTIFICATE_SECRET_SUFFIX ", which stays here\n"
            "public key: %s\n",
            path, path, key);
        fflush(render->out);
        render_note(render,
            "next: put the first into the folder that 'clients' under 'curve' names "
            "in broker.conf, and send stockd SIGHUP");
        return;
    }
    char secret[FILES_PATH_SIZE];
    snprintf(secret, sizeof secret, "%s" CERTIFICATE_SECRET_SUFFIX, path);
    struct json json = render_begin_object(render, true);
    json_text_member(&json, "certificate", path);
    json_text_member(&json, "secret", secret);
    json_text_member(&json, "key", key);
    render_end_object(&json);
}

static void
write_config_json(struct render *render, const struct profile *profile)
{
    static const char *const origins[] = {[ORIGIN_DEFAULT] = "default",
        [ORIGIN_FILE] = "file",
        [ORIGIN_ENVIRONMENT] = "environment",
        [ORIGIN_FLAG] = "flag"};
    struct json json = render_begin_object(render, true);
    json_key(&json, "file");
    if (profile->file[0] != '\0') {
        json_text(&json, profile->file);
    } else {
        json_null(&json);
    }
    json_key(&json, "settings");
    json_begin(&json, '[');
    for (int i = 0; i < PROFILE_COUNT; i++) {
        struct profile_setting setting;
        profile_describe(profile, (enum profile_key)i, &setting);
        json_begin(&json, '{');
        json_text_member(&json, "key", setting.key);
        json_text_member(&json, "value", setting.value);
        json_text_member(&json, "from", origins[setting.origin]);
        json_text_member(&json, "source", setting.source);
        json_end(&json, '}');
    }
    json_end(&json, ']');
    render_end_object(&json);
}

void
render_config(struct render *render, const struct profile *profile)
{
    if (render->json) {
        write_config_json(render, profile);
        return;
    }
    for (int i = 0; i < PROFILE_COUNT; i++) {
        struct profile_setting setting;
        profile_describe(profile, (enum profile_key)i, &setting);
        const char *source = setting.origin == ORIGIN_DEFAULT ? "default" : setting.source;
        if (render->is_terminal) {
            fprintf(render->out, "%-17s %-36s %s%s%s\n", setting.key, setting.value,
                style_code(render->colors_out, STYLE_FAINT), source,
                style_code(render->colors_out, STYLE_PLAIN));
        } else {
            fprintf(render->out, "%s\t%s\t%s\n", setting.key, setting.value, source);
        }
    }
    fflush(render->out);
}
