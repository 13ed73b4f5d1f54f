#include "fuzz/meter.h"

#include <stdbool.h>
#include <stdint.h>

static bool is_on;
static size_t total;

static void
count(size_t size)
{
    if (is_on) {
        total = size > SIZE_MAX - total ? SIZE_MAX : total + size;
    }
}

#ifdef METER_HOOKS

/* Of sanitizer/allocator_interface.h, a header that gcc does not bring though its runtime has it.
 */
int
__sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *data, size_t size),
    void (*on_free)(const volatile void *data));

static void
on_malloc(const volatile void *data, size_t size)
{
    (void)data;
    count(size);
}

static void
on_free(const volatile void *data)
{
    (void)data;
}

static void
prepare(void)
{
    static bool is_ready;
    if (!is_ready) {
        is_ready = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) != 0;
    }
}

#else

void *
__libc_malloc(size_t size);
void *
__libc_calloc(size_t number, size_t size);
void *
__libc_realloc(void *data, size_t size);

void *
malloc(size_t size);
void *
calloc(size_t number, size_t size);
void *
realloc(void *data, size_t size);

void *
malloc(size_t size)
{
    count(size);
    return __libc_malloc(size);
}

void *
calloc(size_t number, size_t size)
{
    count(size != 0 && number > SIZE_MAX / size ? SIZE_MAX : number * size);
    return __libc_calloc(number, size);
}

void *
realloc(void *data, size_t size)
{
    count(size);
    return __libc_realloc(data, size);
}

static void
prepare(void)
{
}

#endif

void
meter_start(void)
{
    prepare();
    total = 0;
    is_on = true;
}

size_t
meter_stop(void)
{
    is_on = false;
    return total;
}
