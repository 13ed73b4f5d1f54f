/* PROTOCOL.md against the headers: its tables of limits and of status words. */

#include "support/vectors.h"

#include "shared/limits.h"
#include "shared/protocol.h"

static const char document[] = SOURCE_DIRECTORY "/PROTOCOL.md";
static const char limits_file[] = SOURCE_DIRECTORY "/shared/limits.h";

static const struct {
    const char *name;
    uint64_t value;
} limits[] = {
#define LIMIT(name) \
    {               \
#name, name \
    }
    LIMIT(PROTOCOL_VERSION),
    LIMIT(MESSAGE_SIZE_MAX),
    LIMIT(MESSAGE_DEPTH_MAX),
    LIMIT(MESSAGE_ELEMENTS_MAX),
    LIMIT(UPC_MAX),
    LIMIT(UNITS_MAX),
    LIMIT(LEVEL_MAX),
    LIMIT(NUMBER_MAX),
    LIMIT(ORDER_LINES_MAX),
    LIMIT(PAGE_ITEMS_MAX),
    LIMIT(ITEM_NAME_SIZE_MAX),
    LIMIT(USER_SIZE_MAX),
    LIMIT(PASSWORD_SIZE_MAX),
    LIMIT(TOKEN_SIZE),
    LIMIT(NONCE_SIZE),
    LIMIT(HISTORY_SIZE),
    LIMIT(RECORD_SIZE_MAX),
#undef LIMIT
};

/*
 * Finds the row of the document's tables whose first cell is `name` as code, and copies cell
 * `number` (0 is the first). Fails when there is no such row, or more than one.
 */
static void
find_cell(const char *text, const char *name, int number, char *cell, size_t size)
{
    char begin[80];
    snprintf(begin, sizeof begin, "\n| `%s` |", name);
    const char *row = strstr(text, begin);
    if (row == NULL || strstr(row + 1, begin) != NULL) {
        fail_msg("not exactly one row of a table begins with `%s`", name);
    }
    row += 2; /* behind the first bar */
    for (int i = 0; i < number; i++) {
        row = strchr(row, '|');
        assert_non_null(row);
        row++;
    }
    size_t length = strcspn(row, "|\n");
    while (length > 0 && *row == ' ') {
        row++;
        length--;
    }
    while (length > 0 && row[length - 1] == ' ') {
        length--;
    }
    snprintf(cell, size, "%.*s", (int)length, row);
}

static void
the_document_states_every_limit_as_it_is(void **state)
{
    (void)state;
    char *text = vectors_read_text(document);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        char cell[64];
        char value[64];
        size_t kept = 0;
        find_cell(text, limits[i].name, 1, cell, sizeof cell);
        for (size_t k = 0; cell[k] != '\0'; k++) {
            if (cell[k] != ',') {
                cell[kept++] = cell[k];
            }
        }
        cell[kept] = '\0';
        snprintf(value, sizeof value, "%llu", (unsigned long long)limits[i].value);
        assert_string_equal(cell, value);
    }
    free(text);
}

static void
no_limit_of_the_header_is_left_out_here(void **state)
{
    (void)state;
    char *text = vectors_read_text(limits_file);
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, "\n#define ")) != NULL;) {
        char name[64] = "";
        bool found = false;
        at += strlen("\n#define ");
        assert_int_equal(sscanf(at, "%63[A-Z_]", name), 1);
        for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
            found |= strcmp(limits[i].name, name) == 0;
        }
        if (!found && strcmp(name, "STOCKBUS_SHARED_LIMITS_H") != 0) {
            fail_msg("%s is not compared with the document", name);
        }
        count++;
    }
    assert_int_equal(count, sizeof limits / sizeof limits[0] + 1);
    free(text);
}

static void
the_document_says_of_every_status_whether_it_settles_an_order(void **state)
{
    (void)state;
    char *text = vectors_read_text(document);
    for (int status = 0; status < STATUS_COUNT; status++) {
        char cell[64];
        find_cell(text, status_word((enum status)status), 4, cell, sizeof cell);
        bool settles = strncmp(cell, "yes", 3) == 0;
        assert_true(settles || strncmp(cell, "no", 2) == 0);
        if (settles != status_settles_order((enum status)status)) {
            fail_msg("'%s': the document says '%s'", status_word((enum status)status), cell);
        }
    }
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_states_every_limit_as_it_is),
        cmocka_unit_test(no_limit_of_the_header_is_left_out_here),
        cmocka_unit_test(the_document_says_of_every_status_whether_it_settles_an_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
