#include "client/options.h"

#include "client/commands.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
    OPTION_CONFIG = 256,
    OPTION_PASSWORD_FILE,
    OPTION_JSON,
    OPTION_QUIET,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_PROFILE /* and the keys of the profile behind it */
};

static const char *const outcome_texts[OUTCOME_COUNT] = {
#define OUTCOME_TEXT(name, word, text) text,
    OUTCOME_LIST(OUTCOME_TEXT)
#undef OUTCOME_TEXT
};

static const char options_text[] =
    "  --config FILE         read this configuration file\n"
    "  --endpoint ENDPOINT   the broker (tcp://127.0.0.1:5570)\n"
    "  --state DIR           where login and local inventory are kept (~/.local/state/stockbus)\n"
    "  --user NAME           who logs in, and whose local inventory is shown\n"
    "  --password-file FILE  a file whose first line is the password\n"
    "  --timeout MS          how long a silent broker is waited for (5000)\n";

static const char surroundings_text[] =
    "Environment, where there is no option:\n"
    "  STOCK_CONFIG, STOCK_ENDPOINT, STOCK_STATE, STOCK_USER, STOCK_TIMEOUT\n"
    "  STOCK_PASSWORD        the password, where there is no --password-file\n"
    "\n"
    "Files:\n"
    "  ~/.config/stockbus/client.conf, else /etc/stockbus/client.conf\n"
    "                        endpoint, state, user, timeout_ms, where neither option nor\n"
    "                        environment has them\n";

static void
write_help(const struct program *program)
{
    printf("%s - %s\n\nUsage:\n  %s %s\n\nOptions:\n%s", program->name, program->description,
        program->name, program->usage, options_text);
    if (program->is_scripted) {
        puts("  --json                answers are JSON, one object a line\n"
             "  --quiet               no confirmations and notes");
    }
    puts("  --help, --version\n\nCommands:");
    commands_write_list(stdout);
    puts("\nExit status:");
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        printf("  %d  %s\n", i, outcome_texts[i]);
    }
    printf("\n%s\nExamples:\n%s", surroundings_text, program->examples);
}

/* Takes one option and does at once what --help and --version ask for. */
static void
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
}

enum outcome
options_parse(struct options *options, const struct program *program, int argc, char **argv)
{
    static const struct option known[] = {
        {"json", no_argument, NULL, OPTION_JSON},
        {"quiet", no_argument, NULL, OPTION_QUIET},
        {"config", required_argument, NULL, OPTION_CONFIG},
        {"endpoint", required_argument, NULL, OPTION_PROFILE + PROFILE_ENDPOINT},
        {"state", required_argument, NULL, OPTION_PROFILE + PROFILE_STATE},
        {"user", required_argument, NULL, OPTION_PROFILE + PROFILE_USER},
        {"timeout", required_argument, NULL, OPTION_PROFILE + PROFILE_TIMEOUT},
        {"password-file", required_argument, NULL, OPTION_PASSWORD_FILE},
        {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},
        {0},
    };
    const struct option *own = program->is_scripted ? known : &known[2];
    *options = (struct options){0};
    for (;;) {
        /* '+': what follows the command is the command's. */
        int option = getopt_long(argc, argv, "+:h", own, NULL);
        if (option == -1) {
            options->first = optind;
            return OUTCOME_DONE;
        }
        if (option == '?' || option == ':') {
            fprintf(stderr, "%s: %s %s; '%s --help' lists the options\n", program->name,
                argv[optind - 1], option == '?' ? "is no option" : "wants a value", program->name);
            return OUTCOME_USAGE;
        }
        take_option(options, program, option == 'h' ? OPTION_HELP : option);
        if (options->ends) {
            return OUTCOME_DONE;
        }
    }
}
