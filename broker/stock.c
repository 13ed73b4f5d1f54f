#include "broker/stock.h"

#include "shared/array.h"
#include "shared/error.h"

#include <stdlib.h>
#include <string.h>

enum {
    NAME_BLOCK_SIZE = 64 * 1024
};

struct name_block {
    struct name_block *next;
    size_t used;
    char text[];
};

void
stock_init(struct stock *stock)
{
    *stock = (struct stock){.count = 0};
    index_init(&stock->index, sizeof *stock->items);
}

void
stock_clear(struct stock *stock)
{
    while (stock->names != NULL) {
        struct name_block *block = stock->names;
        stock->names = block->next;
        free(block);
    }
    index_clear(&stock->index);
    free(stock->items);
    stock_init(stock);
}

static char *
keep_name(struct stock *stock, const char *name, size_t size)
{
    struct name_block *block = stock->names;
    if (block == NULL || NAME_BLOCK_SIZE - block->used < size + 1) {
        block = malloc(sizeof *block + NAME_BLOCK_SIZE);
        if (block == NULL) {
            return NULL;
        }
        *block = (struct name_block){.next = stock->names};
        stock->names = block;
    }
    char *copy = block->text + block->used;
    memcpy(copy, name, size);
    copy[size] = '\0';
    block->used += size + 1;
    return copy;
}

static int
make_room(struct stock *stock)
{
    struct item *items = array_grow(stock->items, stock->count, &stock->count_max, sizeof *items);
    if (items == NULL) {
        return ERROR_MEMORY;
    }
    stock->items = items;
    return index_reserve(&stock->index, items, stock->count, stock->count_max);
}

int
stock_add(struct stock *stock, uint64_t upc, const char *name, size_t name_size, uint64_t units)
{
    if (stock->count > 0 && stock->items[stock->count - 1].upc >= upc) {
        return ERROR_INVALID;
    }
    int error = make_room(stock);
    char *kept = error == 0 ? keep_name(stock, name, name_size) : NULL;
    if (kept == NULL) {
        return ERROR_MEMORY;
    }
    stock->items[stock->count] = (struct item){upc, units, kept};
    index_add(&stock->index, stock->items, (uint32_t)stock->count);
    stock->count++;
    return 0;
}

struct item *
stock_find(const struct stock *stock, uint64_t upc)
{
    uint32_t row = index_find(&stock->index, stock->items, upc);
    return row == INDEX_NONE ? NULL : &stock->items[row];
}

size_t
stock_first_after(const struct stock *stock, uint64_t upc)
{
    size_t low = 0;
    size_t high = stock->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stock->items[middle].upc > upc) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}
