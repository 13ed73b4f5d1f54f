/**
 * index.h: finds rows of a flat array by their key.
 *
 * The rows are the caller's: structs of `row_size` bytes whose first member is a uint64_t key. The
 * index holds nothing but row numbers, in an open-addressed table with linear probing that is at
 * most half full: 8 to 16 bytes a row.
 */
#ifndef STOCKBUS_BROKER_INDEX_H
#define STOCKBUS_BROKER_INDEX_H

#include <stddef.h>
#include <stdint.h>

/** An index over rows that begin with their key, a uint64_t. */
struct index {
    uint32_t *slots; /**< row number plus one; 0: empty */
    size_t mask;     /**< slots less one; slots are a power of two */
    size_t row_size; /**< bytes of one row */
};

enum {
    INDEX_NONE = UINT32_MAX
};

/** Makes an empty index over rows of `row_size` bytes. Takes no memory yet. */
void
index_init(struct index *index, size_t row_size);

/** Frees the memory; the index is empty again. */
void
index_clear(struct index *index);

/**
 * Makes room for `rows` rows in all, of which the first `count` at `data` are indexed already.
 * Returns 0, or ERROR_MEMORY with nothing changed.
 */
int
index_reserve(struct index *index, const void *data, size_t count, size_t rows);

/** Adds row `row` of `data`, for which room was made, and whose key is in no other row. */
void
index_add(struct index *index, const void *data, uint32_t row);

/** Returns the row of `data` that has `key`, or INDEX_NONE. */
uint32_t
index_find(const struct index *index, const void *data, uint64_t key);

/** Removes row `row` of `data`, which is indexed and still holds its key. */
void
index_remove(struct index *index, const void *data, uint32_t row);

/** Says that the row numbered `from` stands at `to` now, with its key in both places. */
void
index_move(struct index *index, const void *data, uint32_t from, uint32_t to);

#endif
