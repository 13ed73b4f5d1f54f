#include "shared/settings.h"

#include "shared/files.h"

#include <czmq.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    NAME_SIZE = 256 /* of a key with its section; no setting has a longer one */
};

/* Parses a text and catches what zconfig prints about it, "…(LINE) REASON", in `complaint`. */
static zconfig_t *
parse(const char *text, char *complaint, size_t size)
{
    FILE *caught = tmpfile();
    fflush(stdout);
    int kept = caught != NULL ? dup(STDOUT_FILENO) : -1;
    if (kept >= 0) {
        dup2(fileno(caught), STDOUT_FILENO);
    }
    zconfig_t *root = zconfig_str_load(text);
    complaint[0] = '\0';
    if (kept >= 0) {
        fflush(stdout);
        dup2(kept, STDOUT_FILENO);
        close(kept);
        rewind(caught);
        complaint[fread(complaint, 1, size - 1, caught)] = '\0';
    }
    if (caught != NULL) {
        (void)fclose(caught);
    }
    return root;
}

static int
bad_syntax(const char *path, char *complaint, struct diagnostic *diagnostic)
{
    char *end = NULL;
    char *line = strchr(complaint, '(');
    line = line != NULL ? strchr(line + 1, '(') : NULL; /* the first one says "(zconfig)" */
    long number = line != NULL ? strtol(line + 1, &end, 10) : 0;
    if (number <= 0 || end == NULL || *end != ')') {
        return diagnostic_set(diagnostic, ERROR_INVALID, "%s: not in ZPL syntax", path);
    }
    end[strcspn(end, "\n")] = '\0';
    return diagnostic_set(diagnostic, ERROR_INVALID, "%s: line %ld: %s", path, number, end + 2);
}

/* Copies a path; a relative one is taken from the folder of the file that names it. */
static int
take_path(const char *file, const char *value, char *target, size_t size)
{
    const char *slash = strrchr(file, '/');
    int length = value[0] == '/' || slash == NULL
                     ? snprintf(target, size, "%s", value)
                     : snprintf(target, size, "%.*s/%s", (int)(slash - file), file, value);
    return length < 0 || (size_t)length >= size ? ERROR_INVALID : 0;
}

static int
take_number(const char *value, const struct setting *setting)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || number < setting->min ||
        number > setting->max) {
        return ERROR_INVALID;
    }
    *(uint64_t *)setting->target = number;
    return 0;
}

static int
take(const char *path, const struct setting *setting, const char *value,
    struct diagnostic *diagnostic)
{
    int error = ERROR_INVALID;
    size_t size = strlen(value);
    if (setting->type == SETTING_NUMBER) {
        error = take_number(value, setting);
        return error == 0 ? 0
                          : diagnostic_set(diagnostic, error,
                                "%s: %s: '%s' is not a number from %" PRIu64 " to %" PRIu64, path,
                                setting->key, value, setting->min, setting->max);
    }
    if (size >= setting->min && size < setting->max) {
        error = setting->type == SETTING_PATH
                    ? take_path(path, value, setting->target, setting->max)
                    : take_path("", value, setting->target, setting->max);
    }
    return error == 0 ? 0
                      : diagnostic_set(diagnostic, error,
                            "%s: %s: a text of %" PRIu64 " to %" PRIu64 " bytes is expected", path,
                            setting->key, setting->min, setting->max - 1);
}

/* What is read, and into what. */
struct reading {
    const char *path;
    const struct setting *settings;
    size_t count;
    struct diagnostic *diagnostic;
};

static const struct setting *
find_setting(const struct reading *reading, const char *name)
{
    for (size_t i = 0; i < reading->count; i++) {
        if (strcmp(name, reading->settings[i].key) == 0) {
            return &reading->settings[i];
        }
    }
    return NULL;
}

/* Does any setting stand in a section of this name? */
static bool
is_known_section(const struct reading *reading, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < reading->count; i++) {
        const char *key = reading->settings[i].key;
        if (strncmp(key, name, size) == 0 && key[size] == '/') {
            return true;
        }
    }
    return false;
}

/* Says what is wrong with an entry of this whole name, or NULL. `setting` is NULL for a section. */
static const char *
fault_of(const struct reading *reading, zconfig_t *entry, const char *name,
    const struct setting *setting)
{
    bool is_ignored = setting != NULL && setting->type == SETTING_IGNORED;
    if (strchr(zconfig_name(entry), '/') != NULL) {
        return "a key of a section stands below its name, indented by four spaces";
    }
    if (setting == NULL && !is_known_section(reading, name)) {
        return "there is no such key";
    }
    if (setting == NULL && zconfig_value(entry)[0] != '\0') {
        return "is a section, and has no value";
    }
    if (setting != NULL && !is_ignored && zconfig_child(entry) != NULL) {
        return "is no section";
    }
    for (zconfig_t *other = zconfig_next(entry); other != NULL; other = zconfig_next(other)) {
        if (strcmp(zconfig_name(other), zconfig_name(entry)) == 0) {
            return "stands twice";
        }
    }
    return NULL;
}

/* Takes the entries below `parent`, whose name is `section`; empty at the top of the file. */
static int
/* NOLINTNEXTLINE(misc-no-recursion): a section of a file has none in itself */
take_all(const struct reading *reading, zconfig_t *parent, const char *section)
{
    int error = 0;
    for (zconfig_t *entry = zconfig_child(parent); error == 0 && entry != NULL;
         entry = zconfig_next(entry)) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "%s%s%s", section, section[0] != '\0' ? "/" : "",
            zconfig_name(entry));
        const struct setting *setting = find_setting(reading, name);
        const char *fault = fault_of(reading, entry, name, setting);
        if (fault != NULL) {
            error = diagnostic_set(
                reading->diagnostic, ERROR_INVALID, "%s: %s: %s", reading->path, name, fault);
        } else if (setting == NULL) {
            error = take_all(reading, entry, name);
        } else if (setting->type != SETTING_IGNORED) {
            error = take(reading->path, setting, zconfig_value(entry), reading->diagnostic);
        }
    }
    return error;
}

int
settings_read(
    const char *path, const struct setting *settings, size_t count, struct diagnostic *diagnostic)
{
    char complaint[512];
    unsigned char *content = NULL;
    size_t size = 0;
    int error = files_read_all(files_system(), path, 1024 * 1024, &content, &size);
    if (error != 0) {
        return diagnostic_set(diagnostic, error, "%s: %s", path, error_text(error));
    }
    if (memchr(content, '\0', size) != NULL) {
        /* zconfig would pass over all that stands behind it. */
        free(content);
        return diagnostic_set(diagnostic, ERROR_INVALID, "%s: holds a zero byte", path);
    }
    zconfig_t *root = parse((const char *)content, complaint, sizeof complaint);
    free(content);
    if (root == NULL) {
        return bad_syntax(path, complaint, diagnostic);
    }
    const struct reading reading = {path, settings, count, diagnostic};
    error = take_all(&reading, root, "");
    zconfig_destroy(&root);
    return error;
}
