#include "support/scratch.h"

#include "broker/catalog.h"
#include "broker/config.h"
#include "shared/endpoint.h"

static char path[512];
static struct diagnostic diagnostic;

static void
write_bytes(void **state, const char *bytes, size_t size)
{
    assert_int_equal(files_join(path, sizeof path, *state, "file.conf"), 0);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    diagnostic.text[0] = '\0';
}

static void
write_file(void **state, const char *text)
{
    write_bytes(state, text, strlen(text));
}

/* Sees that the sentence names the file and holds `words`. */
static void
expect_reason(const char *words)
{
    if (strncmp(diagnostic.text, path, strlen(path)) != 0 ||
        strstr(diagnostic.text, words) == NULL) {
        fail_msg("'%s' lacks '%s'", diagnostic.text, words);
    }
}

static void
an_inventory_is_read_in_order_of_upc(void **state)
{
    struct stock stock;
    stock_init(&stock);
    write_file(state, "# comment\n\n"
                      "098000000014  50   Cr\xc3\xa8me br\xc3\xbbl\xc3\xa9"
                      "e\r\n"
                      "036000291452\t100\tFacial  tissues \n");
    assert_int_equal(catalog_read(path, &stock, &diagnostic), 0);
    assert_int_equal(stock.count, 2);
    assert_string_equal(stock.items[0].name, "Facial  tissues");
    assert_int_equal(stock.items[0].units, 100);
    assert_int_equal(stock.items[1].upc, 98000000014);
    assert_int_equal(stock_find(&stock, 36000291452)->units, 100);
    assert_null(stock_find(&stock, 1));
    stock_clear(&stock);
}

static void
a_bad_line_of_an_inventory_is_named(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"036000291452 1 A\nnonsense\n", "line 2: 'nonsense' is not a UPC"},
        {"036000291453 1 A\n", "line 1: UPC 036000291453: the last digit"},
        {"036000291452 -1 A\n", "line 1: '-1' is not a number of units"},
        {"036000291452 1.5 A\n", "'1.5' is not"},
        {"036000291452 9007199254740992 A\n", "is not a number of units"},
        {"036000291452 99999999999999999999 A\n", "is not a number of units"},
        {"036000291452 5\n", "a name of 1 to 200"},
        {"036000291452 5 \xff\n", "a name of 1 to 200"},
        {"036000291452 5 A\n012345678905 1 B\n036000291452 6 C\n",
            "line 3: UPC 036000291452 stands "
            "in line 1 too"},
        {"# nothing\n", "holds no items"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stock stock;
        stock_init(&stock);
        write_file(state, cases[i].text);
        assert_int_equal(catalog_read(path, &stock, &diagnostic), ERROR_INVALID);
        expect_reason(cases[i].words);
        stock_clear(&stock);
    }
    assert_int_equal(unlink(path), 0);
    struct stock stock;
    stock_init(&stock);
    assert_int_equal(catalog_read(path, &stock, &diagnostic), ERROR_INVALID);
    expect_reason("not found");
}

static void
a_configuration_is_read_over_the_defaults(void **state)
{
    static struct config config;
    char expected[600];
    config_init(&config);
    write_file(state, "# comment\nbind = \"tcp://127.0.0.1:*\"\nlanes = 3\ndata = here\n"
                      "users = \"/etc/there\"\n");
    assert_int_equal(config_read(&config, path, &diagnostic), 0);
    assert_int_equal(config.lanes, 3);
    assert_int_equal(config.segment_mib, 16);
    assert_string_equal(config.users, "/etc/there");
    assert_int_equal(files_join(expected, sizeof expected, *state, "here"), 0);
    assert_string_equal(config.data, expected);
    assert_int_equal(config_check(&config, &diagnostic), 0);
}

static void
a_bad_configuration_is_told_by_line_or_key(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"lanes = 0\n", "lanes: '0' is not a number from 1 to 256"},
        {"lanes = many\n", "lanes: 'many'"},
        {"lanes = 4\nlanes = 5\n", "lanes: stands twice"},
        {"lane = 4\n", "lane: there is no such key"},
        {"lanes = 4\nbind = \"tcp\n", "line 2: missing"},
        {"lanes = 4\n  what is this\n", "line 2"},
        {"bind = \"\"\n", "bind: a text of 1 to"},
        {"lanes = 4\n    under = 3\n", "lanes: is no section"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static struct config config;
        config_init(&config);
        write_file(state, cases[i].text);
        assert_int_equal(config_read(&config, path, &diagnostic), ERROR_INVALID);
        expect_reason(cases[i].words);
    }
    static struct config config;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(config_read(&config, path, &diagnostic), ERROR_NOT_FOUND);
    expect_reason("not found");
}

static void
what_stands_behind_a_zero_byte_is_not_passed_over(void **state)
{
    static const char setting[] = "lanes = 4\n\0lanes = 5\nno such key = 1\n";
    static const char item[] = "036000291452 1 A\n036000291452 1 A\0 and more\n";
    static struct config config;
    struct stock stock;
    config_init(&config);
    write_bytes(state, setting, sizeof setting - 1);
    assert_int_equal(config_read(&config, path, &diagnostic), ERROR_INVALID);
    expect_reason("holds a zero byte");
    stock_init(&stock);
    write_bytes(state, item, sizeof item - 1);
    assert_int_equal(catalog_read(path, &stock, &diagnostic), ERROR_INVALID);
    expect_reason("line 2: holds a zero byte");
    stock_clear(&stock);
}

static void
beyond_loopback_is_served_only_when_asked_for_in_so_many_words(void **state)
{
    static struct config config;
    (void)state;
    config_init(&config);
    snprintf(config.bind, sizeof config.bind, "tcp://0.0.0.0:5570");
    assert_int_equal(config_check(&config, &diagnostic), ERROR_INVALID);
    assert_non_null(strstr(diagnostic.text, "no loopback address"));
    snprintf(config.plaintext_beyond_loopback, sizeof config.plaintext_beyond_loopback, "yes");
    assert_int_equal(config_check(&config, &diagnostic), ERROR_INVALID);
    snprintf(config.plaintext_beyond_loopback, sizeof config.plaintext_beyond_loopback,
        "passwords-and-orders-may-be-read-by-others");
    assert_int_equal(config_check(&config, &diagnostic), 0);
    config.lanes = 256;
    config.segment_mib = 1;
    assert_int_equal(config_check(&config, &diagnostic), ERROR_INVALID);
    assert_non_null(strstr(diagnostic.text, "segment_mib"));
}

static void
endpoints_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        bool good;
        bool loopback;
    } cases[] = {
        {"tcp://127.0.0.1:5570", true, true},
        {"tcp://127.9.9.9:*", true, true},
        {"tcp://[::1]:5570", true, true},
        {"tcp://[::]:5570", true, false},
        {"tcp://*:5570", true, false},
        {"tcp://0.0.0.0:5570", true, false},
        {"tcp://192.0.2.1:65535", true, false},
        {"tcp://127.0.0.1:65536", false, false},
        {"tcp://127.0.0.1:0", false, false},
        {"tcp://127.0.0.1:-1", false, false},
        {"tcp://127.0.0.1", false, false},
        {"tcp://:5570", false, false},
        {"tcp://::1:5570", false, false},
        {"tcp://[]:5570", false, false},
        {"ipc:///tmp/x", false, false},
        {"127.0.0.1:5570", false, false},
        {"", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct endpoint endpoint;
        assert_int_equal(endpoint_parse(cases[i].text, &endpoint, &diagnostic),
            cases[i].good ? 0 : ERROR_INVALID);
        if (cases[i].good) {
            assert_int_equal(endpoint.is_loopback, cases[i].loopback);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(an_inventory_is_read_in_order_of_upc),
        SCRATCH_TEST(a_bad_line_of_an_inventory_is_named),
        SCRATCH_TEST(a_configuration_is_read_over_the_defaults),
        SCRATCH_TEST(a_bad_configuration_is_told_by_line_or_key),
        SCRATCH_TEST(what_stands_behind_a_zero_byte_is_not_passed_over),
        cmocka_unit_test(beyond_loopback_is_served_only_when_asked_for_in_so_many_words),
        cmocka_unit_test(endpoints_are_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
