#include "shared/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const error_texts[ERROR_COUNT] = {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): an initialiser, a literal */
#define ERROR_TEXT(name, text) [name##_INDEX] = text,
    ERROR_LIST(ERROR_TEXT)
#undef ERROR_TEXT
};

const char *
error_text(int error)
{
    if (error == 0) {
        return "done";
    }
    int index = -1 - error;
    return index >= 0 && index < ERROR_COUNT ? error_texts[index] : "unknown error";
}

int
error_from_errno(int system_errno)
{
    switch (system_errno) {
    case ENOMEM:
        return ERROR_MEMORY;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERROR_NO_SPACE;
    case ENOENT:
    case ENOTDIR:
        return ERROR_NOT_FOUND;
    case EEXIST:
        return ERROR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERROR_PERMISSION;
    case EWOULDBLOCK:
        return ERROR_LOCKED;
    case EINTR:
        return ERROR_INTERRUPTED;
    case EINVAL:
        return ERROR_INVALID;
    case EISDIR:
        return ERROR_DIRECTORY;
    case EMFILE:
    case ENFILE:
        return ERROR_TOO_MANY_FILES;
    case EADDRINUSE:
        return ERROR_ADDRESS_IN_USE;
    default:
        return ERROR_IO;
    }
}

bool
error_may_pass(int error)
{
    return error == ERROR_MEMORY || error == ERROR_NO_SPACE || error == ERROR_TOO_MANY_FILES;
}

int
diagnostic_set(struct diagnostic *diagnostic, int error, const char *format, ...)
{
    if (diagnostic != NULL) {
        va_list arguments;
        va_start(arguments, format);
        /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start() is right above */
        vsnprintf(diagnostic->text, sizeof diagnostic->text, format, arguments);
        va_end(arguments);
    }
    return error;
}
