#include "support/scratch.h"

#include <fcntl.h>

#include "client/commands.h"
#include "client/password.h"
#include "client/profile.h"
#include "client/script.h"
#include "client/table.h"
#include "client/words.h"
#include "shared/json.h"
#include "shared/usage.h"

/* Words. */

static void
a_line_is_split_at_white_space_and_quotes_hold(void **state)
{
    (void)state;
    char line[] = "  buy\t036000291452   3 \"two words\" a\"b c\"d # and more";
    char *words[9];
    size_t count = 0;
    assert_int_equal(words_split(line, words, 8, &count, NULL), 0);
    assert_int_equal(count, 5);
    assert_string_equal(words[0], "buy");
    assert_string_equal(words[1], "036000291452");
    assert_string_equal(words[2], "3");
    assert_string_equal(words[3], "two words");
    assert_string_equal(words[4], "ab cd");
    assert_null(words[5]);
}

static void
lines_that_cannot_be_split_are_refused(void **state)
{
    (void)state;
    char open[] = "buy \"036";
    char many[] = "a b c";
    char none[] = "   # nothing";
    char *words[3];
    size_t count = 7;
    assert_int_equal(words_split(open, words, 2, &count, NULL), ERROR_INVALID);
    assert_int_equal(words_split(many, words, 2, &count, NULL), ERROR_INVALID);
    assert_int_equal(count, 7);
    assert_int_equal(words_split(none, words, 2, &count, NULL), 0);
    assert_int_equal(count, 0);
}

static void
distance_counts_changes_and_swaps(void **state)
{
    (void)state;
    assert_int_equal(usage_distance("", ""), 0);
    assert_int_equal(usage_distance("buy", "buy"), 0);
    assert_int_equal(usage_distance("byu", "buy"), 1);
    assert_int_equal(usage_distance("inventry", "inventory"), 1);
    assert_int_equal(usage_distance("", "abc"), 3);
    assert_int_equal(usage_distance("kitten", "sitting"), 3);
}

/* The table. */

static void
commands_are_found_by_name_and_number(void **state)
{
    (void)state;
    static const char *const numbers[][2] = {{"1", "login"}, {"2", "inventory"}, {"3", "local"},
        {"4", "buy"}, {"5", "logout"}, {"0", "quit"}, {"q", "quit"}, {"?", "help"}};
    size_t count;
    const struct command *table = commands_table(&count);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(commands_find(table[i].name), &table[i]);
        assert_non_null(table[i].help);
        assert_true(table[i].words_max <= WORDS_MAX);
        /* Each example is a call of its command. */
        for (const char *line = table[i].examples; line != NULL; line = strchr(line, '\n')) {
            line += line[0] == '\n';
            assert_int_equal(strncmp(line, table[i].name, strlen(table[i].name)), 0);
        }
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_ptr_equal(commands_find(numbers[i][0]), commands_find(numbers[i][1]));
    }
    assert_null(commands_find("6"));
    assert_null(commands_find(""));
}

static void
the_nearest_command_is_suggested(void **state)
{
    (void)state;
    assert_string_equal(commands_nearest("byu")->name, "buy");
    assert_string_equal(commands_nearest("inventry")->name, "inventory");
    assert_string_equal(commands_nearest("inv")->name, "inventory");
    assert_string_equal(commands_nearest("purchase")->name, "buy");
    assert_string_equal(commands_nearest("logut")->name, "logout");
    assert_null(commands_nearest("xylophone"));
    assert_null(commands_nearest(""));
}

/* Runs a line in a client without a state directory. Returns what was written to standard error. */
static char *
run_text(const char *text, enum outcome *outcome)
{
    char *out = NULL;
    char *err = NULL;
    size_t out_size;
    size_t err_size;
    struct client client = {0};
    FILE *script = tmpfile();
    fputs(text, script);
    rewind(script);
    client.render.program = "test";
    client.render.out = open_memstream(&out, &out_size);
    client.render.err = open_memstream(&err, &err_size);
    *outcome = script_run(&client, script, "script", false);
    fclose(client.render.out);
    fclose(client.render.err);
    fclose(script);
    free(out);
    return err;
}

static void
wrong_command_lines_are_named_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        const char *message;
    } cases[] = {
        {"help\n\n# comment\nbyu 1 2\n",
            "test: script:4: 'byu' is no command; did you mean 'buy'?\n"},
        {"buy\n",
            "test: script:1: buy: too few arguments; usage: buy ITEM UNITS [ITEM UNITS]...\n"},
        {"local x\n", "test: script:1: local: too many arguments; usage: local\n"},
        {"help buy\nrun -\n", "test: script:2: run: a script cannot run another\n"},
        {"help \"buy\n", "test: script:1: a quote is never closed\n"},
        {"inventory --json\n", "test: script:1: inventory: options stand before the command: "
                               "stockctl --json inventory\n"},
        {"local --timeout=300\n", "test: script:1: local: options stand before the command: "
                                  "stockctl --timeout MS local\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum outcome outcome;
        char *err = run_text(cases[i].script, &outcome);
        assert_int_equal(outcome, OUTCOME_USAGE);
        assert_string_equal(err, cases[i].message);
        free(err);
    }
}

static void
a_script_ends_at_quit(void **state)
{
    (void)state;
    enum outcome outcome;
    char *err = run_text("help\nquit\nnonsense\n", &outcome);
    assert_int_equal(outcome, OUTCOME_DONE);
    assert_string_equal(err, "");
    free(err);
}

/* JSON and tables. */

static void
json_is_escaped_and_separated(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    struct json json = {.out = open_memstream(&text, &size)};
    json_begin(&json, '{');
    json_text_member(&json, "a\"b", "tab\t, line\n, quote \", back \\, \xc3\xa9, \xe2\x82\xac");
    json_key(&json, "list");
    json_begin(&json, '[');
    json_uint(&json, UINT64_MAX);
    json_bool(&json, true);
    json_null(&json);
    json_begin(&json, '{');
    json_end(&json, '}');
    json_end(&json, ']');
    json_text_member(&json, "bad", "x\xff\xc3(");
    json_end(&json, '}');
    fclose(json.out);
    assert_string_equal(text,
        "{\"a\\\"b\":\"tab\\u0009, line\\u000a, quote \\\", back \\\\, \xc3\xa9, \xe2\x82\xac\","
        "\"list\":[18446744073709551615,true,null,{}],\"bad\":\"x\xef\xbf\xbd\xef\xbf\xbd(\"}");
    free(text);
}

#define BAR_5  "\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88"
#define BAR_10 BAR_5 BAR_5

static char *
write_table(bool aligned, unsigned width)
{
    static const struct item items[] = {{36000291452, 1, "Tissues"},
        {2, 123456, "\xe7\xb4\x85\xe8\x8c\xb6 \xe7\xb4\x85\xe8\x8c\xb6"}, {3, 0, NULL}};
    char *text = NULL;
    size_t size;
    struct table table = {
        .out = open_memstream(&text, &size), .is_aligned = aligned, .width = width};
    table_write(&table, items, 3);
    fclose(table.out);
    return text;
}

static void
tables_are_aligned_on_a_terminal_and_tabbed_elsewhere(void **state)
{
    (void)state;
    char *text = write_table(false, 80);
    assert_string_equal(text,
        "036000291452\tTissues\t1\n"
        "000000000002\t\xe7\xb4\x85\xe8\x8c\xb6 \xe7\xb4\x85\xe8\x8c\xb6\t123456\n"
        "000000000003\t\t0\n");
    free(text);
    text = write_table(true, 41); /* no room for a bar */
    assert_string_equal(text,
        "UPC           ITEM         UNITS\n"
        "036000291452  Tissues          1\n"
        "000000000002  \xe7\xb4\x85\xe8\x8c\xb6 \xe7\xb4\x85\xe8\x8c\xb6  123,456\n"
        "000000000003                   0\n"
        "3 items, 123,457 units\n");
    free(text);
    text = write_table(true, 44);
    assert_string_equal(text,
        "UPC           ITEM         UNITS\n"
        "036000291452  Tissues          1  \xe2\x96\x8f\n"
        "000000000002  \xe7\xb4\x85\xe8\x8c\xb6 \xe7\xb4\x85\xe8\x8c\xb6  123,456  " BAR_10 "\n"
        "000000000003                   0\n"
        "3 items, 123,457 units\n");
    free(text);
    text = write_table(true, 10); /* names keep a few columns whatever the width */
    assert_non_null(
        strstr(text, "000000000002  \xe7\xb4\x85\xe8\x8c\xb6 \xe7\xb4\x85\xe2\x80\xa6"));
    free(text);
}

/* Settings. */

static const char *const variables[] = {"STOCK_CONFIG", "STOCK_ENDPOINT", "STOCK_STATE",
    "STOCK_USER", "STOCK_TIMEOUT", "STOCK_PASSWORD", "XDG_STATE_HOME"};

static int
settings_setup(void **state)
{
    if (scratch_setup(state) != 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        unsetenv(variables[i]);
    }
    setenv("HOME", *state, 1);
    setenv("XDG_CONFIG_HOME", *state, 1);
    return 0;
}

static const char *
write_file(const char *directory, const char *text, mode_t mode)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/file", directory);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static void
settings_come_from_flags_then_environment_then_file_then_defaults(void **state)
{
    struct profile profile;
    struct flags flags = {0};
    char expected[600];
    assert_int_equal(profile_load(&profile, &flags, NULL), 0);
    assert_string_equal(profile.endpoint, "tcp://127.0.0.1:5570");
    assert_int_equal(profile.timeout_ms, 5000);
    snprintf(expected, sizeof expected, "%s/.local/state/stockbus", (char *)*state);
    assert_string_equal(profile.state, expected);
    assert_string_equal(profile.user, "");

    flags.config = write_file(*state,
        "# comment\nendpoint = \"tcp://10.0.0.1:1\"\nuser = south\ntimeout_ms = 70\nstate = "
        "/tmp/x\n",
        0644);
    setenv("STOCK_ENDPOINT", "tcp://[::1]:2", 1);
    setenv("STOCK_USER", "depot", 1);
    flags.values[PROFILE_USER] = "north";
    assert_int_equal(profile_load(&profile, &flags, NULL), 0);
    assert_string_equal(profile.endpoint, "tcp://[::1]:2");
    assert_string_equal(profile.user, "north");
    assert_true(profile.user_is_flag);
    assert_int_equal(profile.timeout_ms, 70);
    assert_string_equal(profile.state, "/tmp/x");
}

static void
wrong_settings_name_where_they_stand(void **state)
{
    static const struct {
        const char *file;
        const char *word;
    } cases[] = {
        {"endpoint = tcp://x\n", "file: endpoint: 'tcp://x' is no endpoint"},
        {"endpoint = ipc:///tmp/x:1\n", "is no endpoint"},
        {"timeout_ms = 0\n", "file: timeout_ms: '0'"},
        {"timeout_ms = 5s\n", "'5s'"},
        {"timeout = 5\n", "file: timeout: there is no such key"},
        {"user = a\nuser = b\n", "user: stands twice"},
        {"user\n    name = a\n", "user: is no section"},
        {"user = north\nstate = \"/tmp\n", "file: line 2:"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct profile profile;
        struct diagnostic diagnostic = {""};
        struct flags flags = {.config = write_file(*state, cases[i].file, 0644)};
        assert_int_equal(profile_load(&profile, &flags, &diagnostic), ERROR_INVALID);
        if (strstr(diagnostic.text, cases[i].word) == NULL) {
            fail_msg("'%s' lacks '%s'", diagnostic.text, cases[i].word);
        }
    }
}

static void
a_file_that_is_named_has_to_be_there(void **state)
{
    (void)state;
    struct profile profile;
    struct diagnostic diagnostic = {""};
    struct flags flags = {.config = "/nonexistent/client.conf"};
    assert_int_equal(profile_load(&profile, &flags, &diagnostic), ERROR_NOT_FOUND);
    assert_non_null(strstr(diagnostic.text, "/nonexistent/client.conf"));
    flags.config = NULL;
    setenv("STOCK_CONFIG", "/nonexistent/other.conf", 1);
    assert_int_equal(profile_load(&profile, &flags, &diagnostic), ERROR_NOT_FOUND);
    assert_non_null(strstr(diagnostic.text, "/nonexistent/other.conf"));
}

/* Passwords. */

static void
a_password_is_the_first_line_of_a_private_file(void **state)
{
    char password[PASSWORD_SIZE_MAX + 1];
    struct diagnostic diagnostic = {""};
    setenv("STOCK_PASSWORD", "banana", 1);
    const char *path = write_file(*state, "apple\nsecond line\n", 0600);
    assert_int_equal(password_get(password, path, "north", &diagnostic), 0);
    assert_string_equal(password, "apple");
    (void)write_file(*state, "apple\n", 0640);
    assert_int_equal(password_get(password, path, "north", &diagnostic), ERROR_PERMISSION);
    assert_non_null(strstr(diagnostic.text, path));
    assert_int_equal(password_get(password, NULL, "north", &diagnostic), 0);
    assert_string_equal(password, "banana");
}

static void
passwords_that_no_broker_takes_are_refused(void **state)
{
    char password[PASSWORD_SIZE_MAX + 1];
    char longest[PASSWORD_SIZE_MAX + 2];
    struct diagnostic diagnostic = {""};
    const char *path = write_file(*state, "\n", 0600);
    assert_int_equal(password_get(password, path, "north", &diagnostic), ERROR_INVALID);
    setenv("STOCK_PASSWORD", "a\tb", 1);
    assert_int_equal(password_get(password, NULL, "north", &diagnostic), ERROR_INVALID);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    setenv("STOCK_PASSWORD", longest, 1);
    assert_int_equal(password_get(password, NULL, "north", &diagnostic), ERROR_INVALID);
    setenv("STOCK_PASSWORD", longest + 1, 1);
    assert_int_equal(password_get(password, NULL, "north", &diagnostic), 0);
}

#define SETTINGS_TEST(name) cmocka_unit_test_setup_teardown(name, settings_setup, scratch_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_split_at_white_space_and_quotes_hold),
        cmocka_unit_test(lines_that_cannot_be_split_are_refused),
        cmocka_unit_test(distance_counts_changes_and_swaps),
        cmocka_unit_test(commands_are_found_by_name_and_number),
        cmocka_unit_test(the_nearest_command_is_suggested),
        cmocka_unit_test(wrong_command_lines_are_named_with_their_line),
        cmocka_unit_test(a_script_ends_at_quit),
        cmocka_unit_test(json_is_escaped_and_separated),
        cmocka_unit_test(tables_are_aligned_on_a_terminal_and_tabbed_elsewhere),
        SETTINGS_TEST(settings_come_from_flags_then_environment_then_file_then_defaults),
        SETTINGS_TEST(wrong_settings_name_where_they_stand),
        SETTINGS_TEST(a_file_that_is_named_has_to_be_there),
        SETTINGS_TEST(a_password_is_the_first_line_of_a_private_file),
        SETTINGS_TEST(passwords_that_no_broker_takes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
