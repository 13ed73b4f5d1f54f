#include "shared/secret.h"

#include <errno.h>
#include <sys/stat.h>

int
secret_check(const char *path, struct diagnostic *diagnostic)
{
    struct stat status;
    if (stat(path, &status) < 0) {
        int error = error_from_errno(errno);
        return diagnostic_set(diagnostic, error, "%s: %s", path, error_text(error));
    }
    if (S_ISREG(status.st_mode) && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return diagnostic_set(diagnostic, ERROR_PERMISSION,
            "%s: holds a secret, and others than its owner may use it (mode %04o); "
            "'chmod 600 %s' helps",
            path, (unsigned)(status.st_mode & 07777), path);
    }
    return 0;
}

int
secret_check_folder(const char *path, struct diagnostic *diagnostic)
{
    struct stat status;
    if (stat(path, &status) < 0) {
        int error = error_from_errno(errno);
        return diagnostic_set(diagnostic, error, "%s: %s", path, error_text(error));
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return diagnostic_set(diagnostic, ERROR_PERMISSION,
            "%s: others than its owner may put files there (mode %04o); 'chmod go-w %s' helps",
            path, (unsigned)(status.st_mode & 07777), path);
    }
    return 0;
}
