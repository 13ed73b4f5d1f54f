/** stock: the client for people: a menu, and the commands of stockctl. */
#include "client/client.h"
#include "client/commands.h"
#include "client/interrupt.h"
#include "client/options.h"
#include "client/prompt.h"
#include "client/script.h"
#include "client/words.h"
#include "shared/text.h"

#include <ctype.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const struct program program = {
    .name = "stock",
    .usage = "[OPTION...]",
    .description = "buys from a Stockbus broker, with a menu",
    .examples = "  stock\n"
                "  stock --endpoint tcp://127.0.0.1:5570 --user north\n"
                "  printf 'login north\\ninventory\\n' | stock\n",
};

enum {
    PROMPT_SIZE = 200
};

/* Somebody at a terminal. */
struct visit {
    struct client *client;
    struct prompt *prompt;
};

static const char *
ask(void *context, enum question question, const char *text)
{
    struct visit *visit = context;
    const char *answer = prompt_read(
        visit->prompt, text, question == QUESTION_ITEM ? COMPLETION_ITEM : COMPLETION_NONE);
    if (answer == NULL) {
        putchar('\n');
    }
    return answer;
}

static const struct lookup *
peek_items(void *context)
{
    struct client *client = ((struct visit *)context)->client;
    client_peek_items(client);
    return &client->items;
}

static void
write_faint(const struct client *client, const char *text)
{
    bool colors = client->render.colors_out;
    printf("%s%s%s\n", style_code(colors, STYLE_FAINT), text, style_code(colors, STYLE_PLAIN));
}

static void
write_menu(const struct client *client)
{
    const struct local_state *state = local_inventory_state(client->inventory);
    size_t count;
    const struct command *table = commands_table(&count);
    bool colors = client->render.colors_out;
    printf("\n%sStockbus%s, broker at %s, %s logged in\n\n", style_code(colors, STYLE_HEAD),
        style_code(colors, STYLE_PLAIN), client->profile.endpoint,
        state->is_logged_in ? state->user : "nobody");
    for (size_t i = 0; i < count; i++) {
        if (table[i].number != NULL) {
            printf("  %s  %s\n", table[i].number, table[i].title);
        }
    }
    putchar('\n');
    write_faint(client,
        "Type a number or a command; Enter shows the menu. Tab completes, 'help' lists\n"
        "the commands, 'help buy' explains one.");
}

/* Reminds of the menu, in one line, whoever goes by it. */
static void
write_reminder(const struct client *client)
{
    char text[200] = "";
    size_t used = 0;
    size_t count;
    const struct command *table = commands_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (table[i].number != NULL && used < sizeof text) {
            int size = snprintf(text + used, sizeof text - used, "%s%s %s", i == 0 ? "" : "  ",
                table[i].number, table[i].name);
            used += size > 0 ? (size_t)size : 0;
        }
    }
    putchar('\n');
    write_faint(client, text);
}

/* Says what one may do next. */
static void
write_hint(const struct client *client, const struct command *command, enum outcome outcome,
    bool goes_by_menu)
{
    const struct local_state *state = local_inventory_state(client->inventory);
    const char *hint = NULL;
    if (outcome == OUTCOME_DONE) {
        hint = goes_by_menu && command != NULL ? command->next : NULL;
    } else if (outcome == OUTCOME_LOGGED_OUT) {
        hint = state->is_logged_in ? NULL : "next: 1 logs in, as does 'login USER'";
    } else if (outcome == OUTCOME_UNREACHABLE) {
        hint = client_may_lack_keys(client)
                   ? "next: is the broker running, and at that address? 'wait' tries for longer;\n"
                     "does it encrypt? then it wants --certificate and --broker-key"
                   : "next: is the broker running, and at that address? 'wait' tries for longer";
    }
    if (hint != NULL) {
        write_faint(client, hint);
    }
}

/*
 * Adds `words` in `style` to a prompt, the codes between marks so that they take no columns.
 * libedit wants something to be shown between one such code and the next.
 */
static void
add_styled(char *prompt, size_t size, bool colors, enum style style, const char *words)
{
    size_t used = strlen(prompt);
    const char *mark = colors ? "\1" : "";
    snprintf(prompt + used, size - used, "%s%s%s%s%s", mark, style_code(colors, STYLE_PLAIN),
        style == STYLE_PLAIN ? "" : style_code(colors, style), mark, words);
}

/* Makes the prompt: who is logged in, and what is the matter. */
static void
fill_prompt(const struct client *client, char *text, size_t size)
{
    const struct local_state *state = local_inventory_state(client->inventory);
    bool colors = client->render.colors_out;
    text[0] = '\0';
    add_styled(text, size, colors, state->is_logged_in ? STYLE_GOOD : STYLE_PLAIN,
        state->is_logged_in ? state->user : "stock");
    if (state->pending.exists) {
        add_styled(text, size, colors, STYLE_CARE, " (order pending)");
    }
    if (client->is_away) {
        add_styled(text, size, colors, STYLE_BAD, " (broker away)");
    }
    add_styled(text, size, colors, STYLE_PLAIN, "> ");
}

/* Runs a line, which is taken apart in place. */
static enum outcome
run_line(struct visit *visit, char *line)
{
    static char *words[WORDS_MAX + 1];
    struct diagnostic diagnostic = {""};
    size_t count = 0;
    if (words_split(line, words, WORDS_MAX, &count, &diagnostic) != 0) {
        return client_usage(visit->client, "%s", diagnostic.text);
    }
    if (count == 0 || strcasecmp(words[0], "menu") == 0) {
        write_menu(visit->client);
        return OUTCOME_DONE;
    }
    bool goes_by_menu = isdigit((unsigned char)words[0][0]) != 0;
    const struct command *command = commands_find(words[0]);
    enum outcome outcome = commands_run(visit->client, count, words);
    write_hint(visit->client, command, outcome, goes_by_menu);
    if (goes_by_menu && !visit->client->quits) {
        write_reminder(visit->client);
    }
    return outcome;
}

/* Asks for one line and runs it. Returns false when there are no more. */
static bool
run_next(struct visit *visit, enum outcome *outcome)
{
    char text[PROMPT_SIZE];
    fill_prompt(visit->client, text, sizeof text);
    const char *typed = prompt_read(visit->prompt, text, COMPLETION_COMMAND);
    /* A command may ask for more, and what was typed last is then no longer there. */
    char *line = typed == NULL ? NULL : strdup(typed);
    if (line == NULL) {
        putchar('\n');
        return false;
    }
    *outcome = run_line(visit, line);
    free(line);
    fflush(stdout);
    (void)interrupt_take();
    return true;
}

/* Settles what an earlier visit left open, as far as the broker is there. */
static void
settle(struct client *client)
{
    if (local_inventory_state(client->inventory)->pending.exists) {
        render_note(&client->render, "an order is pending from the last time; settling it");
        char *words[] = {(char[]){"resolve"}, NULL};
        (void)commands_run(client, 1, words);
    }
}

static enum outcome
talk(struct client *client)
{
    struct visit visit = {.client = client};
    char history[FILES_PATH_SIZE + 16];
    struct prompt_uses uses = {
        .program = program.name, .history = history, .items = peek_items, .context = &visit};
    enum outcome result = OUTCOME_DONE;
    snprintf(history, sizeof history, "%s/history", client->profile.state);
    if (prompt_open(&visit.prompt, &uses) != 0) {
        return client_usage(client, "%s", error_text(ERROR_MEMORY));
    }
    client->render.program = NULL;
    client->ask = ask;
    client->confirm = ask;
    client->ask_context = &visit;
    settle(client);
    write_menu(client);
    enum outcome outcome = OUTCOME_DONE;
    while (!client->quits && run_next(&visit, &outcome)) {
        result = outcome == OUTCOME_DAMAGED ? outcome : result;
    }
    prompt_close(&visit.prompt);
    client->ask = NULL;
    client->confirm = NULL;
    client->ask_context = NULL;
    if (result == OUTCOME_DONE && local_inventory_state(client->inventory)->pending.exists) {
        render_note(&client->render, "an order is pending; the next visit settles it");
        result = OUTCOME_UNKNOWN;
    }
    return result;
}

int
main(int argc, char **argv)
{
    struct client client = {0};
    struct options options;
    struct diagnostic diagnostic = {""};

    (void)setlocale(LC_CTYPE, "C.UTF-8");
    (void)setlocale(LC_CTYPE, "");
    enum outcome outcome = options_parse(&options, &program, argc, argv);
    if (outcome != OUTCOME_DONE || options.ends) {
        return (int)outcome;
    }
    render_init(&client.render, program.name, stdout, stderr);
    client.password_file = options.password_file;
    if (options.first < argc) {
        char shown[TEXT_SHOWN_SIZE];
        return (int)client_usage(&client,
            "'%s' is one word too many; stockctl takes a command there",
            text_shorten(argv[options.first], shown));
    }
    if (profile_load(&client.profile, &options.flags, &diagnostic) != 0) {
        return (int)client_usage(&client, "%s", diagnostic.text);
    }
    render_set_colors(&client.render, client.profile.color);
    (void)interrupt_catch();
    (void)signal(SIGPIPE, SIG_IGN); /* a reader that goes away shall not cut a command in two */
    outcome = client_open(&client);
    if (outcome == OUTCOME_DONE) {
        bool somebody = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
        outcome = somebody ? talk(&client) : script_run(&client, stdin, "standard input", true);
    }
    enum outcome closing = client_close(&client);
    return (int)client_flush(&client, outcome == OUTCOME_DONE ? closing : outcome);
}
