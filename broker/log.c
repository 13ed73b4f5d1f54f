#include "broker/log.h"

#include "shared/json.h"
#include "shared/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SENTENCE_SIZE = 1024
};

static const char *const level_words[LEVEL_COUNT] = {
#define LEVEL_WORD(name, word) word,
    LEVEL_LIST(LEVEL_WORD)
#undef LEVEL_WORD
};

static enum level level_shown = LEVEL_NOTICE;
static bool is_json;

bool
log_set_level(const char *word)
{
    for (int i = 0; i < LEVEL_COUNT; i++) {
        if (strcmp(word, level_words[i]) == 0) {
            level_shown = (enum level)i;
            return true;
        }
    }
    return false;
}

bool
log_set_format(const char *word)
{
    bool wants_json = strcmp(word, "json") == 0;
    if (!wants_json && strcmp(word, "text") != 0) {
        return false;
    }
    is_json = wants_json;
    return true;
}

bool
log_shows(enum level level)
{
    return level <= level_shown;
}

static void
write_text(enum level level, const char *sentence)
{
    char line[TEXT_ESCAPE_SIZE * SENTENCE_SIZE];
    bool is_plain = level == LEVEL_NOTICE;
    fprintf(stderr, "stockd: %s%s%s\n", is_plain ? "" : level_words[level], is_plain ? "" : ": ",
        text_escape(sentence, line, sizeof line));
}

static void
add_time(struct json *json)
{
    struct timespec now;
    struct tm parts;
    char seconds[32];
    char text[48];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    (void)strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text, sizeof text, "%s.%03ldZ", seconds, now.tv_nsec / 1000000);
    json_text_member(json, "time", text);
}

/* Returns whether there was the memory for it. */
static bool
write_json(enum level level, const struct log_field *fields, size_t count, const char *sentence)
{
    char *line = NULL;
    size_t size = 0;
    struct json json = {.out = open_memstream(&line, &size)};
    if (json.out == NULL) {
        return false;
    }
    json_begin(&json, '{');
    add_time(&json);
    json_text_member(&json, "level", level_words[level]);
    json_text_member(&json, "message", sentence);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].text != NULL) {
            json_text_member(&json, fields[i].key, fields[i].text);
        } else {
            json_uint_member(&json, fields[i].key, fields[i].number);
        }
    }
    json_end(&json, '}');
    bool good = ferror(json.out) == 0;
    good = fclose(json.out) == 0 && good;
    if (good) {
        fprintf(stderr, "%s\n", line);
    }
    free(line);
    return good;
}

/* Writes a line without looking at its level. Where JSON finds no memory, text is better than
 * nothing. */
static void
write_line(enum level level, const struct log_field *fields, size_t count, const char *sentence)
{
    if (!is_json || !write_json(level, fields, count, sentence)) {
        write_text(level, sentence);
    }
}

__attribute__((format(printf, 4, 0))) static void
write_format(enum level level, const struct log_field *fields, size_t count, const char *format,
    va_list arguments)
{
    if (log_shows(level)) {
        char sentence[SENTENCE_SIZE];
        vsnprintf(sentence, sizeof sentence, format, arguments);
        write_line(level, fields, count, sentence);
    }
}

void
log_line(enum level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_format(level, NULL, 0, format, arguments);
    va_end(arguments);
}

void
log_fields(enum level level, const struct log_field *fields, size_t count, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_format(level, fields, count, format, arguments);
    va_end(arguments);
}

void
log_ready(const char *endpoint)
{
    const struct log_field field = {"endpoint", endpoint, 0};
    char sentence[SENTENCE_SIZE];
    snprintf(sentence, sizeof sentence, "ready on %s", endpoint);
    write_line(LEVEL_NOTICE, &field, 1, sentence);
}
