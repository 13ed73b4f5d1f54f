#include "support/scratch.h"

#include <sys/stat.h>

#include "client/completion.h"
#include "client/lookup.h"
#include "client/recall.h"
#include "client/style.h"
#include "client/table.h"

#define TEA "\xe7\xb7\x91\xe8\x8c\xb6 green tea"
#define CREME                          \
    "Cr\xc3\xa8me br\xc3\xbbl\xc3\xa9" \
    "e"

static const struct item stock[] = {
    {36000291452, 1, "Milk, 1 l"},
    {36000291469, 2, "MILKSHAKE"},
    {46700000018, 3, TEA},
    {98000000014, 4, CREME},
    {98000000021, 5, "\xce\xa3\xce\x91\xce\xa3"}, /* sigma alpha sigma */
    {98000000038, 6,
        "Stra\xc3\x9f"
        "e"},                                     /* with a sharp s */
    {98000000045, 7, "\xd0\xa1\xd0\xbe\xd0\xba"}, /* Cyrillic "juice" */
    {98000000052, 8, "15\" monitor"},
};

enum {
    STOCK_COUNT = sizeof stock / sizeof stock[0]
};

static int
lookup_setup(void **state)
{
    static struct lookup lookup;
    *state = &lookup;
    return lookup_take(&lookup, stock, STOCK_COUNT);
}

static int
lookup_teardown(void **state)
{
    lookup_clear(*state);
    return 0;
}

/* Names. */

static void
an_item_is_found_by_a_part_of_its_name_in_any_case_and_script(void **state)
{
    static const struct {
        const char *part;
        uint64_t upc;
    } cases[] = {
        {"1 L", 36000291452},
        {"shake", 36000291469},
        {"GREEN", 46700000018},
        {"\xe8\x8c\xb6", 46700000018},
        {"creme brulee", 98000000014},
        {"CRE\xcc\x80ME", 98000000014},            /* decomposed */
        {"\xcf\x83\xce\xb1\xcf\x82", 98000000021}, /* with a final sigma */
        {"STRASSE", 98000000038},
        {"\xd1\x81\xd0\x9e\xd0\x9a", 98000000045},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t found[2] = {99, 99};
        assert_int_equal(lookup_find(*state, cases[i].part, found, 2), 1);
        assert_int_equal(stock[found[0]].upc, cases[i].upc);
        assert_int_equal(found[1], 99);
    }
}

static void
an_ambiguous_part_finds_all_and_writes_as_many_as_there_is_room(void **state)
{
    size_t found[2] = {99, 99};
    assert_int_equal(lookup_find(*state, "milk", found, 1), 2);
    assert_int_equal(found[0], 0);
    assert_int_equal(found[1], 99);
}

static void
a_whole_name_goes_before_names_that_contain_it(void **state)
{
    (void)state;
    static const struct item items[] = {{1, 1, "Cola light"}, {2, 1, "Cola"}};
    struct lookup lookup = {0};
    size_t found[2];
    assert_int_equal(lookup_take(&lookup, items, 2), 0);
    assert_int_equal(lookup_find(&lookup, "COLA", found, 2), 1);
    assert_int_equal(found[0], 1);
    lookup_clear(&lookup);
}

static void
nothing_is_found_by_nothing_or_by_what_no_name_has(void **state)
{
    size_t found[1];
    assert_int_equal(lookup_find(*state, "", found, 1), 0);
    assert_int_equal(lookup_find(*state, "\xcc\x80", found, 1), 0); /* only an accent */
    assert_int_equal(lookup_find(*state, "xyzzy", found, 1), 0);
    assert_int_equal(lookup_find(*state, "\xff\xfe", found, 1), 0); /* no UTF-8 */
}

static void
names_are_found_by_their_upc(void **state)
{
    assert_string_equal(lookup_name(*state, 36000291469), "MILKSHAKE");
    assert_null(lookup_name(*state, 36000291470));
}

/* Completion. */

/* Checks which words may stand at the end of `line`; `expected` has them one a line. */
static void
check_words(struct lookup *lookup, const char *line, size_t start, const char *expected)
{
    char joined[2000] = "";
    size_t size = 0;
    struct completion completion;
    assert_int_equal(completion_find(&completion, COMPLETION_COMMAND, lookup, line), 0);
    for (size_t i = 0; i < completion.count; i++) {
        size += (size_t)snprintf(joined + size, sizeof joined - size, "%s\n", completion.words[i]);
        assert_true(size < sizeof joined);
    }
    assert_string_equal(joined, expected);
    assert_int_equal(completion.start, start);
    completion_clear(&completion);
}

static void
a_upc_with_a_slip_in_it_is_near_one_item_or_none(void **state)
{
    static const struct {
        const char *digits;
        uint64_t upc; /* 0: none */
    } cases[] = {
        {"46700000018", 46700000018},   /* without the leading zero */
        {"046700000081", 46700000018},  /* two digits have changed places */
        {"09800000052", 98000000052},   /* one is missing */
        {"0980000000452", 0},           /* one too many, which may be either of two */
        {"0046700000018", 46700000018}, /* as an EAN-13 */
        {"046700000028", 46700000018},  /* one is wrong */
        {"98000000099", 0},
        {"12", 0},
        {"012345678905", 0},
        {"", 0},
    };
    uint64_t upc = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool is_near = lookup_near(*state, cases[i].digits, &upc);
        if (is_near != (cases[i].upc != 0) || (is_near && upc != cases[i].upc)) {
            fail_msg("%s", cases[i].digits);
        }
    }
    /* Where no items are known, it is the check digit that tells. */
    struct lookup empty = {0};
    assert_true(lookup_near(&empty, "36000291452", &upc));
    assert_int_equal(upc, 36000291452);
    assert_false(lookup_near(&empty, "36000291453", &upc));
    assert_false(lookup_near(&empty, "036000291452", &upc));
}

static void
commands_items_and_options_are_completed_where_they_may_stand(void **state)
{
    check_words(*state, "lo", 0, "login\nlocal\nlogout\n");
    check_words(*state, "  in", 2, "inventory\n");
    check_words(*state, "help re", 5, "restock\nresolve\n");
    check_words(*state, "buy milk", 4, "\"Milk, 1 l\"\nMILKSHAKE\n");
    check_words(*state, "buy \"milk,", 4, "\"Milk, 1 l\"\n");
    check_words(*state, "buy 0360", 4, "036000291452\n036000291469\n");
    check_words(*state, "buy monitor", 4, "098000000052\n"); /* its name has a quote */
    check_words(*state, "buy milk 3", 9, "");
    check_words(*state, "buy \"Milk, 1 l\" 3 tea", 18, "\"" TEA "\"\n");
    check_words(*state, "inventory x cr", 12, "\"" CREME "\"\n");
    check_words(*state, "resolve --", 8, "--void\n--set-aside\n");
    check_words(*state, "resolve ", 8, "--void\n--set-aside\n");
    check_words(*state, "login -", 6, "--password-file\n");
    check_words(*state, "wait --t", 5, "--timeout\n");
    check_words(*state, "login ", 6, "");
    check_words(*state, "xyzzy mi", 6, "");
}

static void
items_are_asked_for_only_where_they_may_stand(void **state)
{
    (void)state;
    assert_true(completion_wants_items(COMPLETION_COMMAND, "buy "));
    assert_true(completion_wants_items(COMPLETION_COMMAND, "inventory a b"));
    assert_true(completion_wants_items(COMPLETION_ITEM, ""));
    assert_false(completion_wants_items(COMPLETION_COMMAND, "buy"));
    assert_false(completion_wants_items(COMPLETION_COMMAND, "buy a 1"));
    assert_false(completion_wants_items(COMPLETION_COMMAND, "login "));
    assert_false(completion_wants_items(COMPLETION_NONE, "buy "));
}

static void
an_answer_about_an_item_is_completed_without_quotes(void **state)
{
    struct completion completion;
    assert_int_equal(completion_find(&completion, COMPLETION_ITEM, *state, "milk, 1"), 0);
    assert_int_equal(completion.count, 1);
    assert_string_equal(completion.words[0], "Milk, 1 l");
    completion_clear(&completion);
}

static void
check_common(struct lookup *lookup, const char *line, const char *expected)
{
    struct completion completion;
    assert_int_equal(completion_find(&completion, COMPLETION_COMMAND, lookup, line), 0);
    char *common = completion_common(&completion, line + completion.start);
    if (expected == NULL) {
        assert_null(common);
    } else {
        assert_string_equal(common, expected);
    }
    free(common);
    completion_clear(&completion);
}

static void
what_all_words_have_in_common_is_taken_if_it_is_more(void **state)
{
    check_common(*state, "i", "inventory");
    check_common(*state, "re", "res"); /* also: restock, resolve */
    check_common(*state, "lo", NULL);  /* local, login, logout */
    check_common(*state, "buy milk", NULL);
    check_common(*state, "buy 03", "0360002914");
    check_common(*state, "buy shake", "MILKSHAKE");
    check_common(*state, "buy xyzzy", NULL);
}

/* What is kept. */

static void
passwords_and_slips_are_not_kept(void **state)
{
    (void)state;
    assert_true(recall_may_keep("buy cola 3"));
    assert_true(recall_may_keep("4"));
    assert_true(recall_may_keep("login north"));
    assert_true(recall_may_keep("login north --password-file x"));
    assert_true(recall_may_keep("login --password-file x north"));
    assert_false(recall_may_keep("login north apple"));
    assert_false(recall_may_keep("1 north apple"));
    assert_false(recall_may_keep("login north --password-file x apple"));
    assert_false(recall_may_keep("apple"));
    assert_false(recall_may_keep("login north \"apple"));
    assert_false(recall_may_keep(""));
}

enum {
    JOINED_SIZE = 600
};

static void
join(void *context, const char *line)
{
    char *joined = context;
    size_t size = strlen(joined);
    snprintf(joined + size, JOINED_SIZE - size, "%s;", line);
}

static void
commands_are_kept_in_a_file_for_its_owner_alone(void **state)
{
    char path[600];
    char joined[JOINED_SIZE] = "";
    struct stat status;
    snprintf(path, sizeof path, "%s/history", (char *)*state);
    recall_load(path, join, joined);
    recall_append(path, "login north");
    recall_append(path, "login north apple");
    recall_append(path, "buy \"Milk, 1 l\" 3");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    recall_load(path, join, joined);
    assert_string_equal(joined, "login north;buy \"Milk, 1 l\" 3;");
    assert_int_equal(chmod(path, 0644), 0);
    recall_append(path, "local");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void
count_line(void *context, const char *line)
{
    (void)line;
    ++*(unsigned *)context;
}

static void
a_long_file_of_commands_is_cut(void **state)
{
    char path[600];
    unsigned count = 0;
    snprintf(path, sizeof path, "%s/history", (char *)*state);
    for (int i = 0; i < 2 * RECALL_LINES_MAX + 1; i++) {
        recall_append(path, "local");
    }
    recall_load(path, count_line, &count);
    assert_int_equal(count, 2 * RECALL_LINES_MAX + 1);
    count = 0;
    recall_load(path, count_line, &count);
    assert_int_equal(count, RECALL_LINES_MAX);
}

static void
a_link_in_the_place_of_the_file_is_not_followed(void **state)
{
    char path[600];
    char other[600];
    struct stat status;
    snprintf(path, sizeof path, "%s/history", (char *)*state);
    snprintf(other, sizeof other, "%s/other", (char *)*state);
    assert_int_equal(symlink(other, path), 0);
    recall_append(path, "local");
    assert_int_equal(stat(other, &status), -1);
}

/* Looks. */

static void
thousands_are_separated(void **state)
{
    (void)state;
    char text[TABLE_NUMBER_SIZE];
    static const struct {
        uint64_t value;
        const char *text;
    } cases[] = {{0, "0"}, {999, "999"}, {1000, "1,000"}, {123456, "123,456"},
        {1000000, "1,000,000"}, {UINT64_MAX, "18,446,744,073,709,551,615"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        table_format_number(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void
sentences_are_broken_between_words(void **state)
{
    (void)state;
    static const struct {
        unsigned column;
        unsigned width;
        const char *text;
        const char *shown;
    } cases[] = {
        {0, 80, "one two three", "one two three"},
        {0, 13, "one two three", "one two three"},
        {0, 12, "one two three", "one two\nthree"},
        {6, 10, "one two three", "one\ntwo three"},
        {0, 3, "one-two three", "one-two\nthree"},
        {0, 12, TEA " is", "\xe7\xb7\x91\xe8\x8c\xb6 green\ntea is"},
        {0, 80, "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char shown[100] = "";
        FILE *out = fmemopen(shown, sizeof shown, "w");
        table_write_wrapped(out, cases[i].text, cases[i].column, cases[i].width);
        fclose(out);
        assert_string_equal(shown, cases[i].shown);
    }
}

static void
colors_are_for_terminals_unless_they_are_asked_for(void **state)
{
    (void)state;
    enum style_choice choice = STYLE_AUTO;
    FILE *file = tmpfile();
    assert_true(style_parse("always", &choice));
    assert_int_equal(choice, STYLE_ALWAYS);
    assert_false(style_parse("sometimes", &choice));
    assert_true(style_wanted(STYLE_ALWAYS, file));
    assert_false(style_wanted(STYLE_AUTO, file));
    assert_false(style_wanted(STYLE_NEVER, file));
    assert_string_equal(style_code(false, STYLE_BAD), "");
    fclose(file);
}

#define LOOKUP_TEST(name) cmocka_unit_test_setup_teardown(name, lookup_setup, lookup_teardown)
int
main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKUP_TEST(an_item_is_found_by_a_part_of_its_name_in_any_case_and_script),
        LOOKUP_TEST(an_ambiguous_part_finds_all_and_writes_as_many_as_there_is_room),
        cmocka_unit_test(a_whole_name_goes_before_names_that_contain_it),
        LOOKUP_TEST(nothing_is_found_by_nothing_or_by_what_no_name_has),
        LOOKUP_TEST(names_are_found_by_their_upc),
        LOOKUP_TEST(a_upc_with_a_slip_in_it_is_near_one_item_or_none),
        LOOKUP_TEST(commands_items_and_options_are_completed_where_they_may_stand),
        cmocka_unit_test(items_are_asked_for_only_where_they_may_stand),
        LOOKUP_TEST(an_answer_about_an_item_is_completed_without_quotes),
        LOOKUP_TEST(what_all_words_have_in_common_is_taken_if_it_is_more),
        cmocka_unit_test(passwords_and_slips_are_not_kept),
        SCRATCH_TEST(commands_are_kept_in_a_file_for_its_owner_alone),
        SCRATCH_TEST(a_long_file_of_commands_is_cut),
        SCRATCH_TEST(a_link_in_the_place_of_the_file_is_not_followed),
        cmocka_unit_test(thousands_are_separated),
        cmocka_unit_test(sentences_are_broken_between_words),
        cmocka_unit_test(colors_are_for_terminals_unless_they_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
