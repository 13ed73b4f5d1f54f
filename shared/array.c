#include "shared/array.h"

#include <stdint.h>
#include <stdlib.h>

enum {
    ROWS_MIN = 16
};

void *
array_grow(void *rows, size_t count, size_t *count_max, size_t row_size)
{
    if (count < *count_max) {
        return rows;
    }
    size_t larger_max = *count_max == 0 ? ROWS_MIN : *count_max * 2;
    void *larger = larger_max > SIZE_MAX / row_size ? NULL : realloc(rows, larger_max * row_size);
    if (larger != NULL) {
        *count_max = larger_max;
    }
    return larger;
}
