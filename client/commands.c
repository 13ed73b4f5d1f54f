#include "client/commands.h"

#include "client/actions.h"
#include "client/options.h"
#include "client/script.h"

#include <string.h>
#include <strings.h>

#include "shared/text.h"
#include "shared/usage.h"

static enum outcome
action_help(struct client *client, size_t count, char **words);

static const struct command table[] = {
    {
        .name = "login",
        .number = "1",
        .title = "log in",
        .arguments = "[USER] [--password-file FILE]",
        .summary = "log in",
        .help = "Logs USER in at the broker; without USER, the one of --user, STOCK_USER or\n"
                "the configuration file. The password is the first line of the file named by\n"
                "--password-file, which nobody but its owner may read, or STOCK_PASSWORD, or\n"
                "is asked for on the terminal. Whoever was logged in before is logged out\n"
                "first.",
        .examples = "login north\n"
                    "login north --password-file north.password",
        .words_max = 3,
        .asks = true,
        .needs_state = true,
        .next = "next: 2 shows what there is to buy",
        .run = action_login,
    },
    {
        .name = "inventory",
        .number = "2",
        .title = "view server inventory",
        .arguments = "[ITEM...]",
        .summary = "view the server inventory",
        .help = "Shows the items that the broker has and how many units of each, or only those\n"
                "named. ITEM is a UPC, twelve digits, or the item's name or a part of it that\n"
                "no other item has.",
        .examples = "inventory\n"
                    "inventory 036000291452 cola\n"
                    "inventory \"green tea\"",
        .words_max = ORDER_LINES_MAX,
        .needs_state = true,
        .next = "next: 4 buys, as does 'buy ITEM UNITS'",
        .run = action_inventory,
    },
    {
        .name = "local",
        .number = "3",
        .title = "view local inventory",
        .arguments = "",
        .summary = "view what you have bought",
        .help = "Shows what was bought with this state directory, and the order that is\n"
                "pending, if there is one. Needs no broker.",
        .examples = "local",
        .needs_state = true,
        .run = action_local,
    },
    {
        .name = "buy",
        .number = "4",
        .title = "purchase",
        .arguments = "ITEM UNITS [ITEM UNITS]...",
        .summary = "buy units of one or more items",
        .help = "Buys UNITS of ITEM: a UPC, twelve digits, or the item's name or a part of it\n"
                "that no other item has, in double quotes if it has several words. With more\n"
                "than one item, either all of them are bought or none. On a terminal, orders\n"
                "of more units than confirm_units in the configuration file (100) are asked\n"
                "about first.",
        .examples = "buy 036000291452 3\n"
                    "buy cola 12 \"tomato soup\" 2",
        .words_min = 2,
        .words_max = WORDS_MAX - 1,
        .asks = true,
        .needs_state = true,
        .next = "next: 3 shows what you have bought",
        .run = action_buy,
    },
    {
        .name = "restock",
        .arguments = "ITEM UNITS [ITEM UNITS]...",
        .summary = "add units to the broker's stock",
        .help = "Adds UNITS to the broker's stock of ITEM: a UPC or a name, as for buy. Only\n"
                "some users may.",
        .examples = "restock 036000291452 50\n"
                    "restock spaghetti 20",
        .words_min = 2,
        .words_max = WORDS_MAX - 1,
        .asks = true,
        .needs_state = true,
        .run = action_restock,
    },
    {
        .name = "resolve",
        .arguments = "[--void | --set-aside]",
        .summary = "settle the order that is pending",
        .help = "Asks the broker what became of an order that got no answer, by sending it\n"
                "again: it is never made twice. Every other command but ping does so first,\n"
                "too. With --void the order is given up, unless it was made already. If the\n"
                "broker can no longer tell, --set-aside takes the order out of the way;\n"
                "'local' goes on to show it.",
        .examples = "resolve\n"
                    "resolve --void",
        .words_max = 1,
        .needs_state = true,
        .run = action_resolve,
    },
    {
        .name = "logout",
        .number = "5",
        .title = "log out",
        .arguments = "",
        .summary = "log out",
        .help = "Ends the session at the broker. The local inventory stays.",
        .examples = "logout",
        .needs_state = true,
        .next = "next: 1 logs in again, 0 quits",
        .run = action_logout,
    },
    {
        .name = "ping",
        .arguments = "",
        .summary = "see whether the broker answers",
        .help = "Asks the broker for nothing but an answer. Needs no login.",
        .examples = "ping",
        .needs_state = true,
        .run = action_ping,
    },
    {
        .name = "wait",
        .arguments = "[--timeout MS]",
        .summary = "wait until the broker serves",
        .help = "Waits until the broker answers, for as long as --timeout says, here or before\n"
                "the command. Needs no login.",
        .examples = "wait\n"
                    "wait --timeout 30000",
        .words_max = 2,
        .needs_state = true,
        .run = action_wait,
    },
    {
        .name = "stats",
        .arguments = "",
        .summary = "see how the broker fares",
        .help = "Shows what the broker has counted since it began to serve: requests by kind\n"
                "and outcome, how many it answers in a turn, how many changes one sync to the\n"
                "disk covers and how long that takes; and what it has open. P50 and P99 are\n"
                "what 50 and 99 % do not exceed, and less than twice too high.",
        .examples = "stats",
        .needs_state = true,
        .run = action_stats,
    },
    {
        .name = "config",
        .arguments = "",
        .summary = "show settings and their origin",
        .help = "Shows each setting, its value, and whether that was found as a flag, in the\n"
                "environment, in the configuration file, or is the default.",
        .examples = "config",
        .run = action_config,
    },
    {
        .name = "keygen",
        .arguments = "[FILE]",
        .summary = "make this client's certificate",
        .help = "Makes a certificate, for a broker that encrypts: FILE, client.cert if none is\n"
                "named, has the public key and is for the broker; FILE_secret has both and\n"
                "stays here. Files that are there already are left alone.",
        .examples = "keygen\n"
                    "keygen shop.cert",
        .words_max = 1,
        .run = action_keygen,
    },
    {
        .name = "run",
        .arguments = "[--keep-going] FILE",
        .summary = "run commands from a file",
        .help = "Runs the commands in FILE, or in standard input if that is '-': one a line,\n"
                "'#' begins a comment, double quotes hold a word together. Stops at the first\n"
                "that fails, with its exit status; with --keep-going runs them all, and ends\n"
                "with the exit status of the last that failed.",
        .examples = "run orders.txt\n"
                    "run --keep-going -",
        .words_min = 1,
        .words_max = 2,
        .needs_state = true,
        .run = action_run,
    },
    {
        .name = "help",
        .arguments = "[COMMAND]",
        .summary = "explain the commands, or one",
        .help = "Lists the commands, or explains one.",
        .examples = "help buy",
        .words_max = 1,
        .run = action_help,
    },
    {
        .name = "quit",
        .number = "0",
        .title = "quit",
        .arguments = "",
        .summary = "end the program, or the script",
        .help = "Ends. The login and the local inventory are there again the next time.",
        .examples = "quit",
        .run = action_quit,
    },
};

enum {
    TABLE_COUNT = sizeof table / sizeof table[0],
    DISTANCE_MAX = 2
};

const struct command *
commands_table(size_t *count)
{
    *count = TABLE_COUNT;
    return table;
}

const struct command *
commands_find(const char *word)
{
    /* What other programs have made a habit. */
    if (strcasecmp(word, "q") == 0 || strcasecmp(word, "exit") == 0) {
        word = "quit";
    } else if (strcmp(word, "?") == 0) {
        word = "help";
    }
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (strcasecmp(word, table[i].name) == 0 ||
            (table[i].number != NULL && strcmp(word, table[i].number) == 0)) {
            return &table[i];
        }
    }
    return NULL;
}

const struct command *
commands_nearest(const char *word)
{
    static const struct {
        const char *word;
        const char *name;
    } others[] = {{"purchase", "buy"}, {"order", "buy"}, {"view", "inventory"}, {"void", "resolve"},
        {"list", "inventory"}, {"server", "inventory"}, {"log", "login"}, {"bye", "quit"}};
    const struct command *nearest = NULL;
    size_t distance_least = DISTANCE_MAX + 1;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcasecmp(word, others[i].word) == 0) {
            return commands_find(others[i].name);
        }
    }
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        size_t size = strlen(word);
        size_t distance = usage_distance(word, table[i].name);
        if (size >= 3 && strncasecmp(word, table[i].name, size) == 0) {
            distance = 1;
        }
        if (distance < distance_least && distance < strlen(table[i].name)) {
            distance_least = distance;
            nearest = &table[i];
        }
    }
    return nearest;
}

static enum outcome
unknown(struct client *client, const char *word)
{
    char shown[TEXT_SHOWN_SIZE];
    const struct command *nearest = commands_nearest(word);
    text_shorten(word, shown);
    return nearest != NULL ? client_usage(client, "'%s' is no command; did you mean '%s'?", shown,
                                 nearest->name)
                           : client_usage(client, "'%s' is no command; 'help' lists them", shown);
}

/* Where programs read the answers, people read the messages. */
static FILE *
help_stream(const struct client *client)
{
    return client->render.json ? client->render.err : client->render.out;
}

static enum outcome
explain(struct client *client, const struct command *command)
{
    commands_write_help(help_stream(client), command);
    return OUTCOME_DONE;
}

/* Returns the option of the programs, and not of `command`, that `word` is, or NULL. */
static const struct option_entry *
find_misplaced(const struct command *command, const char *word)
{
    size_t count;
    const struct option_entry *options = options_table(&count);
    size_t size = strcspn(word, "=");
    for (size_t i = 0; i < count && strncmp(word, "--", 2) == 0; i++) {
        if (strlen(options[i].name) == size - 2 &&
            strncmp(&word[2], options[i].name, size - 2) == 0 &&
            strstr(command->arguments, options[i].name) == NULL) {
            return &options[i];
        }
    }
    return NULL;
}

/* Sees that no option of the programs stands among the arguments. */
static enum outcome
check_options(struct client *client, const struct command *command, size_t count, char **words)
{
    for (size_t i = 1; i < count; i++) {
        const struct option_entry *option = find_misplaced(command, words[i]);
        if (option != NULL) {
            const char *argument = option->argument;
            return client_usage(client,
                "%s: options stand before the command: stockctl --%s%s%s %s", command->name,
                option->name, argument != NULL ? " " : "", argument != NULL ? argument : "",
                command->name);
        }
    }
    return OUTCOME_DONE;
}

enum outcome
commands_run(struct client *client, size_t count, char **words)
{
    const struct command *command = commands_find(words[0]);
    if (command == NULL) {
        return unknown(client, words[0]);
    }
    const char *last = words[count - 1];
    if (count > 1 && (strcmp(last, "--help") == 0 || strcmp(last, "-h") == 0)) {
        return explain(client, command);
    }
    if (check_options(client, command, count, words) != OUTCOME_DONE) {
        return OUTCOME_USAGE;
    }
    client->items_are_fresh = false;
    render_keep_before(&client->render, NULL);
    bool asks = count == 1 && command->asks && client->ask != NULL;
    if (count - 1 > command->words_max || (count - 1 < command->words_min && !asks)) {
        return client_usage(client, "%s: too %s arguments; usage: %s%s%s", command->name,
            count - 1 > command->words_max ? "many" : "few", command->name,
            command->arguments[0] != '\0' ? " " : "", command->arguments);
    }
    return command->run(client, count, words);
}

void
commands_write_list(FILE *out)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        char usage[64];
        snprintf(usage, sizeof usage, "%s %s", table[i].name, table[i].arguments);
        fprintf(out, "  %-40s %s\n", usage, table[i].summary);
    }
}

void
commands_write_help(FILE *out, const struct command *command)
{
    fprintf(out, "%s%s%s\n\n%s\n\nExamples:\n", command->name,
        command->arguments[0] != '\0' ? " " : "", command->arguments, command->help);
    for (const char *rest = command->examples; *rest != '\0';) {
        size_t size = strcspn(rest, "\n");
        fprintf(out, "  %.*s\n", (int)size, rest);
        rest += size + (rest[size] == '\n');
    }
}

static enum outcome
action_help(struct client *client, size_t count, char **words)
{
    if (count == 1) {
        commands_write_list(help_stream(client));
        return OUTCOME_DONE;
    }
    const struct command *command = commands_find(words[1]);
    return command == NULL ? unknown(client, words[1]) : explain(client, command);
}
