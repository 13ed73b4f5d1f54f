/** stockctl: the scripted client, one command a call or a script of them. */
#include "client/client.h"
#include "client/commands.h"
#include "client/interrupt.h"
#include "client/options.h"

#include <signal.h>
#include <unistd.h>

static const struct program program = {
    .name = "stockctl",
    .usage = "[OPTION...] COMMAND [ARGUMENT...]",
    .description = "buys from a Stockbus broker, for scripts",
    .examples = "  stockctl wait --timeout 30000\n"
                "  stockctl login north\n"
                "  stockctl inventory\n"
                "  stockctl buy cola 12\n"
                "  stockctl --json buy 036000291452 3\n"
                "  printf 'buy 036000291452 1\\nlocal\\n' | stockctl run -\n",
    .is_scripted = true,
};

/* Asks for one line, where somebody can read the question and type the answer. */
static const char *
confirm(void *context, enum question question, const char *text)
{
    static char answer[64];
    (void)context;
    (void)question;
    fputs(text, stderr);
    fflush(stderr);
    return fgets(answer, sizeof answer, stdin);
}

/* Runs the command on the command line, with the state directory open if it wants that. */
static enum outcome
run(struct client *client, size_t count, char **words)
{
    const struct command *command = commands_find(words[0]);
    if (command == NULL || !command->needs_state) {
        return commands_run(client, count, words);
    }
    enum outcome outcome = client_open(client);
    if (outcome == OUTCOME_DONE) {
        outcome = commands_run(client, count, words);
    }
    enum outcome closing = client_close(client);
    return outcome == OUTCOME_DONE ? closing : outcome;
}

int
main(int argc, char **argv)
{
    struct client client = {0};
    struct options options;
    struct diagnostic diagnostic = {""};

    enum outcome outcome = options_parse(&options, &program, argc, argv);
    if (outcome != OUTCOME_DONE || options.ends) {
        return (int)outcome;
    }
    render_init(&client.render, program.name, stdout, stderr);
    client.render.json = options.json;
    client.render.quiet = options.quiet;
    client.password_file = options.password_file;
    if (options.first == argc) {
        return (int)client_usage(&client, "which command? '%s --help' lists them", program.name);
    }
    if (profile_load(&client.profile, &options.flags, &diagnostic) != 0) {
        return (int)client_usage(&client, "%s", diagnostic.text);
    }
    render_set_colors(&client.render, client.profile.color);
    if (!options.yes && isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1) {
        client.confirm = confirm;
    }
    (void)interrupt_catch();
    (void)signal(SIGPIPE, SIG_IGN); /* a reader that goes away shall not cut a command in two */
    outcome = run(&client, (size_t)(argc - options.first), &argv[options.first]);
    return (int)client_flush(&client, outcome);
}
