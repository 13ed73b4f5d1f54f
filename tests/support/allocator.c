#include "support/allocator.h"

#include <errno.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#endif

/* The allocator behind this one, by the names under which it can still be had. */
#ifdef HAS_SANITIZER
#define REAL(name) __interceptor_##name
#else
#define REAL(name) __libc_##name
#endif

void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t count, size_t size);
void *REAL(realloc)(void *data, size_t size);

void *
malloc(size_t size);
void *
calloc(size_t count, size_t size);
void *
realloc(void *data, size_t size);

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
malloc(size_t size)
{
    return fails() ? NULL : REAL(malloc)(size);
}

void *
calloc(size_t count, size_t size)
{
    return fails() ? NULL : REAL(calloc)(count, size);
}

void *
realloc(void *data, size_t size)
{
    return fails() ? NULL : REAL(realloc)(data, size);
}
