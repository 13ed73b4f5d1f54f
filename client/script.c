#include "client/script.h"

#include "client/commands.h"
#include "client/interrupt.h"
#include "client/words.h"
#include "shared/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Runs a line of `size` bytes. */
static enum outcome
run_line(struct client *client, char *line, size_t size, char **words)
{
    if (strlen(line) != size) {
        return client_usage(client, "there is a zero byte in the line, of which nothing was run");
    }
    struct diagnostic diagnostic = {""};
    size_t count = 0;
    if (words_split(line, words, WORDS_MAX, &count, &diagnostic) != 0) {
        return client_usage(client, "%s", diagnostic.text);
    }
    return count == 0 ? OUTCOME_DONE : commands_run(client, count, words);
}

/* Reads the next line. Returns false when there is none, with an error unless that is the end. */
static bool
read_line(FILE *file, char **line, size_t *room, size_t *size, int *error)
{
    ssize_t got = getline(line, room, file);
    if (got >= 0) {
        *size = (size_t)got;
        return true;
    }
    int code = errno;
    /* What Ctrl-C cuts short needs no explanation. */
    *error = feof(file) || code == EINTR ? 0 : error_from_errno(code);
    return false;
}

enum outcome
script_run(struct client *client, FILE *file, const char *name, bool keep_going)
{
    enum outcome result = OUTCOME_DONE;
    char *line = NULL;
    size_t room = 0;
    size_t size = 0;
    unsigned long number = 0;
    int error = 0;
    char **words = calloc(WORDS_MAX + 1, sizeof *words);
    if (words == NULL) {
        return client_usage(client, "%s", error_text(ERROR_MEMORY));
    }
    client->in_script = true;
    while (!client->quits && read_line(file, &line, &room, &size, &error)) {
        snprintf(client->render.place, sizeof client->render.place, "%.200s:%lu", name, ++number);
        enum outcome outcome = run_line(client, line, size, words);
        if (outcome != OUTCOME_DONE) {
            result = outcome;
            if (!keep_going) {
                break;
            }
        }
        /* Nothing more is bought once nobody can be told of it. */
        if (interrupt_take() || fflush(client->render.out) != 0 || ferror(client->render.out)) {
            break;
        }
    }
    client->render.place[0] = '\0';
    client->in_script = false;
    if (error != 0) {
        result = client_usage(client, "%s: %s", name, error_text(error));
    }
    free(words);
    free(line);
    return result;
}

enum outcome
action_run(struct client *client, size_t count, char **words)
{
    bool keep_going = strcmp(words[1], "--keep-going") == 0;
    const char *path = words[count - 1];
    if (client->in_script) {
        return client_usage(client, "run: a script cannot run another");
    }
    if (keep_going != (count == 3)) {
        return client_usage(client, keep_going ? "run: which file?" : "run: one file at a time");
    }
    if (strcmp(path, "-") == 0) {
        return script_run(client, stdin, "standard input", keep_going);
    }
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        int error = error_from_errno(errno);
        char shown[TEXT_SHOWN_SIZE];
        return client_usage(client, "run: %s: %s", text_shorten(path, shown), error_text(error));
    }
    enum outcome outcome = script_run(client, file, path, keep_going);
    (void)fclose(file); /* it was only read */
    return outcome;
}

enum outcome
action_quit(struct client *client, size_t count, char **words)
{
    (void)count;
    (void)words;
    client->quits = true;
    return OUTCOME_DONE;
}
