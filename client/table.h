/**
 * table.h: items as a table: aligned on a terminal, separated by tabs elsewhere.
 *
 * Aligned, it fits its width: names are cut, and where columns are left over, a bar shows each
 * level against the highest. A total stands below.
 */
#ifndef STOCKBUS_CLIENT_TABLE_H
#define STOCKBUS_CLIENT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "shared/protocol.h"

/** Where tables go, and what they may use there. */
struct table {
    FILE *out;       /**< the caller's */
    bool is_aligned; /**< in columns of equal width; otherwise one tab between cells */
    bool is_colored; /**< only when aligned */
    unsigned width;  /**< columns that a line may take, when aligned */
};

/** Writes a table of `count` items; a name that is NULL is left out. */
void
table_write(const struct table *table, const struct item *items, size_t count);

enum {
    TABLE_NUMBER_SIZE = 32
};

/** Writes `value` with a comma between its thousands. */
void
table_format_number(uint64_t value, char text[TABLE_NUMBER_SIZE]);

/** Returns the columns that `text` takes on a terminal. It is UTF-8. */
unsigned
table_text_width(const char *text);

/**
 * Writes `text`, which begins at `column`, in lines of at most `width` columns, broken at spaces. A
 * longer word is left whole.
 */
void
table_write_wrapped(FILE *out, const char *text, unsigned column, unsigned width);

/**
 * Returns how many bytes of `text` fit into `width_max` columns, never cutting a character. Their
 * width is in `*width`.
 */
size_t
table_fit(const char *text, unsigned width_max, unsigned *width);

#endif
