/** stock: the client for people: a menu, and the commands of stockctl. */
#include "client/client.h"
#include "client/commands.h"
#include "client/interrupt.h"
#include "client/options.h"
#include "client/prompt.h"
#include "client/script.h"
#include "client/words.h"

#include <ctype.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct program program = {
    .name = "stock",
    .usage = "[OPTION...]",
    .description = "buys from a Stockbus broker, with a menu",
    .examples = "  stock\n"
                "  stock --endpoint tcp://127.0.0.1:5570 --user north\n"
                "  printf 'login north\\ninventory\\n' | stock\n",
};

/* Somebody at a terminal. */
struct visit {
    struct client *client;
    struct prompt *prompt;
};

static const char *
ask(void *context, const char *question)
{
    struct visit *visit = context;
    const char *answer = prompt_read(visit->prompt, question, false);
    if (answer == NULL) {
        putchar('\n');
    }
    return answer;
}

static void
write_menu(const struct client *client)
{
    const struct local_state *state = local_inventory_state(client->inventory);
    size_t count;
    const struct command *table = commands_table(&count);
    printf("\nStockbus, broker at %s, %s%s\n\n", client->profile.endpoint,
        state->is_logged_in ? state->user : "nobody", " logged in");
    for (size_t i = 0; i < count; i++) {
        if (table[i].number != NULL) {
            printf("  %s  %s\n", table[i].number, table[i].title);
        }
    }
    printf("\nType a number or a command; 'help' lists the commands, Enter shows the menu.\n");
}

/* Reminds of the menu, in one line, whoever goes by it. */
static void
write_hint(void)
{
    size_t count;
    const struct command *table = commands_table(&count);
    putchar('\n');
    for (size_t i = 0; i < count; i++) {
        if (table[i].number != NULL) {
            printf("%s%s %s", i == 0 ? "" : "  ", table[i].number, table[i].title);
        }
    }
    putchar('\n');
}

static void
fill_prompt(const struct client *client, char *text, size_t size)
{
    const struct local_state *state = local_inventory_state(client->inventory);
    snprintf(text, size, "%s%s> ", state->is_logged_in ? state->user : "stock",
        state->pending.exists ? " (order pending)" : "");
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
    if (count == 0 || strcmp(words[0], "menu") == 0) {
        write_menu(visit->client);
        return OUTCOME_DONE;
    }
    enum outcome outcome = commands_run(visit->client, count, words);
    if (isdigit((unsigned char)words[0][0]) && !visit->client->quits) {
        write_hint();
    }
    return outcome;
}

/* Asks for one line and runs it. Returns false when there are no more. */
static bool
run_next(struct visit *visit, enum outcome *outcome)
{
    char text[USER_SIZE_MAX + 32];
    fill_prompt(visit->client, text, sizeof text);
    const char *typed = prompt_read(visit->prompt, text, true);
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
    char *words[] = {(char[]){"resolve"}, NULL};
    if (local_inventory_state(client->inventory)->pending.exists) {
        render_note(&client->render, "an order is pending from the last time; settling it");
        (void)commands_run(client, 1, words);
    }
}

static enum outcome
talk(struct client *client)
{
    struct visit visit = {.client = client};
    enum outcome result = OUTCOME_DONE;
    if (prompt_open(&visit.prompt, program.name) != 0) {
        return client_usage(client, "%s", error_text(ERROR_MEMORY));
    }
    client->ask = ask;
    client->ask_context = &visit;
    settle(client);
    write_menu(client);
    enum outcome outcome = OUTCOME_DONE;
    while (!client->quits && run_next(&visit, &outcome)) {
        result = outcome == OUTCOME_DAMAGED ? outcome : result;
    }
    prompt_close(&visit.prompt);
    return result;
}

int
main(int argc, char **argv)
{
    struct client client = {0};
    struct options options;
    struct diagnostic diagnostic = {""};

    setlocale(LC_CTYPE, "C.UTF-8");
    setlocale(LC_CTYPE, "");
    enum outcome outcome = options_parse(&options, &program, argc, argv);
    if (outcome != OUTCOME_DONE || options.ends) {
        return (int)outcome;
    }
    render_init(&client.render, program.name, stdout, stderr);
    client.password_file = options.password_file;
    if (options.first < argc) {
        return (int)client_usage(&client,
            "'%s' is one word too many; stockctl takes a command there", argv[options.first]);
    }
    if (profile_load(&client.profile, &options.flags, &diagnostic) != 0) {
        return (int)client_usage(&client, "%s", diagnostic.text);
    }
    (void)interrupt_catch();
    outcome = client_open(&client);
    if (outcome == OUTCOME_DONE) {
        bool somebody = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
        outcome = somebody ? talk(&client) : script_run(&client, stdin, "standard input", true);
    }
    enum outcome closing = client_close(&client);
    return (int)(outcome == OUTCOME_DONE ? closing : outcome);
}
