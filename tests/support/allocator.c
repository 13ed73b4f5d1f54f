#include "support/allocator.h"

#include <errno.h>
#include <stddef.h>

/*
 * With a sanitizer, its allocator cannot be stood in front of: there the linker redirects the calls
 * of the program's own objects (--wrap), and what libraries take is not reached.
 */
#ifdef ALLOCATOR_WRAPS
#define REAL(name) __real_##name
#define FAKE(name) __wrap_##name
#else
#define REAL(name) __libc_##name
#define FAKE(name) name
#endif

void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t count, size_t size);
void *REAL(realloc)(void *data, size_t size);

void *FAKE(malloc)(size_t size);
void *FAKE(calloc)(size_t count, size_t size);
void *FAKE(realloc)(void *data, size_t size);

bool
allocator_reaches_libraries(void)
{
#ifdef ALLOCATOR_WRAPS
    return false;
#else
    return true;
#endif
}

static bool is_on;
static bool has_failed;
static uint64_t left;

void
allocator_fail(uint64_t number)
{
    left = number;
    has_failed = false;
    is_on = true;
}

void
allocator_pause(void)
{
    is_on = false;
}

void
allocator_resume(void)
{
    is_on = !has_failed && left > 0;
}

bool
allocator_stop(void)
{
    is_on = false;
    left = 0;
    return has_failed;
}

static bool
fails(void)
{
    if (!is_on || --left > 0) {
        return false;
    }
    is_on = false;
    has_failed = true;
    errno = ENOMEM;
    return true;
}

void *
FAKE(malloc)(size_t size)
{
    return fails() ? NULL : REAL(malloc)(size);
}

void *
FAKE(calloc)(size_t count, size_t size)
{
    return fails() ? NULL : REAL(calloc)(count, size);
}

void *
FAKE(realloc)(void *data, size_t size)
{
    return fails() ? NULL : REAL(realloc)(data, size);
}
