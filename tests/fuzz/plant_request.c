/*
 * A guard that believes counts of 16 bits. The linker leads the calls here; see --wrap in
 * ld(1). So it is in all plant_*.c: the sources that are tested stay as they are.
 */
#include "shared/guard.h"

#include <stdint.h>

enum guard_verdict
__real_guard_measure(
    const void *data, size_t size, const struct guard_bounds *bounds, size_t *used);

enum guard_verdict
__wrap_guard_measure(
    const void *data, size_t size, const struct guard_bounds *bounds, size_t *used);

enum guard_verdict
__wrap_guard_measure(const void *data, size_t size, const struct guard_bounds *bounds, size_t *used)
{
    enum guard_verdict verdict = __real_guard_measure(data, size, bounds, used);
    const uint8_t *bytes = data;
    if (verdict == GUARD_ELEMENTS && (bytes[*used] == 0xdc || bytes[*used] == 0xde)) {
        *used = size;
        return GUARD_OK;
    }
    return verdict;
}
