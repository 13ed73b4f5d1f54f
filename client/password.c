#include "client/password.h"

#include "shared/pack.h"
#include "shared/secret.h"
#include "shared/text.h"

#include <bsd/readpassphrase.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_SIZE = PASSWORD_SIZE_MAX + 2 /* one byte more than allowed, and a zero */
};

static int
system_error(const char *path, struct diagnostic *diagnostic)
{
    int code = error_from_errno(errno);
    return diagnostic_set(diagnostic, code, "%s: %s", path, error_text(code));
}

/* Reads up to the end of the first line or of the room. */
static int
read_line(int fd, char *line, size_t size)
{
    size_t used = 0;
    while (used < size - 1 && memchr(line, '\n', used) == NULL) {
        ssize_t got = read(fd, line + used, size - 1 - used);
        if (got < 0) {
            return error_from_errno(errno);
        }
        if (got == 0) {
            break;
        }
        used += (size_t)got;
    }
    line[used] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return 0;
}

static int
read_file(const char *path, char *line, struct diagnostic *diagnostic)
{
    int error = secret_check(path, diagnostic);
    if (error != 0) {
        return error;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return system_error(path, diagnostic);
    }
    error = read_line(fd, line, LINE_SIZE);
    if (error != 0) {
        diagnostic_set(diagnostic, error, "%s: %s", path, error_text(error));
    }
    close(fd);
    return error;
}

static int
ask(const char *user, char *line, struct diagnostic *diagnostic)
{
    char prompt[USER_SIZE_MAX + 32];
    snprintf(prompt, sizeof prompt, "password of %s: ", user);
    if (readpassphrase(prompt, line, LINE_SIZE, RPP_REQUIRE_TTY) != NULL) {
        return 0;
    }
    if (errno == EINTR) {
        return diagnostic_set(diagnostic, ERROR_INTERRUPTED, "no password was given");
    }
    return diagnostic_set(diagnostic, ERROR_INVALID,
        "there is no terminal to ask for a password on; use --password-file or STOCK_PASSWORD");
}

int
password_get(char password[PASSWORD_SIZE_MAX + 1], const char *file, const char *user,
    struct diagnostic *diagnostic)
{
    char line[LINE_SIZE] = "";
    const char *variable = getenv("STOCK_PASSWORD");
    int error = 0;
    if (file != NULL) {
        error = read_file(file, line, diagnostic);
    } else if (variable != NULL) {
        snprintf(line, sizeof line, "%s", variable);
    } else {
        error = ask(user, line, diagnostic);
    }
    size_t size = strlen(line);
    if (error == 0 && (size == 0 || size > PASSWORD_SIZE_MAX || !text_is_printable(line, size))) {
        error = diagnostic_set(diagnostic, ERROR_INVALID,
            "a password has 1 to %d bytes of printable text", PASSWORD_SIZE_MAX);
    }
    if (error == 0) {
        memcpy(password, line, size + 1);
    }
    sodium_memzero(line, sizeof line);
    return error;
}
