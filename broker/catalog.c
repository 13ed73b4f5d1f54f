#include "broker/catalog.h"

#include "broker/lines.h"
#include "shared/array.h"
#include "shared/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One line of the file. */
struct entry {
    uint64_t upc;
    uint64_t units;
    char *name;
    long line;
};

struct catalog {
    struct entry *entries;
    size_t count;
    size_t count_max;
};

static void
catalog_fini(struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->count; i++) {
        free(catalog->entries[i].name);
    }
    free(catalog->entries);
}

static int
add(struct catalog *catalog, const struct entry *entry)
{
    struct entry *entries =
        array_grow(catalog->entries, catalog->count, &catalog->count_max, sizeof *entries);
    if (entries == NULL) {
        return ERROR_MEMORY;
    }
    catalog->entries = entries;
    char *name = strdup(entry->name);
    if (name == NULL) {
        return ERROR_MEMORY;
    }
    catalog->entries[catalog->count] = *entry;
    catalog->entries[catalog->count].name = name;
    catalog->count++;
    return 0; /* analyzer: malloc-leak: the catalog has it now */
}

static bool
parse_units(const char *word, uint64_t *units)
{
    char *end = NULL;
    errno = 0;
    *units = strtoull(word, &end, 10);
    return word[0] >= '0' && word[0] <= '9' && *end == '\0' && errno == 0 && *units <= LEVEL_MAX;
}

static int
take_line(void *context, char *line, long number, struct diagnostic *diagnostic)
{
    struct entry entry = {.line = number};
    char *rest = line;
    const char *upc = lines_word(&rest);
    const char *units = lines_word(&rest);
    if (!upc_parse(upc, &entry.upc)) {
        return diagnostic_set(
            diagnostic, ERROR_INVALID, "'%.40s' is not a UPC of twelve digits", upc);
    }
    if (!upc_is_valid(entry.upc)) {
        return diagnostic_set(
            diagnostic, ERROR_INVALID, "UPC %s: the last digit does not check", upc);
    }
    if (!parse_units(units, &entry.units)) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "'%.40s' is not a number of units from 0 to 9007199254740991", units);
    }
    size_t size = strlen(rest);
    if (size == 0 || size > ITEM_NAME_SIZE_MAX || !text_is_printable(rest, size)) {
        return diagnostic_set(
            diagnostic, ERROR_INVALID, "a name of 1 to 200 bytes of printable UTF-8 is expected");
    }
    entry.name = rest;
    int error = add(context, &entry);
    return error == 0 ? 0 : diagnostic_set(diagnostic, error, "%s", error_text(error));
}

static int
compare_entries(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    return x->upc != y->upc ? (x->upc > y->upc) - (x->upc < y->upc)
                            : (x->line > y->line) - (x->line < y->line);
}

/* Moves the entries to the stock, in ascending order. */
static int
fill(struct catalog *catalog, const char *path, struct stock *stock, struct diagnostic *diagnostic)
{
    if (catalog->count == 0) {
        return diagnostic_set(diagnostic, ERROR_INVALID, "%s: holds no items", path);
    }
    qsort(catalog->entries, catalog->count, sizeof *catalog->entries, compare_entries);
    for (size_t i = 0; i < catalog->count; i++) {
        const struct entry *entry = &catalog->entries[i];
        int error = stock_add(stock, entry->upc, entry->name, strlen(entry->name), entry->units);
        if (error == ERROR_INVALID) {
            char upc[UPC_TEXT_SIZE];
            upc_format(entry->upc, upc);
            return diagnostic_set(diagnostic, error, "%s: line %ld: UPC %s stands in line %ld too",
                path, entry->line, upc, catalog->entries[i - 1].line);
        }
        if (error != 0) {
            return diagnostic_set(diagnostic, error, "%s: %s", path, error_text(error));
        }
    }
    return 0;
}

int
catalog_read(const char *path, struct stock *stock, struct diagnostic *diagnostic)
{
    struct catalog catalog = {.count = 0};
    int error = lines_read(path, take_line, &catalog, diagnostic);
    if (error == 0) {
        error = fill(&catalog, path, stock, diagnostic);
    }
    catalog_fini(&catalog);
    return error;
}
