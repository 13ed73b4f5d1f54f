#include "support/users_file.h"

#include <sodium.h>

#include "broker/account_table.h"
#include "broker/accounts.h"

static void
a_bad_line_of_users_is_named(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"north\n", "line 1: user 'north': '' are not roles"},
        {"north boss " APPLE "\n", "'boss' are not roles"},
        {"north demo " APPLE "\n", "'demo' are not roles"},
        {"north buy\n", "an argon2id hash is expected"},
        {"north buy " APPLE " y\n", "an argon2id hash is expected"},
        {"abcdefghijklmnopqrstuvwxyz0123456 buy " APPLE "\n", "a user name has"},
        {"north buy " APPLE "\nnorth buy " BANANA "\n", "line 2: user 'north' stands twice"},
        {"\n", "holds no account"},
    };
    struct accounts *accounts = NULL;
    struct accounts_found found;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_file(state, cases[i].text);
        assert_int_equal(accounts_check(path, true, &found, &diagnostic), ERROR_INVALID);
        expect_reason(cases[i].words);
        diagnostic.text[0] = '\0';
        assert_int_equal(accounts_open(&accounts, path, true, &diagnostic), ERROR_INVALID);
        expect_reason(cases[i].words);
    }
}

static void
a_check_counts_the_accounts_that_may_log_in(void **state)
{
    struct accounts_found found;
    write_file(state, "north buy " APPLE "\nsouth buy,demo " BANANA "\n");
    assert_int_equal(accounts_check(path, true, &found, &diagnostic), 0);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.demo_count, 1);
    assert_int_equal(accounts_check(path, false, &found, &diagnostic), 0);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.demo_count, 0);
}

static void
count_account(void *context, const char *name, bool may_restock)
{
    int *count = context;
    assert_string_equal(name, "north");
    *count += may_restock ? 100 : 1;
}

static void
a_user_that_stands_twice_is_told_where_demo_accounts_are_left_out(void **state)
{
    struct accounts *accounts = NULL;
    struct accounts_found found;
    write_file(state, "north buy,demo " APPLE "\nnorth buy " BANANA "\n");
    assert_int_equal(accounts_check(path, false, &found, &diagnostic), ERROR_INVALID);
    expect_reason("line 2: user 'north' stands twice");
    write_file(state, "south buy,demo " APPLE "\nnorth buy " BANANA "\n");
    int count = 0;
    assert_int_equal(accounts_open(&accounts, path, false, &diagnostic), 0);
    accounts_each(accounts, count_account, &count);
    assert_int_equal(count, 1);
    accounts_close(&accounts);
}

static void
a_hash_that_no_password_can_match_is_named(void **state)
{
    static const char *const hashes[] = {
        "$argon2id$x",
        "$argon2id$v=19$m=8,t=1,p=1$7LsxM6m+kmdlqIeEuhRCZA",
        "$argon2id$v=19$m=8,t=1,p=1$7LsxM6m+kmdlqIeEuhRCZA$",
        "$argon2id$v=19$m=8,t=1,p=1$7LsxM6m+kmdlqIeEuhRCZA$/6YY6WJwR/5aRJG",
        "$argon2id$v=19$m=8,t=1,p=1$7LsxM6m+kmdl$/6YY6WJwR/5aRJGx8vJDv0H1+YMQ8oBUoDofki+K5xw",
        APPLE "=",
        APPLE "$",
        "$argon2id$v=19$m=7,t=1,p=1$7LsxM6m+kmdlqIeEuhRCZA$/6YY6WJwR/5aRJGx8vJDv0H1+YMQ8oBUoDofki",
        "$argon2id$v=19$m=8,t=0,p=1$7LsxM6m+kmdlqIeEuhRCZA$/6YY6WJwR/5aRJGx8vJDv0H1+YMQ8oBUoDofki",
        "$argon2id$v=19$m=16,t=1,p=2$7LsxM6m+kmdlqIeEuhRCZA$/6YY6WJwR/5aRJGx8vJDv0H1+YMQ8oBUoDofki",
        "$argon2id$v=16$m=8,t=1,p=1$7LsxM6m+kmdlqIeEuhRCZA$/6YY6WJwR/5aRJGx8vJDv0H1+YMQ8oBUoDofki",
        APPLE APPLE,
    };
    struct accounts_found found;
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, "\nnorth buy %s\n", hashes[i]);
        write_file(state, text);
        if (accounts_check(path, true, &found, &diagnostic) != ERROR_INVALID) {
            fail_msg("'%s' is taken", hashes[i]);
        }
        expect_reason("line 2: user 'north': no password can match this hash");
    }
}

static void
the_hash_that_takes_longest_is_known(void **state)
{
    static const char hash[] =
        "p=1$7LsxM6m+kmdlqIeEuhRCZA$/6YY6WJwR/5aRJGx8vJDv0H1+YMQ8oBUoDofki+K5xw";
    struct account_table table;
    char text[1024];
    write_file(state, "north buy " APPLE "\nsouth buy " BANANA "\n");
    assert_int_equal(account_table_read(&table, path, true, &diagnostic), 0);
    assert_false(table.is_uneven);
    account_table_free(&table);
    snprintf(text, sizeof text,
        "a buy,demo $argon2id$v=19$m=64,t=9,%s\nb buy $argon2id$v=19$m=8,t=1,%s\n"
        "c buy $argon2id$v=19$m=8,t=4,%s\nf buy $argon2id$v=19$m=16,t=1,%s\n",
        hash, hash, hash, hash);
    write_file(state, text);
    for (int demo = 0; demo < 2; demo++) {
        assert_int_equal(account_table_read(&table, path, demo, &diagnostic), 0);
        assert_true(table.is_uneven);
        assert_string_equal(table.rows[table.dearest].name, demo ? "a" : "c");
        account_table_free(&table);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_bad_line_of_users_is_named),
        SCRATCH_TEST(a_check_counts_the_accounts_that_may_log_in),
        SCRATCH_TEST(a_user_that_stands_twice_is_told_where_demo_accounts_are_left_out),
        SCRATCH_TEST(a_hash_that_no_password_can_match_is_named),
        SCRATCH_TEST(the_hash_that_takes_longest_is_known),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
