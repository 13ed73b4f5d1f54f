#include "broker/index.h"

#include "shared/error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS_MIN = 64
};

void
index_init(struct index *index, size_t row_size)
{
    *index = (struct index){.row_size = row_size};
}

void
index_clear(struct index *index)
{
    free(index->slots);
    index_init(index, index->row_size);
}

static uint64_t
key_of(const struct index *index, const void *data, uint32_t row)
{
    uint64_t key;
    memcpy(&key, (const char *)data + (size_t)row * index->row_size, sizeof key);
    return key;
}

/* The slot where the search for `key` begins: the finalizer of SplitMix64 spreads near keys apart.
 */
static size_t
home_of(const struct index *index, uint64_t key)
{
    key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9;
    key = (key ^ (key >> 27)) * 0x94d049bb133111eb;
    return (size_t)(key ^ (key >> 31)) & index->mask;
}

int
index_reserve(struct index *index, const void *data, size_t count, size_t rows)
{
    assert(rows < INDEX_NONE);
    size_t slots = SLOTS_MIN;
    while (slots < 2 * rows) {
        slots *= 2;
    }
    if (index->slots != NULL && slots <= index->mask + 1) {
        return 0;
    }
    uint32_t *larger = calloc(slots, sizeof *larger);
    if (larger == NULL) {
        return ERROR_MEMORY;
    }
    free(index->slots);
    index->slots = larger;
    index->mask = slots - 1;
    for (size_t row = 0; row < count; row++) {
        index_add(index, data, (uint32_t)row);
    }
    return 0;
}

void
index_add(struct index *index, const void *data, uint32_t row)
{
    size_t at = home_of(index, key_of(index, data, row));
    while (index->slots[at] != 0) {
        at = (at + 1) & index->mask;
    }
    index->slots[at] = row + 1;
}

/* Returns the slot of `key`, or that where it would be. */
static size_t
find_slot(const struct index *index, const void *data, uint64_t key)
{
    size_t at = home_of(index, key);
    while (index->slots[at] != 0 && key_of(index, data, index->slots[at] - 1) != key) {
        at = (at + 1) & index->mask;
    }
    return at;
}

uint32_t
index_find(const struct index *index, const void *data, uint64_t key)
{
    if (index->slots == NULL) {
        return INDEX_NONE;
    }
    uint32_t found = index->slots[find_slot(index, data, key)];
    return found == 0 ? INDEX_NONE : found - 1;
}

void
index_remove(struct index *index, const void *data, uint32_t row)
{
    size_t hole = find_slot(index, data, key_of(index, data, row));
    assert(index->slots[hole] == row + 1);
    /* Close the gap: whoever was pushed past the hole by it moves up (Knuth, TAOCP 3, 6.4 R). */
    for (size_t at = (hole + 1) & index->mask; index->slots[at] != 0; at = (at + 1) & index->mask) {
        size_t home = home_of(index, key_of(index, data, index->slots[at] - 1));
        if (((at - home) & index->mask) >= ((at - hole) & index->mask)) {
            index->slots[hole] = index->slots[at];
            hole = at;
        }
    }
    index->slots[hole] = 0;
}

void
index_move(struct index *index, const void *data, uint32_t from, uint32_t to)
{
    size_t at = home_of(index, key_of(index, data, from));
    while (index->slots[at] != from + 1) {
        at = (at + 1) & index->mask;
    }
    index->slots[at] = to + 1;
}
