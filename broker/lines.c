#include "broker/lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum {
    LINE_SIZE_MAX = 4000
};

static const char blanks[] = " \t\r\n";

/* Removes blanks from the end; returns the first character that is none. */
static char *
trim(char *line)
{
    size_t size = strlen(line);
    while (size > 0 && strchr(blanks, line[size - 1]) != NULL) {
        line[--size] = '\0';
    }
    return line + strspn(line, blanks);
}

int
lines_read(const char *path, lines_fn *each, void *context, struct diagnostic *diagnostic)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    int error = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        const char *reason = error_text(error_from_errno(errno));
        return diagnostic_set(diagnostic, ERROR_INVALID, "%s: %s", path, reason);
    }
    for (long number = 1; error == 0 && (size = getline(&line, &room, file)) >= 0; number++) {
        struct diagnostic reason = {""};
        if (size > LINE_SIZE_MAX) {
            error = diagnostic_set(&reason, ERROR_INVALID, "is too long");
        } else if (strlen(line) != (size_t)size) {
            error = diagnostic_set(&reason, ERROR_INVALID, "holds a zero byte");
        } else {
            char *text = trim(line);
            if (text[0] != '\0' && text[0] != '#') {
                error = each(context, text, number, &reason);
            }
        }
        if (error != 0) {
            diagnostic_set(diagnostic, error, "%s: line %ld: %s", path, number, reason.text);
        }
    }
    if (error == 0 && !feof(file)) {
        error = diagnostic_set(diagnostic, ERROR_INVALID, "%s: %s", path, error_text(ERROR_IO));
    }
    free(line);
    (void)fclose(file); /* it was only read */
    return error;
}

char *
lines_word(char **rest)
{
    char *word = *rest;
    size_t size = strcspn(word, blanks);
    *rest = word + size + strspn(word + size, blanks);
    word[size] = '\0';
    return word;
}
