#include "client/options.h"

#include "client/commands.h"
#include "client/completion_script.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "shared/usage.h"

enum {
    OPTION_CONFIG = 256,
    OPTION_PASSWORD_FILE,
    OPTION_JSON,
    OPTION_QUIET,
    OPTION_YES,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_COMPLETION,
    OPTION_PROFILE /* and the keys of the profile behind it */
};

static const struct option_entry table[] = {
    {"config", "FILE", "read this configuration file", false, OPTION_CONFIG},
    {"endpoint", "ENDPOINT", "the broker (tcp://127.0.0.1:5570)", false,
        OPTION_PROFILE + PROFILE_ENDPOINT},
    {"state", "DIR", "login and local inventory (~/.local/state/stockbus)", false,
        OPTION_PROFILE + PROFILE_STATE},
    {"user", "NAME", "who logs in, and whose local inventory is shown", false,
        OPTION_PROFILE + PROFILE_USER},
    {"password-file", "FILE", "a file whose first line is the password", false,
        OPTION_PASSWORD_FILE},
    {"timeout", "MS", "how long a silent broker is waited for (5000)", false,
        OPTION_PROFILE + PROFILE_TIMEOUT},
    {"certificate", "FILE", "this client's keys, where the broker encrypts", false,
        OPTION_PROFILE + PROFILE_CERTIFICATE},
    {"broker-key", "FILE", "the broker's public certificate", false,
        OPTION_PROFILE + PROFILE_BROKER_KEY},
    {"color", "WHEN", "auto, always or never (auto)", false, OPTION_PROFILE + PROFILE_COLOR},
    {"json", NULL, "answers are JSON, one object a line", true, OPTION_JSON},
    {"quiet", NULL, "no confirmations and notes", true, OPTION_QUIET},
    {"yes", NULL, "large orders are not asked about", true, OPTION_YES},
    {"help", NULL, "explain this", false, OPTION_HELP},
    {"version", NULL, "say which version this is", false, OPTION_VERSION},
    {"completion", "SHELL", NULL, true, OPTION_COMPLETION},
};

enum {
    TABLE_COUNT = sizeof table / sizeof table[0]
};

static const char *const outcome_texts[OUTCOME_COUNT] = {
#define OUTCOME_TEXT(name, word, text) text,
    OUTCOME_LIST(OUTCOME_TEXT)
#undef OUTCOME_TEXT
};

static const char surroundings_text[] =
    "Environment, where there is no option:\n"
    "  STOCK_CONFIG, STOCK_ENDPOINT, STOCK_STATE, STOCK_USER, STOCK_TIMEOUT,\n"
    "  STOCK_CERTIFICATE, STOCK_BROKER_KEY, STOCK_COLOR, STOCK_CONFIRM_UNITS\n"
    "                        as the options and the settings in the file\n"
    "  STOCK_PASSWORD        the password, where there is no --password-file\n"
    "  NO_COLOR              if not empty: no colours unless --color says so\n"
    "\n"
    "Files:\n"
    "  ~/.config/stockbus/client.conf, else /etc/stockbus/client.conf\n"
    "                        endpoint, state, user, timeout_ms, color,\n"
    "                        confirm_units, and curve/certificate and\n"
    "                        curve/broker_key, where neither option nor environment\n"
    "                        has them\n";

const struct option_entry *
options_table(size_t *count)
{
    *count = TABLE_COUNT;
    return table;
}

static bool
has_option(const struct program *program, const struct option_entry *entry)
{
    return program->is_scripted || !entry->is_scripted;
}

static void
write_options(const struct program *program)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (table[i].help != NULL && has_option(program, &table[i])) {
            char usage[32];
            snprintf(usage, sizeof usage, "--%s%s%s", table[i].name,
                table[i].argument != NULL ? " " : "",
                table[i].argument != NULL ? table[i].argument : "");
            printf("  %-21s %s\n", usage, table[i].help);
        }
    }
}

static void
write_help(const struct program *program)
{
    printf("%s - %s\n\nUsage:\n  %s %s\n\nOptions:\n", program->name, program->description,
        program->name, program->usage);
    write_options(program);
    puts("\nCommands:");
    commands_write_list(stdout);
    puts("\nExit status:");
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        printf("  %d  %s\n", i, outcome_texts[i]);
    }
    printf("\n%s\nExamples:\n%s", surroundings_text, program->examples);
}

/* Takes one option and does at once what --help and --version ask for. */
static enum outcome
take_option(struct options *options, const struct program *program, int option)
{
    switch (option) {
    case OPTION_CONFIG:
        options->flags.config = optarg;
        break;
    case OPTION_PASSWORD_FILE:
        options->password_file = optarg;
        break;
    case OPTION_JSON:
        options->json = true;
        break;
    case OPTION_QUIET:
        options->quiet = true;
        break;
    case OPTION_YES:
        options->yes = true;
        break;
    case OPTION_COMPLETION:
        options->ends = true;
        return completion_script_write(stdout, optarg);
    case OPTION_HELP:
        write_help(program);
        options->ends = true;
        break;
    case OPTION_VERSION:
        printf("%s %s\n", program->name, STOCKBUS_VERSION);
        options->ends = true;
        break;
    default:
        options->flags.values[option - OPTION_PROFILE] = optarg;
        break;
    }
    return OUTCOME_DONE;
}

/* Puts the options of `program` into the form of getopt_long. */
static void
list_known(const struct program *program, struct option *known)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (has_option(program, &table[i])) {
            *known++ = (struct option){.name = table[i].name,
                .has_arg = table[i].argument != NULL ? required_argument : no_argument,
                .val = table[i].code};
        }
    }
    *known = (struct option){0};
}

enum outcome
options_parse(struct options *options, const struct program *program, int argc, char **argv)
{
    struct option known[TABLE_COUNT + 1];
    list_known(program, known);
    *options = (struct options){0};
    for (;;) {
        /* '+': what follows the command is the command's. */
        int option = getopt_long(argc, argv, "+:h", known, NULL);
        if (option == -1) {
            options->first = optind;
            return OUTCOME_DONE;
        }
        if (option == '?' || option == ':') {
            usage_complain(program->name, known, option, argv[optind - 1]);
            return OUTCOME_USAGE;
        }
        enum outcome outcome = take_option(options, program, option == 'h' ? OPTION_HELP : option);
        if (options->ends || outcome != OUTCOME_DONE) {
            return outcome;
        }
    }
}
