#include "client/profile.h"

#include "client/conversation.h"
#include "shared/pack.h"
#include "shared/settings.h"
#include "shared/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A value that was found, and where. */
struct found {
    const char *value;
    enum origin kind;
    char origin[FILES_PATH_SIZE + 32];
};

static int
take_endpoint(struct profile *profile, const struct found *found, struct diagnostic *diagnostic)
{
    const char *host = found->value + strlen("tcp://");
    const char *colon = strrchr(found->value, ':');
    char *rest = NULL;
    bool good = strncmp(found->value, "tcp://", 6) == 0 && colon > host &&
                strlen(found->value) < sizeof profile->endpoint && isdigit((unsigned char)colon[1]);
    unsigned long port = good ? strtoul(colon + 1, &rest, 10) : 0;
    if (!good || *rest != '\0' || port < 1 || port > 65535) {
        char shown[TEXT_SHOWN_SIZE];
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "%s: '%s' is no endpoint, which looks like " LINK_ENDPOINT_DEFAULT, found->origin,
            text_shorten(found->value, shown));
    }
    memcpy(profile->endpoint, found->value, strlen(found->value) + 1);
    return 0;
}

static int
take_path(char path[FILES_PATH_SIZE], const struct found *found, struct diagnostic *diagnostic)
{
    if (strlen(found->value) >= FILES_PATH_SIZE) {
        return diagnostic_set(diagnostic, ERROR_INVALID, "%s: too long a path", found->origin);
    }
    memcpy(path, found->value, strlen(found->value) + 1);
    return 0;
}

static int
take_state(struct profile *profile, const struct found *found, struct diagnostic *diagnostic)
{
    return take_path(profile->state, found, diagnostic);
}

static int
take_certificate(struct profile *profile, const struct found *found, struct diagnostic *diagnostic)
{
    return take_path(profile->certificate, found, diagnostic);
}

static int
take_broker_key(struct profile *profile, const struct found *found, struct diagnostic *diagnostic)
{
    return take_path(profile->broker_key, found, diagnostic);
}

static int
take_user(struct profile *profile, const struct found *found, struct diagnostic *diagnostic)
{
    size_t size = strlen(found->value);
    if (size == 0 || size > USER_SIZE_MAX || !text_is_printable(found->value, size)) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "%s: a user name has 1 to %d bytes of printable text", found->origin, USER_SIZE_MAX);
    }
    memcpy(profile->user, found->value, size + 1);
    return 0;
}

bool
profile_parse_ms(const char *text, int64_t *ms)
{
    char *rest = NULL;
    bool good = isdigit((unsigned char)text[0]) && strlen(text) < 10;
    long parsed = good ? strtol(text, &rest, 10) : 0;
    good = good && *rest == '\0' && parsed >= 1 && parsed <= TIMEOUT_MAX_MS;
    if (good) {
        *ms = parsed;
    }
    return good;
}

static int
take_timeout(struct profile *profile, const struct found *found, struct diagnostic *diagnostic)
{
    if (!profile_parse_ms(found->value, &profile->timeout_ms)) {
        char shown[TEXT_SHOWN_SIZE];
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "%s: '%s' is no number of milliseconds from 1 to %d", found->origin,
            text_shorten(found->value, shown), TIMEOUT_MAX_MS);
    }
    return 0;
}

static int
take_color(struct profile *profile, const struct found *found, struct diagnostic *diagnostic)
{
    if (!style_parse(found->value, &profile->color)) {
        char shown[TEXT_SHOWN_SIZE];
        return diagnostic_set(diagnostic, ERROR_INVALID, "%s: '%s' is none of auto, always, never",
            found->origin, text_shorten(found->value, shown));
    }
    return 0;
}

static int
take_confirm(struct profile *profile, const struct found *found, struct diagnostic *diagnostic)
{
    char *rest = NULL;
    bool good = isdigit((unsigned char)found->value[0]) && strlen(found->value) < 18;
    unsigned long long units = good ? strtoull(found->value, &rest, 10) : 0;
    if (!good || *rest != '\0') {
        char shown[TEXT_SHOWN_SIZE];
        return diagnostic_set(diagnostic, ERROR_INVALID, "%s: '%s' is no number of units",
            found->origin, text_shorten(found->value, shown));
    }
    profile->confirm_units = units;
    return 0;
}

static const struct {
    const char *flag;
    const char *variable;
    const char *key;
} names[PROFILE_COUNT] = {
#define PROFILE_ENTRY(name, flag, variable, key) [name] = {flag, variable, key},
    PROFILE_LIST(PROFILE_ENTRY)
#undef PROFILE_ENTRY
};

static int (*const takes[PROFILE_COUNT])(
    struct profile *profile, const struct found *found, struct diagnostic *diagnostic) = {
    [PROFILE_ENDPOINT] = take_endpoint,
    [PROFILE_STATE] = take_state,
    [PROFILE_USER] = take_user,
    [PROFILE_TIMEOUT] = take_timeout,
    [PROFILE_COLOR] = take_color,
    [PROFILE_CONFIRM] = take_confirm,
    [PROFILE_CERTIFICATE] = take_certificate,
    [PROFILE_BROKER_KEY] = take_broker_key,
};

/* Returns a variable of the environment, or NULL when it is not set or empty. */
static const char *
environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The configuration file. */

/* Writes the path of the file that is looked for when none is named; false: there is no HOME. */
static bool
home_path(char *path, size_t size, const char *variable, const char *folder, const char *name)
{
    const char *base = environment(variable);
    const char *home = environment("HOME");
    if (base != NULL) {
        snprintf(path, size, "%s/%s", base, name);
    } else if (home != NULL) {
        snprintf(path, size, "%s/%s/%s", home, folder, name);
    }
    return base != NULL || home != NULL;
}

/* The values of a file; empty where it has none. */
struct file_values {
    char texts[PROFILE_COUNT][FILES_PATH_SIZE];
};

/* Sees that a value is right, also when another is taken instead. */
static int
check_values(const char *path, struct file_values *values, struct found *found,
    struct diagnostic *diagnostic)
{
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        struct profile trial = {0};
        struct found here = {.value = values->texts[i], .kind = ORIGIN_FILE};
        if (here.value[0] == '\0') {
            continue;
        }
        snprintf(here.origin, sizeof here.origin, "%s: %s", path, names[i].key);
        int error = takes[i](&trial, &here, diagnostic);
        if (error != 0) {
            return error;
        }
        if (found[i].value == NULL) {
            found[i] = here;
        }
    }
    return 0;
}

static int
read_file(const char *path, struct file_values *values, struct diagnostic *diagnostic)
{
    struct setting settings[PROFILE_COUNT];
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        bool is_path = i == PROFILE_STATE || i == PROFILE_CERTIFICATE || i == PROFILE_BROKER_KEY;
        settings[i] = (struct setting){.key = names[i].key,
            .type = is_path ? SETTING_PATH : SETTING_TEXT,
            .min = 1,
            .max = sizeof values->texts[i],
            .target = values->texts[i]};
    }
    return settings_read(path, settings, PROFILE_COUNT, diagnostic);
}

/* Reads the file, if there is one; that which was named has to be there. */
static int
find_file(const struct flags *flags, char *path, size_t path_size, struct file_values *values,
    struct diagnostic *diagnostic)
{
    const char *named = flags->config != NULL ? flags->config : environment("STOCK_CONFIG");
    if (named != NULL) {
        snprintf(path, path_size, "%s", named);
        return read_file(path, values, diagnostic);
    }
    int error = ERROR_NOT_FOUND;
    if (home_path(path, path_size, "XDG_CONFIG_HOME", ".config", "stockbus/client.conf")) {
        error = read_file(path, values, diagnostic);
    }
    if (error == ERROR_NOT_FOUND) {
        snprintf(path, path_size, "/etc/stockbus/client.conf");
        error = read_file(path, values, diagnostic);
    }
    if (error == ERROR_NOT_FOUND) {
        path[0] = '\0';
        error = 0;
    }
    return error;
}

/* Finds what stands on the command line and in the environment. */
static void
find_near(const struct flags *flags, struct found *found)
{
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        const char *flag = flags->values[i];
        found[i].value = flag != NULL ? flag : environment(names[i].variable);
        found[i].kind = flag != NULL ? ORIGIN_FLAG : ORIGIN_ENVIRONMENT;
        snprintf(found[i].origin, sizeof found[i].origin, "%s",
            flag != NULL ? names[i].flag : names[i].variable);
    }
}

int
profile_load(struct profile *profile, const struct flags *flags, struct diagnostic *diagnostic)
{
    struct found found[PROFILE_COUNT] = {{.value = NULL}};
    struct profile result = {.timeout_ms = TIMEOUT_DEFAULT_MS,
        .endpoint = LINK_ENDPOINT_DEFAULT,
        .confirm_units = CONFIRM_UNITS_DEFAULT,
        .user_is_flag = flags->values[PROFILE_USER] != NULL};
    struct file_values values = {{""}};

    find_near(flags, found);
    int error = find_file(flags, result.file, sizeof result.file, &values, diagnostic);
    if (error == 0) {
        error = check_values(result.file, &values, found, diagnostic);
    }
    for (size_t i = 0; error == 0 && i < PROFILE_COUNT; i++) {
        if (found[i].value != NULL) {
            error = takes[i](&result, &found[i], diagnostic);
            result.origins[i] = found[i].kind;
        }
    }
    if (error == 0 && result.state[0] == '\0' &&
        !home_path(
            result.state, sizeof result.state, "XDG_STATE_HOME", ".local/state", "stockbus")) {
        error = diagnostic_set(
            diagnostic, ERROR_INVALID, "there is no HOME; name a state directory with --state");
    }
    if (error == 0 && (result.certificate[0] != '\0') != (result.broker_key[0] != '\0')) {
        error = diagnostic_set(diagnostic, ERROR_INVALID,
            "for an encrypted connection, this client's certificate and the broker's key go "
            "together; %s is missing",
            result.certificate[0] == '\0' ? "--certificate" : "--broker-key");
    }
    if (error == 0) {
        *profile = result;
    }
    return error;
}

/* Writes the value of a setting. */
static void
write_value(const struct profile *profile, enum profile_key key, char *value, size_t size)
{
    switch (key) {
    case PROFILE_ENDPOINT:
        snprintf(value, size, "%s", profile->endpoint);
        break;
    case PROFILE_STATE:
        snprintf(value, size, "%s", profile->state);
        break;
    case PROFILE_USER:
        snprintf(value, size, "%s", profile->user);
        break;
    case PROFILE_TIMEOUT:
        snprintf(value, size, "%" PRId64, profile->timeout_ms);
        break;
    case PROFILE_COLOR:
        snprintf(value, size, "%s", style_choice_word(profile->color));
        break;
    case PROFILE_CONFIRM:
        snprintf(value, size, "%" PRIu64, profile->confirm_units);
        break;
    case PROFILE_CERTIFICATE:
        snprintf(value, size, "%s", profile->certificate);
        break;
    case PROFILE_BROKER_KEY:
        snprintf(value, size, "%s", profile->broker_key);
        break;
    case PROFILE_COUNT:
        break;
    }
}

void
profile_describe(
    const struct profile *profile, enum profile_key key, struct profile_setting *setting)
{
    const char *const sources[] = {[ORIGIN_DEFAULT] = "",
        [ORIGIN_FILE] = profile->file,
        [ORIGIN_ENVIRONMENT] = names[key].variable,
        [ORIGIN_FLAG] = names[key].flag};
    setting->key = names[key].key;
    setting->origin = profile->origins[key];
    setting->source = sources[setting->origin];
    setting->value[0] = '\0';
    write_value(profile, key, setting->value, sizeof setting->value);
}
