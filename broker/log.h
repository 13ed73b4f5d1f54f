/**
 * log.h: what the broker tells on standard error, one line a happening, written in one call.
 *
 *     stockd: read the accounts again
 *     stockd: warning: x.cert: curve/public-key is missing; it lets nobody in
 *
 * In text, a line that is no notice begins with its level; in JSON, each line is one object with
 * `time` (RFC 3339, UTC), `level`, `message`, and the fields of the happening, if it has any.
 * Control characters, and bytes that are not UTF-8, are escaped (text_escape()): nothing that a
 * peer sends can begin a line or move a cursor.
 *
 * Level and format are chosen while the process has one thread; then any thread may write.
 */
#ifndef STOCKBUS_BROKER_LOG_H
#define STOCKBUS_BROKER_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** X(name, word), the most urgent first */
#define LEVEL_LIST(X)           \
    X(LEVEL_ERROR, "error")     \
    X(LEVEL_WARNING, "warning") \
    X(LEVEL_NOTICE, "notice")   \
    X(LEVEL_DEBUG, "debug")

/** How urgent a line is. */
enum level {
#define LEVEL_NAME(name, word) name,
    LEVEL_LIST(LEVEL_NAME)
#undef LEVEL_NAME
    LEVEL_COUNT
};

/** A member of a line in JSON; in text the sentence says the same. */
struct log_field {
    const char *key;  /**< its name */
    const char *text; /**< NULL: it is a number */
    uint64_t number;  /**< the value otherwise */
};

/**
 * Chooses the least urgent level that is written; without it, notice. Returns false, and changes
 * nothing, when `word` is no level.
 */
bool
log_set_level(const char *word);

/** Chooses "text", which it is without it, or "json". Returns false when `word` is neither. */
bool
log_set_format(const char *word);

/** Are lines of this level written? For those whose making costs something. */
bool
log_shows(enum level level);

/** Writes the sentence as one line, if its level is to be shown. It is cut at 1023 bytes. */
void
log_line(enum level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The same, with `count` fields. */
void
log_fields(enum level level, const struct log_field *fields, size_t count, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/**
 * Writes that the broker serves at `endpoint`, whatever the level: "stockd: ready on ENDPOINT".
 * Who starts a broker waits for this line; its wording is a contract.
 */
void
log_ready(const char *endpoint);

#endif
