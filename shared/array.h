/**
 * array.h: arrays on the heap that grow.
 */
#ifndef STOCKBUS_SHARED_ARRAY_H
#define STOCKBUS_SHARED_ARRAY_H

#include <stddef.h>

/**
 * Returns `rows`, or a larger copy in its place, with room for one more row than `count`;
 * `*count_max` says for how many, 0 at first. Returns NULL when memory is short; then nothing has
 * changed.
 */
void *
array_grow(void *rows, size_t count, size_t *count_max, size_t row_size);

#endif
