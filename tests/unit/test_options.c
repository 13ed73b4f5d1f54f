#include "support/cmocka_headers.h"

#include <stdio.h>
#include <string.h>

#include "pipeline/options.h"

/* The targets of the table that all tests use. */
struct values {
    int producers;
    uint64_t seed;
    int64_t idle_timeout_ms;
    const char *out;
    bool quiet;
    bool help;
    bool seeded;
    int operands;
    struct diagnostic diagnostic;
};

/* Reads up to eight arguments, ended by NULL; `argv` has what is left of them. */
static int
read_arguments(struct values *values, char *argv[10])
{
    *values = (struct values){.producers = 7};
    const struct option_entry table[] = {
        {"producers", OPTION_INT, &values->producers, 1, 1024, NULL},
        {"seed", OPTION_UINT64, &values->seed, 0, UINT64_MAX, &values->seeded},
        {"idle-timeout", OPTION_SECONDS, &values->idle_timeout_ms, 1, 86400000, NULL},
        {"out", OPTION_TEXT, &values->out, 0, 0, NULL},
        {"quiet", OPTION_FLAG, &values->quiet, 0, 0, NULL},
        {"help", OPTION_FLAG, &values->help, 0, 0, NULL},
        {"quick", OPTION_FLAG, &values->quiet, 0, 0, NULL},
        {NULL, OPTION_END, NULL, 0, 0, NULL},
    };
    int argc = 0;
    while (argv[argc] != NULL) {
        argc++;
    }
    return options_read(table, argc, argv, &values->operands, &values->diagnostic);
}

#define READ(values, ...) read_arguments(values, (char *[10]){(char[]){"program"}, __VA_ARGS__})
#define T(text)           ((char[]){text})

static void
values_stand_behind_a_space_or_an_equals_sign(void **state)
{
    (void)state;
    struct values values;
    assert_int_equal(READ(&values, T("--producers"), T("64"), T("--seed=18446744073709551615"),
                         T("--out"), T("a=b"), T("--quiet")),
        0);
    assert_int_equal(values.producers, 64);
    assert_true(values.seed == UINT64_MAX && values.seeded && values.quiet);
    assert_string_equal(values.out, "a=b");
    assert_int_equal(READ(&values, NULL), 0);
    assert_true(values.producers == 7 && !values.seeded);
}

static void
names_may_be_cut_while_they_are_one_of_a_kind(void **state)
{
    (void)state;
    struct values values;
    assert_int_equal(READ(&values, T("--prod"), T("3")), 0);
    assert_int_equal(values.producers, 3);
    assert_int_equal(READ(&values, T("--qui")), ERROR_INVALID);
    assert_string_equal(values.diagnostic.text, "ambiguous option --qui: --quiet or --quick");
    assert_int_equal(READ(&values, T("--quiet")), 0);
    assert_int_equal(READ(&values, T("-h")), 0);
    assert_true(values.help);
    assert_int_equal(READ(&values, T("--=3")), ERROR_INVALID);
}

static void
operands_may_stand_anywhere(void **state)
{
    (void)state;
    struct values values;
    char *argv[10] = {T("program"), T("a"), T("--quiet"), T("-"), T("--"), T("--seed")};
    assert_int_equal(read_arguments(&values, argv), 0);
    assert_int_equal(values.operands, 3);
    assert_string_equal(argv[1], "a");
    assert_string_equal(argv[2], "-");
    assert_string_equal(argv[3], "--seed");
    assert_true(values.quiet && !values.seeded);
}

static void
seconds_have_fractions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t expected_ms;
    } cases[] = {
        {"60", 60000}, {"0.2", 200}, {".5", 500}, {"1.", 1000}, {"0.0019", 1}, {"86400", 86400000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct values values;
        char text[32];
        snprintf(text, sizeof text, "%s", cases[i].text);
        assert_int_equal(READ(&values, T("--idle-timeout"), text), 0);
        assert_true(values.idle_timeout_ms == cases[i].expected_ms);
    }
}

static void
bad_values_are_named_with_what_is_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *option;
        const char *value;
        const char *told;
    } cases[] = {
        {"--producers", "0", "--producers 0: must be a whole number from 1 to 1024"},
        {"--producers", "1025", "from 1 to 1024"},
        {"--producers", "-3", "--producers -3:"},
        {"--producers", "7x", "--producers 7x:"},
        {"--producers", "", "--producers :"},
        {"--producers", " 7", "from 1 to 1024"},
        {"--seed", "18446744073709551616", "from 0 to 18446744073709551615"},
        {"--idle-timeout", "0", "a number of seconds from 0.001 to 86400"},
        {"--idle-timeout", "86400.001", "0.001 to 86400"},
        {"--idle-timeout", ".", "--idle-timeout .:"},
        {"--idle-timeout", "1e3", "--idle-timeout 1e3:"},
        {"--idle-timeout", "nan", "--idle-timeout nan:"},
        {"--idle-timeout", "99999999999999999999", "0.001 to 86400"},
        {"--out", "", "--out: must not be empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct values values;
        char option[32];
        char value[32];
        snprintf(option, sizeof option, "%s", cases[i].option);
        snprintf(value, sizeof value, "%s", cases[i].value);
        assert_int_equal(READ(&values, option, value), ERROR_INVALID);
        assert_non_null(strstr(values.diagnostic.text, cases[i].told));
    }
}

static void
unknown_options_and_missing_values_are_told(void **state)
{
    (void)state;
    struct values values;
    assert_int_equal(READ(&values, T("--fast")), ERROR_INVALID);
    assert_string_equal(values.diagnostic.text, "--fast is no option");
    assert_int_equal(READ(&values, T("-q")), ERROR_INVALID);
    assert_string_equal(values.diagnostic.text, "-q is no option");
    assert_int_equal(READ(&values, T("--seed")), ERROR_INVALID);
    assert_string_equal(values.diagnostic.text, "--seed wants a value");
    assert_int_equal(READ(&values, T("--quiet=1")), ERROR_INVALID);
    assert_string_equal(values.diagnostic.text, "--quiet takes no value");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stand_behind_a_space_or_an_equals_sign),
        cmocka_unit_test(names_may_be_cut_while_they_are_one_of_a_kind),
        cmocka_unit_test(operands_may_stand_anywhere),
        cmocka_unit_test(seconds_have_fractions),
        cmocka_unit_test(bad_values_are_named_with_what_is_allowed),
        cmocka_unit_test(unknown_options_and_missing_values_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
