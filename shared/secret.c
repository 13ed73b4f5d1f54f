#include "shared/secret.h"

#include <errno.h>
#include <sys/stat.h>

/* Finds the mode of what is at `path`. */
static int
find_mode(const char *path, mode_t *mode, struct diagnostic *diagnostic)
{
    struct stat status;
    if (stat(path, &status) < 0) {
        int error = error_from_errno(errno);
        return diagnostic_set(diagnostic, error, "%s: %s", path, error_text(error));
    }
    *mode = status.st_mode;
    return 0;
}

int
secret_check(const char *path, struct diagnostic *diagnostic)
{
    mode_t mode = 0;
    int error = find_mode(path, &mode, diagnostic);
    if (S_ISREG(mode) && (mode & (S_IRWXG | S_IRWXO)) != 0) {
        return diagnostic_set(diagnostic, ERROR_PERMISSION,
            "%s: holds a secret, and others than its owner may use it (mode %04o); "
            "'chmod 600 %s' helps",
            path, (unsigned)(mode & 07777), path);
    }
    return error;
}

int
secret_check_writers(const char *path, struct diagnostic *diagnostic)
{
    mode_t mode = 0;
    int error = find_mode(path, &mode, diagnostic);
    if ((S_ISREG(mode) || S_ISDIR(mode)) && (mode & (S_IWGRP | S_IWOTH)) != 0) {
        return diagnostic_set(diagnostic, ERROR_PERMISSION,
            "%s: others than its owner may %s (mode %04o); 'chmod go-w %s' helps", path,
            S_ISDIR(mode) ? "put files there" : "write to it", (unsigned)(mode & 07777), path);
    }
    return error;
}
