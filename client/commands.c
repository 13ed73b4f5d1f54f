#include "client/commands.h"

#include "client/actions.h"
#include "client/script.h"
#include "client/words.h"

#include <string.h>

static enum outcome
action_help(struct client *client, size_t count, char **words);

static const struct command table[] = {
    {
        .name = "login",
        .number = "1",
        .title = "log in",
        .arguments = "[USER] [--password-file FILE]",
        .summary = "log in",
        .help = "Logs USER in at the broker; without USER, the one of --user, STOCK_USER or the\n"
                "configuration file. The password is the first line of the file named by\n"
                "--password-file, which nobody but its owner may read, or STOCK_PASSWORD, or is\n"
                "asked for on the terminal. Whoever was logged in before is logged out first.",
        .example = "login north",
        .words_max = 3,
        .asks = true,
        .needs_state = true,
        .run = action_login,
    },
    {
        .name = "inventory",
        .number = "2",
        .title = "view server inventory",
        .arguments = "[UPC...]",
        .summary = "view the server inventory",
        .help = "Shows the items that the broker has and how many units of each, or only those\n"
                "named.",
        .example = "inventory 036000291452",
        .words_max = ORDER_LINES_MAX,
        .needs_state = true,
        .run = action_inventory,
    },
    {
        .name = "local",
        .number = "3",
        .title = "view local inventory",
        .arguments = "",
        .summary = "view the local inventory: what you bought",
        .help = "Shows what was bought with this state directory, and the order that is pending,\n"
                "if there is one. Needs no broker.",
        .example = "local",
        .needs_state = true,
        .run = action_local,
    },
    {
        .name = "buy",
        .number = "4",
        .title = "purchase",
        .arguments = "UPC UNITS [UPC UNITS]...",
        .summary = "buy units of one or more items",
        .help = "Buys UNITS of the item with this UPC, twelve digits. With more than one item,\n"
                "either all of them are bought or none.",
        .example = "buy 036000291452 3",
        .words_min = 2,
        .words_max = WORDS_MAX - 1,
        .asks = true,
        .needs_state = true,
        .run = action_buy,
    },
    {
        .name = "restock",
        .arguments = "UPC UNITS [UPC UNITS]...",
        .summary = "add units to the broker's stock",
        .help = "Adds UNITS to the broker's stock of the item with this UPC. Only some users may.",
        .example = "restock 036000291452 50",
        .words_min = 2,
        .words_max = WORDS_MAX - 1,
        .asks = true,
        .needs_state = true,
        .run = action_restock,
    },
    {
        .name = "resolve",
        .arguments = "[--void | --set-aside]",
        .summary = "settle an order whose outcome is not known",
        .help = "Asks the broker what became of an order that got no answer, by sending it again:\n"
                "it is never made twice. Every other command but ping does so first, too.\n"
                "With --void the order is given up, unless it was made already. If the broker\n"
                "can no longer tell, --set-aside takes the order out of the way; 'local' goes on\n"
                "to show it.",
        .example = "resolve",
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
        .example = "logout",
        .needs_state = true,
        .run = action_logout,
    },
    {
        .name = "ping",
        .arguments = "",
        .summary = "see whether the broker answers",
        .help = "Asks the broker for nothing but an answer. Needs no login.",
        .example = "ping",
        .needs_state = true,
        .run = action_ping,
    },
    {
        .name = "run",
        .arguments = "[--keep-going] FILE",
        .summary = "run commands from a file",
        .help = "Runs the commands in FILE, or in standard input if that is '-': one a line, '#'\n"
                "begins a comment, double quotes hold a word together. Stops at the first that\n"
                "fails, with its exit status; with --keep-going runs them all, and ends with the\n"
                "exit status of the last that failed.",
        .example = "run orders.txt",
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
        .example = "help buy",
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
        .example = "quit",
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
    if (strcmp(word, "q") == 0 || strcmp(word, "exit") == 0) {
        word = "quit";
    } else if (strcmp(word, "?") == 0) {
        word = "help";
    }
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (strcmp(word, table[i].name) == 0 ||
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
        if (strcmp(word, others[i].word) == 0) {
            return commands_find(others[i].name);
        }
    }
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        size_t size = strlen(word);
        size_t distance = words_distance(word, table[i].name);
        if (size >= 3 && strncmp(word, table[i].name, size) == 0) {
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
    const struct command *nearest = commands_nearest(word);
    return nearest != NULL
               ? client_usage(client, "'%s' is no command; did you mean '%s'?", word, nearest->name)
               : client_usage(client, "'%s' is no command; 'help' lists them", word);
}

enum outcome
commands_run(struct client *client, size_t count, char **words)
{
    const struct command *command = commands_find(words[0]);
    if (command == NULL) {
        return unknown(client, words[0]);
    }
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
    fprintf(out, "%s%s%s\n\n%s\n\nexample: %s\n", command->name,
        command->arguments[0] != '\0' ? " " : "", command->arguments, command->help,
        command->example);
}

static enum outcome
action_help(struct client *client, size_t count, char **words)
{
    /* Where programs read the answers, people read the messages. */
    FILE *out = client->render.json ? client->render.err : client->render.out;
    if (count == 1) {
        commands_write_list(out);
        return OUTCOME_DONE;
    }
    const struct command *command = commands_find(words[1]);
    if (command == NULL) {
        return unknown(client, words[1]);
    }
    commands_write_help(out, command);
    return OUTCOME_DONE;
}
