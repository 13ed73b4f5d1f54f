#include "client/zpl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Runs zconfig_load() with what it prints to standard output caught in `said`. */
static zconfig_t *
load_quietly(const char *path, FILE *said)
{
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    if (saved >= 0) {
        (void)dup2(fileno(said), STDOUT_FILENO);
    }
    zconfig_t *root = zconfig_load(path);
    fflush(stdout);
    if (saved >= 0) {
        (void)dup2(saved, STDOUT_FILENO);
        close(saved);
    }
    return root;
}

/* Makes "date time E (zconfig): (2) missing quote" into "line 2: missing quote". */
static int
explain(const char *path, FILE *said, struct diagnostic *diagnostic)
{
    char text[DIAGNOSTIC_SIZE] = "";
    char *reason = NULL;
    unsigned line = 0;
    rewind(said);
    if (fgets(text, sizeof text, said) != NULL) {
        text[strcspn(text, "\n")] = '\0';
        reason = strstr(text, "): (");
    }
    if (reason == NULL || sscanf(reason, "): (%u)", &line) != 1) {
        return diagnostic_set(diagnostic, ERROR_INVALID, "%s: not a ZPL file", path);
    }
    reason = strchr(reason + 3, ')');
    return diagnostic_set(diagnostic, ERROR_INVALID, "%s: line %u:%s", path, line, reason + 1);
}

int
zpl_load(zconfig_t **root, const char *path, struct diagnostic *diagnostic)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        int code = error_from_errno(errno);
        return diagnostic_set(diagnostic, code, "%s: %s", path, error_text(code));
    }
    fclose(file);
    FILE *said = tmpfile();
    if (said == NULL) {
        int code = error_from_errno(errno);
        return diagnostic_set(diagnostic, code, "a temporary file: %s", error_text(code));
    }
    zconfig_t *loaded = load_quietly(path, said);
    int error = loaded == NULL ? explain(path, said, diagnostic) : 0;
    fclose(said);
    if (error == 0) {
        *root = loaded;
    }
    return error;
}
