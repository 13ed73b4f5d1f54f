/*
 * readings-cat: prints the readings of recorded files, one a line, and counts them.
 */
#include "pipeline/options.h"
#include "pipeline/reading_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_DAMAGED = 3,
};

static const char help[] =
    "usage: readings-cat [OPTION...] FILE...\n"
    "\n"
    "Prints each reading of the FILEs on a line of its own, then how many were read. '-' is\n"
    "standard input.\n"
    "\n"
    "  --json     one JSON object a line; the counts go to standard error\n"
    "  --quiet    only the counts, to standard output (with --json, as JSON objects)\n"
    "  --version  print the version\n"
    "  --help     print this\n"
    "\n"
    "Examples:\n"
    "  readings-cat consumer-*.msgpack\n"
    "  readings-cat --quiet consumer-*.msgpack\n"
    "  readings-cat --json consumer-1.msgpack | jq 'select(.unit == \"bar\") | .value'\n"
    "  ssh host cat consumer-1.msgpack | readings-cat -\n"
    "\n"
    "Exit status: 0 all was read; 1 a file could not be read, or the output not written; 2 usage;\n"
    "3 a file is damaged: its readings up to there are printed and counted.\n";

struct command {
    bool json;
    bool quiet;
    bool help;
    bool version;
    int files; /* argv[1] to argv[files] */
};

static int
read_command(int argc, char *argv[], struct command *command, struct diagnostic *diagnostic)
{
    *command = (struct command){.files = 0};
    const struct option_entry table[] = {
        {"json", OPTION_FLAG, &command->json, 0, 0, NULL},
        {"quiet", OPTION_FLAG, &command->quiet, 0, 0, NULL},
        {"help", OPTION_FLAG, &command->help, 0, 0, NULL},
        {"version", OPTION_FLAG, &command->version, 0, 0, NULL},
        {NULL, OPTION_END, NULL, 0, 0, NULL},
    };
    int error = options_read(table, argc, argv, &command->files, diagnostic);
    if (error == 0 && command->files == 0 && !command->help && !command->version) {
        error =
            diagnostic_set(diagnostic, ERROR_INVALID, "no file is named; '-' is standard input");
    }
    return error;
}

/* Prints a text as a JSON string. */
static void
print_json_text(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ') {
            printf("\\u%04x", (unsigned)*text); /* only names of files have these */
            continue;
        }
        if (*text == '"' || *text == '\\') {
            putchar('\\');
        }
        putchar(*text);
    }
    putchar('"');
}

/* Writes the fewest digits that read back as the same value; always valid JSON. */
static void
format_value(char *text, size_t size, double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, size, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            return;
        }
    }
}

static void
print_json(const struct reading *reading)
{
    char value[64];
    format_value(value, sizeof value, reading->value);
    printf("{\"id\":%" PRIu64 ",\"producer\":%" PRIu32 ",\"sequence\":%" PRIu64
           ",\"time_ns\":%" PRId64 ",\"sensor\":",
        reading->id, reading->producer, reading->sequence, reading->time_ns);
    print_json_text(reading->sensor);
    fputs(",\"unit\":", stdout);
    print_json_text(reading->unit);
    printf(",\"value\":%s}\n", value);
}

static void
print_line(const struct reading *reading)
{
    char value[64];
    char date[32] = "";
    struct tm parts;
    const time_t seconds = reading->time_ns / 1000000000;
    format_value(value, sizeof value, reading->value);
    if (gmtime_r(&seconds, &parts) != NULL) {
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    }
    printf("%s.%09dZ  producer %-3" PRIu32 " sequence %-6" PRIu64 " %-20s %10s %-5s  id %" PRIu64
           "\n",
        date, (int)(reading->time_ns % 1000000000), reading->producer, reading->sequence,
        reading->sensor, value, reading->unit, reading->id);
}

static const char *
plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* Prints the count of a file where the command wants it. */
static void
print_count(const struct command *command, const char *name, uint64_t count)
{
    if (command->json && command->quiet) {
        fputs("{\"file\":", stdout);
        print_json_text(name);
        printf(",\"readings\":%" PRIu64 "}\n", count);
        return;
    }
    fprintf(
        command->json ? stderr : stdout, "%s: %" PRIu64 " reading%s\n", name, count, plural(count));
}

static void
print_total(const struct command *command, uint64_t count)
{
    if (command->json && command->quiet) {
        printf("{\"files\":%d,\"readings\":%" PRIu64 "}\n", command->files, count);
        return;
    }
    fprintf(command->json ? stderr : stdout, "total: %" PRIu64 " reading%s read from %d file%s\n",
        count, plural(count), command->files, plural((uint64_t)command->files));
}

/* Prints all that can be read. Returns 0, or what ended it early, with a sentence. */
static int
print_stream(
    const struct command *command, struct reading_stream *stream, struct diagnostic *diagnostic)
{
    for (;;) {
        struct reading reading;
        int error = reading_stream_next(stream, &reading, diagnostic);
        if (error == ERROR_CLOSED) {
            return 0;
        }
        if (error != 0) {
            return error;
        }
        if (command->quiet) {
            continue;
        }
        if (command->json) {
            print_json(&reading);
        } else {
            print_line(&reading);
        }
        if (ferror(stdout)) {
            return 0; /* told at the end, once */
        }
    }
}

/* Prints one file and its count, and adds that to `*total`. Returns the exit status for it. */
static int
print_file(const struct command *command, const char *path, uint64_t *total)
{
    const bool is_input = strcmp(path, "-") == 0;
    const char *name = is_input ? "standard input" : path;
    struct diagnostic diagnostic = {""};
    struct reading_stream stream;

    int fd = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "readings-cat: cannot open %s: %s\n", path, strerror(errno));
        return EXIT_FAILED;
    }
    int error = reading_stream_init(&stream, fd, name);
    if (error != 0) {
        fprintf(stderr, "readings-cat: %s: %s\n", name, error_text(error));
    } else {
        error = print_stream(command, &stream, &diagnostic);
        print_count(command, name, stream.count);
        *total += stream.count;
        reading_stream_fini(&stream);
        if (error != 0) {
            fflush(stdout); /* so that the error stands behind what was readable */
            fprintf(stderr, "readings-cat: %s\n", diagnostic.text);
        }
    }
    if (!is_input) {
        close(fd);
    }
    return error == 0 ? EXIT_DONE : error == ERROR_DAMAGED ? EXIT_DAMAGED : EXIT_FAILED;
}

static int
flush_output(void)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "readings-cat: cannot write to standard output: %s\n", strerror(errno));
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

int
main(int argc, char *argv[])
{
    struct command command;
    struct diagnostic diagnostic = {""};
    if (read_command(argc, argv, &command, &diagnostic) != 0) {
        fprintf(stderr, "readings-cat: %s\nTry: readings-cat --help\n", diagnostic.text);
        return EXIT_USAGE;
    }
    if (command.help || command.version) {
        fputs(command.help ? help : "readings-cat " STOCKBUS_VERSION "\n", stdout);
        return flush_output();
    }
    int status = EXIT_DONE;
    uint64_t total = 0;
    for (int i = 1; i <= command.files && !ferror(stdout); i++) {
        int result = print_file(&command, argv[i], &total);
        status = result > status ? result : status; /* damage outweighs what could not be read */
    }
    print_total(&command, total);
    int result = flush_output();
    return result > status ? result : status;
}
