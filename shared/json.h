/**
 * json.h: writes JSON (RFC 8259), value by value, with the commas between them.
 *
 *     json_begin(&json, '{');
 *     json_key(&json, "ok");
 *     json_bool(&json, true);
 *     json_end(&json, '}');
 */
#ifndef STOCKBUS_SHARED_JSON_H
#define STOCKBUS_SHARED_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** One JSON text that is being written. */
struct json {
    FILE *out;        /**< the caller's */
    bool needs_comma; /**< a value stands right before */
};

/** Begins an object ('{') or an array ('['). */
void
json_begin(struct json *json, char bracket);

/** Ends it with '}' or ']'. */
void
json_end(struct json *json, char bracket);

/** Writes the key of the member whose value comes next. */
void
json_key(struct json *json, const char *key);

/** Writes a text. Bytes that are not UTF-8 become U+FFFD. */
void
json_text(struct json *json, const char *text);

/** Writes a number; readers of JSON hold up to 2^53 exactly. */
void
json_uint(struct json *json, uint64_t value);

/** Writes true or false. */
void
json_bool(struct json *json, bool value);

/** Writes null. */
void
json_null(struct json *json);

/** Writes a member with a text. */
void
json_text_member(struct json *json, const char *key, const char *text);

/** Writes a member with a number. */
void
json_uint_member(struct json *json, const char *key, uint64_t value);

#endif
