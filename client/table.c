#include "client/table.h"

#include "client/style.h"

#include <inttypes.h>
#include <string.h>
#include <unistr.h>
#include <uniwidth.h>

enum {
    GAP = 2, /* columns between two others */
    UNITS_WIDTH_MIN = 5,
    NAME_WIDTH_MIN = 8,
    BAR_WIDTH_MIN = 10,
    BAR_WIDTH_MAX = 30,
    EIGHTHS = 8
};

unsigned
table_text_width(const char *text)
{
    int width = u8_strwidth((const uint8_t *)text, "UTF-8");
    return width < 0 ? 0 : (unsigned)width;
}

void
table_write_wrapped(FILE *out, const char *text, unsigned column, unsigned width)
{
    bool begins = true;
    while (*text != '\0') {
        size_t size = strcspn(text, " ");
        int columns = u8_width((const uint8_t *)text, size, "UTF-8");
        unsigned more = columns < 0 ? 0 : (unsigned)columns;
        bool breaks = !begins && column + 1 + more > width;
        if (!begins) {
            /* cppcheck-suppress knownConditionTrueFalse ; it takes `begins` for true for ever */
            fputc(breaks ? '\n' : ' ', out);
            /* cppcheck-suppress knownConditionTrueFalse ; likewise, after the first word */
            column = breaks ? 0 : column + 1;
        }
        fwrite(text, 1, size, out);
        column += more;
        begins = false;
        text += size + (text[size] == ' ');
    }
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

void
table_format_number(uint64_t value, char text[TABLE_NUMBER_SIZE])
{
    char digits[TABLE_NUMBER_SIZE];
    int size = snprintf(digits, sizeof digits, "%" PRIu64, value);
    char *to = text;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0) {
            *to++ = ',';
        }
        *to++ = digits[i];
    }
    *to = '\0';
}

/* The columns of a table, and what stands in them. */
struct layout {
    unsigned name_width;
    unsigned units_width;
    unsigned bar_width; /* 0: no bar */
    uint64_t units_most;
    uint64_t total;
};

static struct layout
lay_out(const struct table *table, const struct item *items, size_t count)
{
    struct layout layout = {.name_width = NAME_WIDTH_MIN, .units_width = UNITS_WIDTH_MIN};
    for (size_t i = 0; i < count; i++) {
        char number[TABLE_NUMBER_SIZE];
        table_format_number(items[i].units, number);
        layout.units_width = larger(layout.units_width, (unsigned)strlen(number));
        if (items[i].name != NULL) {
            layout.name_width = larger(layout.name_width, table_text_width(items[i].name));
        }
        layout.units_most = items[i].units > layout.units_most ? items[i].units : layout.units_most;
        layout.total += items[i].units;
    }
    unsigned others = UPC_TEXT_SIZE - 1 + GAP + GAP + layout.units_width;
    unsigned left = table->width > others ? table->width - others : 0;
    layout.name_width = larger(smaller(layout.name_width, left), NAME_WIDTH_MIN);
    left = left > layout.name_width + GAP ? left - layout.name_width - GAP : 0;
    if (left >= BAR_WIDTH_MIN && count > 1 && layout.units_most > 0) {
        layout.bar_width = smaller(left, BAR_WIDTH_MAX);
    }
    return layout;
}

/* Writes a bar of eighths of a column; what is not empty is seen. */
static void
write_bar(const struct table *table, const struct layout *layout, uint64_t units)
{
    static const char *const parts[EIGHTHS] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    double part = (double)units / (double)layout->units_most;
    unsigned eighths = (unsigned)(part * layout->bar_width * EIGHTHS);
    eighths = units > 0 ? larger(eighths, 1) : 0;
    fprintf(table->out, "%*s%s", GAP, "", style_code(table->is_colored, STYLE_GOOD));
    for (unsigned i = 0; i < eighths / EIGHTHS; i++) {
        fputs("█", table->out);
    }
    fprintf(
        table->out, "%s%s", parts[eighths % EIGHTHS], style_code(table->is_colored, STYLE_PLAIN));
}

static void
write_row(const struct table *table, const struct layout *layout, const struct item *item)
{
    char upc[UPC_TEXT_SIZE];
    char number[TABLE_NUMBER_SIZE];
    bool none = table->is_colored && item->units == 0;
    upc_format(item->upc, upc);
    table_format_number(item->units, number);
    fprintf(table->out, "%-*s", UPC_TEXT_SIZE - 1 + GAP, upc);
    write_cell(table->out, item->name != NULL ? item->name : "", layout->name_width);
    fprintf(table->out, "%s%*s%s", style_code(none, STYLE_BAD), (int)(GAP + layout->units_width),
        number, style_code(none, STYLE_PLAIN));
    if (layout->bar_width > 0 && item->units > 0) {
        write_bar(table, layout, item->units);
    }
    fputc('\n', table->out);
}

static void
write_aligned(const struct table *table, const struct item *items, size_t count)
{
    char number[TABLE_NUMBER_SIZE];
    char text[2 * TABLE_NUMBER_SIZE];
    struct layout layout = lay_out(table, items, count);
    fprintf(table->out, "%s%-*s", style_code(table->is_colored, STYLE_HEAD),
        UPC_TEXT_SIZE - 1 + GAP, "UPC");
    write_cell(table->out, "ITEM", layout.name_width);
    fprintf(table->out, "%*s%s\n", (int)(GAP + layout.units_width), "UNITS",
        style_code(table->is_colored, STYLE_PLAIN));
    for (size_t i = 0; i < count; i++) {
        write_row(table, &layout, &items[i]);
    }
    table_format_number(count, number);
    int size = snprintf(text, sizeof text, "%s %s, ", number, count == 1 ? "item" : "items");
    table_format_number(layout.total, number);
    snprintf(text + size, sizeof text - (size_t)size, "%s %s", number,
        layout.total == 1 ? "unit" : "units");
    fprintf(table->out, "%s%s%s\n", style_code(table->is_colored, STYLE_FAINT), text,
        style_code(table->is_colored, STYLE_PLAIN));
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
