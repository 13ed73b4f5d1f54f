#include "client/settings.h"

#include "client/conversation.h"
#include "client/zpl.h"
#include "shared/pack.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A value that was found, and where. */
struct found {
    const char *value;
    char origin[FILES_PATH_SIZE + 32];
};

static int
take_endpoint(struct settings *settings, const struct found *found, struct diagnostic *diagnostic)
{
    const char *host = found->value + strlen("tcp://");
    const char *colon = strrchr(found->value, ':');
    char *rest = NULL;
    bool good = strncmp(found->value, "tcp://", 6) == 0 && colon > host &&
                strlen(found->value) < sizeof settings->endpoint &&
                isdigit((unsigned char)colon[1]);
    unsigned long port = good ? strtoul(colon + 1, &rest, 10) : 0;
    if (!good || *rest != '\0' || port < 1 || port > 65535) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "%s: '%s' is no endpoint, which looks like tcp://127.0.0.1:5570", found->origin,
            found->value);
    }
    memcpy(settings->endpoint, found->value, strlen(found->value) + 1);
    return 0;
}

static int
take_state(struct settings *settings, const struct found *found, struct diagnostic *diagnostic)
{
    if (strlen(found->value) >= sizeof settings->state) {
        return diagnostic_set(diagnostic, ERROR_INVALID, "%s: too long a path", found->origin);
    }
    memcpy(settings->state, found->value, strlen(found->value) + 1);
    return 0;
}

static int
take_user(struct settings *settings, const struct found *found, struct diagnostic *diagnostic)
{
    size_t size = strlen(found->value);
    if (size > USER_SIZE_MAX || !text_is_printable(found->value, size)) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "%s: a user name has 1 to %d bytes of printable text", found->origin, USER_SIZE_MAX);
    }
    memcpy(settings->user, found->value, size + 1);
    return 0;
}

static int
take_timeout(struct settings *settings, const struct found *found, struct diagnostic *diagnostic)
{
    char *rest = NULL;
    bool good = isdigit((unsigned char)found->value[0]) && strlen(found->value) < 10;
    unsigned long timeout_ms = good ? strtoul(found->value, &rest, 10) : 0;
    if (!good || *rest != '\0' || timeout_ms < 1 || timeout_ms > TIMEOUT_MAX_MS) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "%s: '%s' is no number of milliseconds from 1 to %d", found->origin, found->value,
            TIMEOUT_MAX_MS);
    }
    settings->timeout_ms = (int64_t)timeout_ms;
    return 0;
}

static const struct {
    const char *flag;
    const char *variable;
    const char *key;
} names[SETTING_COUNT] = {
#define SETTING_ENTRY(name, flag, variable, key) [name] = {flag, variable, key},
    SETTING_LIST(SETTING_ENTRY)
#undef SETTING_ENTRY
};

static int (*const takes[SETTING_COUNT])(
    struct settings *settings, const struct found *found, struct diagnostic *diagnostic) = {
    [SETTING_ENDPOINT] = take_endpoint,
    [SETTING_STATE] = take_state,
    [SETTING_USER] = take_user,
    [SETTING_TIMEOUT] = take_timeout,
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

static int
find_key(const char *path, const char *key, size_t *setting, struct diagnostic *diagnostic)
{
    for (*setting = 0; *setting < SETTING_COUNT; (*setting)++) {
        if (strcmp(key, names[*setting].key) == 0) {
            return 0;
        }
    }
    return diagnostic_set(diagnostic, ERROR_INVALID,
        "%s: there is no setting '%s'; there are endpoint, state, user and timeout_ms", path, key);
}

/* Takes the values of the file that the command line and the environment leave open. */
static int
take_file(const char *path, zconfig_t *root, struct found *found, struct diagnostic *diagnostic)
{
    bool seen[SETTING_COUNT] = {false};
    for (zconfig_t *entry = zconfig_child(root); entry != NULL; entry = zconfig_next(entry)) {
        const char *key = zconfig_name(entry);
        const char *value = zconfig_value(entry);
        size_t setting;
        int error = find_key(path, key, &setting, diagnostic);
        if (error != 0) {
            return error;
        }
        if (seen[setting] || zconfig_child(entry) != NULL || value == NULL || value[0] == '\0') {
            return diagnostic_set(diagnostic, ERROR_INVALID, "%s: %s: %s", path, key,
                seen[setting] ? "stands twice" : "wants one value");
        }
        seen[setting] = true;
        /* A value that another overrides is still a value that has to be right. */
        struct settings trial = {0};
        struct found here = {.value = value};
        snprintf(here.origin, sizeof here.origin, "%s: %s", path, key);
        error = takes[setting](&trial, &here, diagnostic);
        if (error != 0) {
            return error;
        }
        if (found[setting].value == NULL) {
            found[setting] = here;
        }
    }
    return 0;
}

/* Loads the file. `*root` stays NULL when there is none and none was named. */
static int
load_file(const struct flags *flags, zconfig_t **root, char *path, size_t path_size,
    struct diagnostic *diagnostic)
{
    const char *named = flags->config != NULL ? flags->config : environment("STOCK_CONFIG");
    if (named != NULL) {
        snprintf(path, path_size, "%s", named);
        return zpl_load(root, path, diagnostic);
    }
    int error = ERROR_NOT_FOUND;
    if (home_path(path, path_size, "XDG_CONFIG_HOME", ".config", "stockbus/client.conf")) {
        error = zpl_load(root, path, diagnostic);
    }
    if (error == ERROR_NOT_FOUND) {
        snprintf(path, path_size, "/etc/stockbus/client.conf");
        error = zpl_load(root, path, diagnostic);
    }
    return error == ERROR_NOT_FOUND ? 0 : error;
}

int
settings_load(struct settings *settings, const struct flags *flags, struct diagnostic *diagnostic)
{
    struct found found[SETTING_COUNT] = {{NULL, ""}};
    struct settings result = {.timeout_ms = TIMEOUT_DEFAULT_MS,
        .endpoint = "tcp://127.0.0.1:5570",
        .user_is_flag = flags->values[SETTING_USER] != NULL};
    char path[FILES_PATH_SIZE];
    zconfig_t *root = NULL;

    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *flag = flags->values[i];
        found[i].value = flag != NULL ? flag : environment(names[i].variable);
        snprintf(found[i].origin, sizeof found[i].origin, "%s",
            flag != NULL ? names[i].flag : names[i].variable);
    }
    int error = load_file(flags, &root, path, sizeof path, diagnostic);
    if (error == 0 && root != NULL) {
        error = take_file(path, root, found, diagnostic);
    }
    for (size_t i = 0; error == 0 && i < SETTING_COUNT; i++) {
        if (found[i].value != NULL) {
            error = takes[i](&result, &found[i], diagnostic);
        }
    }
    if (error == 0 && result.state[0] == '\0' &&
        !home_path(
            result.state, sizeof result.state, "XDG_STATE_HOME", ".local/state", "stockbus")) {
        error = diagnostic_set(
            diagnostic, ERROR_INVALID, "there is no HOME; name a state directory with --state");
    }
    if (root != NULL) {
        zconfig_destroy(&root);
    }
    if (error == 0) {
        *settings = result;
    }
    return error;
}
