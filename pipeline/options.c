#include "pipeline/options.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "shared/usage.h"

/* Reads decimal digits up to `end`; false when there are none, others, or too many. */
static bool
read_digits(const char *text, const char *end, uint64_t *number)
{
    uint64_t result = 0;
    if (text == end) {
        return false;
    }
    for (; text < end; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(*text - '0');
        if (result > (UINT64_MAX - digit) / 10) {
            return false;
        }
        result = result * 10 + digit;
    }
    *number = result;
    return true;
}

/* Reads seconds such as 60, 0.2 or .5; what is finer than a millisecond is cut off. */
static bool
read_milliseconds(const char *text, uint64_t *number)
{
    const char *end = text + strlen(text);
    const char *point = strchr(text, '.');
    uint64_t seconds = 0;
    uint64_t fraction = 0;
    if (point == NULL) {
        point = end;
    }
    if (point != text && !read_digits(text, point, &seconds)) {
        return false;
    }
    if (point == text && end - point < 2) {
        return false; /* nothing, or nothing but the point */
    }
    if (point < end) {
        uint64_t unit = 100;
        for (const char *digit = point + 1; digit < end; digit++) {
            if (*digit < '0' || *digit > '9') {
                return false;
            }
            fraction += (uint64_t)(*digit - '0') * unit;
            unit /= 10;
        }
    }
    if (seconds > UINT64_MAX / 1000 - 1) {
        return false;
    }
    *number = seconds * 1000 + fraction;
    return true;
}

static int
out_of_range(const struct option_entry *entry, const char *value, struct diagnostic *diagnostic)
{
    if (entry->kind == OPTION_SECONDS) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "--%s %s: must be a number of seconds from %llu.%03llu to %llu", entry->name, value,
            (unsigned long long)entry->min / 1000, (unsigned long long)entry->min % 1000,
            (unsigned long long)entry->max / 1000);
    }
    return diagnostic_set(diagnostic, ERROR_INVALID,
        "--%s %s: must be a whole number from %llu to %llu", entry->name, value,
        (unsigned long long)entry->min, (unsigned long long)entry->max);
}

static int
set_number(const struct option_entry *entry, const char *value, struct diagnostic *diagnostic)
{
    uint64_t number = 0;
    bool good = entry->kind == OPTION_SECONDS ? read_milliseconds(value, &number)
                                              : read_digits(value, value + strlen(value), &number);
    if (!good || number < entry->min || number > entry->max) {
        return out_of_range(entry, value, diagnostic);
    }
    if (entry->kind == OPTION_INT) {
        *(int *)entry->target = (int)number;
    } else if (entry->kind == OPTION_SECONDS) {
        *(int64_t *)entry->target = (int64_t)number;
    } else {
        *(uint64_t *)entry->target = number;
    }
    return 0;
}

static int
set(const struct option_entry *entry, const char *value, struct diagnostic *diagnostic)
{
    if (entry->given != NULL) {
        *entry->given = true;
    }
    assert(entry->kind == OPTION_FLAG || value != NULL);
    switch (entry->kind) {
    case OPTION_FLAG:
        *(bool *)entry->target = true;
        return 0;
    case OPTION_INT:
    case OPTION_UINT64:
    case OPTION_SECONDS:
        return set_number(entry, value, diagnostic);
    case OPTION_TEXT:
        if (*value == '\0') {
            return diagnostic_set(
                diagnostic, ERROR_INVALID, "--%s: must not be empty", entry->name);
        }
        *(const char **)entry->target = value;
        return 0;
    case OPTION_END:
        break;
    }
    assert(false && "a kind of option");
    return ERROR_INVALID;
}

/*
 * Finds the entry that `name` (of `size` bytes) is, or begins as the only one; NULL if none.
 * `*other` becomes a second one that it begins, if there is one.
 */
static const struct option_entry *
find(const struct option_entry *table, const char *name, size_t size,
    const struct option_entry **other)
{
    const struct option_entry *found = NULL;
    *other = NULL;
    for (const struct option_entry *entry = table; entry->kind != OPTION_END && size > 0; entry++) {
        if (strncmp(entry->name, name, size) != 0) {
            continue;
        }
        if (entry->name[size] == '\0') {
            *other = NULL;
            return entry;
        }
        *other = found;
        found = entry;
    }
    return found;
}

/* Returns the name that is most like `name` (of `size` bytes), or NULL. */
static const char *
find_nearest(const struct option_entry *table, const char *name, size_t size)
{
    char word[64];
    const char *nearest = NULL;
    size_t distance = USAGE_DISTANCE_START;
    snprintf(word, sizeof word, "%.*s", (int)size, name);
    for (const struct option_entry *entry = table; entry->kind != OPTION_END; entry++) {
        if (usage_is_nearer(word, entry->name, &distance)) {
            nearest = entry->name;
        }
    }
    return nearest;
}

/* Finds the option of `argument`, whose name has `size` bytes; NULL with a sentence if none. */
static const struct option_entry *
look_up(const struct option_entry *table, const char *argument, size_t size,
    struct diagnostic *diagnostic)
{
    const struct option_entry *found = NULL;
    const struct option_entry *other = NULL;
    if (argument[1] == '-') {
        found = find(table, argument + 2, size, &other);
    } else if (strcmp(argument, "-h") == 0) {
        found = find(table, "help", strlen("help"), &other);
    }
    if (found == NULL) {
        const char *nearest = find_nearest(table, argument + 2, size);
        diagnostic_set(diagnostic, ERROR_INVALID, "%s is no option%s%s%s", argument,
            nearest != NULL ? "; did you mean --" : "", nearest != NULL ? nearest : "",
            nearest != NULL ? "?" : "");
        return NULL;
    }
    if (other != NULL) {
        diagnostic_set(diagnostic, ERROR_INVALID, "ambiguous option %s: --%s or --%s", argument,
            other->name, found->name);
        return NULL;
    }
    return found;
}

/* Reads the option at argv[*i], and the value behind it if it takes one. */
static int
read_option(
    const struct option_entry *table, int argc, char *argv[], int *i, struct diagnostic *diagnostic)
{
    const char *name = argv[*i] + 2;
    const size_t size = strcspn(name, "=");
    const char *value = name[size] == '=' ? name + size + 1 : NULL;
    const struct option_entry *entry = look_up(table, argv[*i], size, diagnostic);
    if (entry == NULL) {
        return ERROR_INVALID;
    }
    if (entry->kind == OPTION_FLAG && value != NULL) {
        return diagnostic_set(diagnostic, ERROR_INVALID, "--%s takes no value", entry->name);
    }
    if (entry->kind != OPTION_FLAG && value == NULL) {
        if (*i + 1 == argc) {
            return diagnostic_set(diagnostic, ERROR_INVALID, "--%s wants a value", entry->name);
        }
        value = argv[++*i];
    }
    return set(entry, value, diagnostic);
}

int
options_read(const struct option_entry *table, int argc, char *argv[], int *operands,
    struct diagnostic *diagnostic)
{
    int found = 0;
    bool ended = false;
    for (int i = 1; i < argc; i++) {
        if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[++found] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            ended = true;
        } else {
            int error = read_option(table, argc, argv, &i, diagnostic);
            if (error != 0) {
                return error;
            }
        }
    }
    *operands = found;
    return 0;
}
