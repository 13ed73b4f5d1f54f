/* Integers without an upper bound. */
#include "shared/pack.h"

bool
__real_object_uint(const msgpack_object *object, uint64_t min, uint64_t max, uint64_t *value);

bool
__wrap_object_uint(const msgpack_object *object, uint64_t min, uint64_t max, uint64_t *value);

bool
__wrap_object_uint(const msgpack_object *object, uint64_t min, uint64_t max, uint64_t *value)
{
    (void)max;
    return __real_object_uint(object, min, UINT64_MAX, value);
}
