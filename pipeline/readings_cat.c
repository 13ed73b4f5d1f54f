/*
 * readings-cat: prints the readings of recorded files, one a line, and counts them.
 */
#include "pipeline/options.h"
#include "pipeline/program.h"
#include "pipeline/reading_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <unistr.h>

static const char help[] =
    "readings-cat - prints recorded readings of sensors\n"
    "\n"
    "Usage:\n"
    "  readings-cat [OPTION...] FILE...\n"
    "\n"
    "Prints each reading of the FILEs on a line of its own, then how many were read.\n"
    "'-' is standard input.\n"
    "\n"
    "Options:\n"
    "  --json                one JSON object a line; the counts go to standard error\n"
    "  --quiet               only the counts, to standard output; with --json,\n"
    "                        as JSON objects\n"
    "  --help                explain this\n"
    "  --version             say which version this is\n"
    "\n"
    "Exit status:\n"
    "  0  all was read\n"
    "  1  a file could not be read, or the output not written\n"
    "  2  bad usage\n"
    "  3  a file is damaged: its readings up to there are printed and counted\n"
    "\n"
    "Examples:\n"
    "  readings-cat consumer-*.msgpack\n"
    "  readings-cat --quiet consumer-*.msgpack\n"
    "  readings-cat --json consumer-1.msgpack | jq 'select(.unit == \"bar\") | .value'\n"
    "  cat consumer-1.msgpack | readings-cat --quiet -\n";

static const struct program program = {.name = "readings-cat", .help = help};

struct command {
    bool json;
    bool quiet;
    bool help;
    bool version;
    int files; /* argv[1] to argv[files] */
};

/* Of the files that could be read, if only in part. */
struct totals {
    int files;
    uint64_t readings;
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

/*
 * Prints a text as a JSON string. Only names of files have control characters, or bytes that are
 * not UTF-8; the latter become U+FFFD, as JSON has no other way.
 */
static void
print_json_text(const char *text)
{
    putchar('"');
    while (*text != '\0') {
        ucs4_t character;
        const int size = u8_strmbtouc(&character, (const uint8_t *)text);
        if (size < 0) {
            fputs("\uFFFD", stdout);
            text++;
            continue;
        }
        if (character < ' ') {
            printf("\\u%04x", (unsigned)character);
        } else {
            printf("%s%.*s", character == '"' || character == '\\' ? "\\" : "", size, text);
        }
        text += size;
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
        (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
    }
    printf("%s.%09dZ  producer %-3" PRIu32 " sequence %-6" PRIu64 " %-20s %10s %-5s  id %" PRIu64
           "\n",
        date, (int)(reading->time_ns % 1000000000), reading->producer, reading->sequence,
        reading->sensor, value, reading->unit, reading->id);
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
print_total(const struct command *command, const struct totals *totals)
{
    if (command->json && command->quiet) {
        printf("{\"files\":%d,\"readings\":%" PRIu64 "}\n", totals->files, totals->readings);
        return;
    }
    fprintf(command->json ? stderr : stdout, "total: %" PRIu64 " reading%s read from %d file%s\n",
        totals->readings, plural(totals->readings), totals->files, plural((uint64_t)totals->files));
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

/* Prints one file and its count, and adds it to the totals. Returns the exit status for it. */
static int
print_file(const struct command *command, const char *path, struct totals *totals)
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
        if (error == 0 || error == ERROR_DAMAGED || stream.count > 0) {
            print_count(command, name, stream.count);
            totals->readings += stream.count;
            totals->files++;
        }
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

int
main(int argc, char *argv[])
{
    struct command command;
    struct diagnostic diagnostic = {""};
    if (read_command(argc, argv, &command, &diagnostic) != 0) {
        return program_refuse(&program, diagnostic.text);
    }
    if (command.help || command.version) {
        return program_explain(&program, command.help);
    }
    int status = EXIT_DONE;
    struct totals totals = {0};
    for (int i = 1; i <= command.files && !ferror(stdout); i++) {
        int result = print_file(&command, argv[i], &totals);
        status = result > status ? result : status; /* damage outweighs what could not be read */
    }
    print_total(&command, &totals);
    int result = program_flush(&program);
    return result > status ? result : status;
}
