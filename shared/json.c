#include "shared/json.h"

#include <inttypes.h>
#include <string.h>
#include <unistr.h>

static void
separate(struct json *json)
{
    if (json->needs_comma) {
        fputc(',', json->out);
    }
    json->needs_comma = true;
}

void
json_begin(struct json *json, char bracket)
{
    separate(json);
    fputc(bracket, json->out);
    json->needs_comma = false;
}

void
json_end(struct json *json, char bracket)
{
    fputc(bracket, json->out);
    json->needs_comma = true;
}

void
json_key(struct json *json, const char *key)
{
    json_text(json, key);
    fputc(':', json->out);
    json->needs_comma = false;
}

/* Writes the character that begins at `rest`; returns its size in bytes. */
static size_t
write_character(FILE *out, const uint8_t *rest, size_t size)
{
    ucs4_t character = 0;
    int length = u8_mbtoucr(&character, rest, size);
    if (length <= 0) {
        fputs("\xef\xbf\xbd", out);
        return 1;
    }
    if (character == '"' || character == '\\') {
        fputc('\\', out);
    }
    if (character < 0x20 || (character >= 0x7f && character < 0xa0)) {
        fprintf(out, "\\u%04x", (unsigned)character);
    } else {
        fwrite(rest, 1, (size_t)length, out);
    }
    return (size_t)length;
}

void
json_text(struct json *json, const char *text)
{
    const uint8_t *rest = (const uint8_t *)text;
    size_t size = strlen(text);
    separate(json);
    fputc('"', json->out);
    while (size > 0) {
        size_t used = write_character(json->out, rest, size);
        rest += used;
        size -= used;
    }
    fputc('"', json->out);
}

void
json_uint(struct json *json, uint64_t value)
{
    separate(json);
    fprintf(json->out, "%" PRIu64, value);
}

void
json_bool(struct json *json, bool value)
{
    separate(json);
    fputs(value ? "true" : "false", json->out);
}

void
json_null(struct json *json)
{
    separate(json);
    fputs("null", json->out);
}

void
json_text_member(struct json *json, const char *key, const char *text)
{
    json_key(json, key);
    json_text(json, text);
}

void
json_uint_member(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_uint(json, value);
}
