#include "client/table.h"

#include <inttypes.h>
#include <string.h>
#include <unistr.h>
#include <uniwidth.h>

enum {
    GAP = 2, /* columns between two others */
    UNITS_WIDTH_MIN = 5,
    NAME_WIDTH_MIN = 8,
    NUMBER_SIZE = 24
};

unsigned
table_text_width(const char *text)
{
    int width = u8_strwidth((const uint8_t *)text, "UTF-8");
    return width < 0 ? 0 : (unsigned)width;
}

size_t
table_fit(const char *text, unsigned width_max, unsigned *width)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t size = strlen(text);
    size_t used = 0;
    *width = 0;
    while (used < size) {
        ucs4_t character;
        int length = u8_mbtouc(&character, bytes + used, size - used);
        int columns = uc_width(character, "UTF-8");
        unsigned more = columns < 0 ? 0 : (unsigned)columns;
        if (*width + more > width_max) {
            break;
        }
        *width += more;
        used += (size_t)length;
    }
    return used;
}

static unsigned
smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned
larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

/* Writes `text` in exactly `width` columns, with an ellipsis where it is cut. */
static void
write_cell(FILE *out, const char *text, unsigned width)
{
    unsigned used = 0;
    bool cut = table_text_width(text) > width;
    size_t size = table_fit(text, cut ? width - 1 : width, &used);
    fwrite(text, 1, size, out);
    if (cut) {
        fputs("…", out);
        used++;
    }
    fprintf(out, "%*s", (int)(width - smaller(used, width)), "");
}

static void
write_aligned(const struct table *table, const struct item *items, size_t count)
{
    unsigned name_width = NAME_WIDTH_MIN;
    unsigned units_width = UNITS_WIDTH_MIN;
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        char number[NUMBER_SIZE];
        int size = snprintf(number, sizeof number, "%" PRIu64, items[i].units);
        units_width = larger(units_width, (unsigned)size);
        if (items[i].name != NULL) {
            name_width = larger(name_width, table_text_width(items[i].name));
        }
        total += items[i].units;
    }
    unsigned others = UPC_TEXT_SIZE - 1 + GAP + GAP + units_width;
    unsigned left = table->width > others ? table->width - others : 0;
    name_width = larger(smaller(name_width, left), NAME_WIDTH_MIN);

    fprintf(table->out, "%-*s", UPC_TEXT_SIZE - 1 + GAP, "UPC");
    write_cell(table->out, "ITEM", name_width);
    fprintf(table->out, "%*s\n", (int)(GAP + units_width), "UNITS");
    for (size_t i = 0; i < count; i++) {
        char upc[UPC_TEXT_SIZE];
        upc_format(items[i].upc, upc);
        fprintf(table->out, "%-*s", UPC_TEXT_SIZE - 1 + GAP, upc);
        write_cell(table->out, items[i].name != NULL ? items[i].name : "", name_width);
        fprintf(table->out, "%*" PRIu64 "\n", (int)(GAP + units_width), items[i].units);
    }
    fprintf(table->out, "%zu %s, %" PRIu64 " %s\n", count, count == 1 ? "item" : "items", total,
        total == 1 ? "unit" : "units");
}

static void
write_plain(const struct table *table, const struct item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char upc[UPC_TEXT_SIZE];
        upc_format(items[i].upc, upc);
        fprintf(table->out, "%s\t%s\t%" PRIu64 "\n", upc,
            items[i].name != NULL ? items[i].name : "", items[i].units);
    }
}

void
table_write(const struct table *table, const struct item *items, size_t count)
{
    if (table->is_aligned) {
        write_aligned(table, items, count);
    } else {
        write_plain(table, items, count);
    }
}
