#include "support/scratch.h"

#include <czmq.h>

#include "shared/certificate.h"
#include "shared/secret.h"

static char path[512];
static char secret_path[520];
static struct diagnostic diagnostic;

static int
name_files(void **state)
{
    if (scratch_setup(state) != 0) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/shop.cert", (const char *)*state);
    snprintf(secret_path, sizeof secret_path, "%s_secret", path);
    diagnostic.text[0] = '\0';
    return 0;
}

static void
czmq_reads_what_is_made(void **state)
{
    char text[CERTIFICATE_TEXT_SIZE];
    struct certificate read;
    uint8_t public_key[CERTIFICATE_KEY_SIZE];
    (void)state;
    assert_int_equal(certificate_make(path, text, &diagnostic), 0);
    assert_int_equal(certificate_read_secret(path, &read, &diagnostic), 0);
    assert_int_equal(certificate_read_public(path, public_key, &diagnostic), 0);
    assert_memory_equal(public_key, read.public_key, sizeof public_key);

    zcert_t *both = zcert_load(path);
    assert_non_null(both);
    assert_string_equal(zcert_public_txt(both), text);
    assert_memory_equal(zcert_public_key(both), read.public_key, sizeof read.public_key);
    assert_memory_equal(zcert_secret_key(both), read.secret_key, sizeof read.secret_key);
    zcert_destroy(&both);
    assert_int_equal(unlink(secret_path), 0);
    zcert_t *public_half = zcert_load(path);
    assert_non_null(public_half);
    assert_memory_equal(zcert_public_key(public_half), read.public_key, sizeof read.public_key);
    zcert_destroy(&public_half);
}

static void
what_czmq_makes_is_read(void **state)
{
    struct certificate read;
    uint8_t public_key[CERTIFICATE_KEY_SIZE];
    (void)state;
    zcert_t *made = zcert_new();
    zcert_set_meta(made, "name", "%s", "the shop in the north");
    assert_int_equal(zcert_save(made, path), 0);
    assert_int_equal(certificate_read_public(path, public_key, &diagnostic), 0);
    assert_memory_equal(public_key, zcert_public_key(made), sizeof public_key);
    assert_int_equal(certificate_read_secret(path, &read, &diagnostic), 0);
    assert_memory_equal(read.secret_key, zcert_secret_key(made), sizeof read.secret_key);
    zcert_destroy(&made);
}

static void
two_certificates_have_nothing_in_common(void **state)
{
    char other[600];
    char text[CERTIFICATE_TEXT_SIZE];
    char other_text[CERTIFICATE_TEXT_SIZE];
    (void)state;
    snprintf(other, sizeof other, "%s-2", path);
    assert_int_equal(certificate_make(path, text, &diagnostic), 0);
    assert_int_equal(certificate_make(other, other_text, &diagnostic), 0);
    assert_string_not_equal(text, other_text);
    assert_int_equal(certificate_make(path, text, &diagnostic), ERROR_EXISTS);
    assert_non_null(strstr(diagnostic.text, "exists already"));
}

static void
after_an_error_no_half_is_left(void **state)
{
    char text[CERTIFICATE_TEXT_SIZE] = "untouched";
    (void)state;
    /* The public half cannot be made: something else has its name. */
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(certificate_make(path, text, &diagnostic), ERROR_EXISTS);
    assert_string_equal(text, "untouched");
    assert_int_equal(access(secret_path, F_OK), -1);
}

static void
a_secret_is_its_owners_alone(void **state)
{
    char text[CERTIFICATE_TEXT_SIZE];
    struct certificate read = {.public_key = {1}};
    (void)state;
    assert_int_equal(certificate_make(path, text, &diagnostic), 0);
    for (unsigned mode = 0; mode <= 0777; mode++) {
        assert_int_equal(chmod(secret_path, (mode_t)(mode | 0400)), 0);
        int expected = (mode & 077) != 0 ? ERROR_PERMISSION : 0;
        assert_int_equal(secret_check(secret_path, &diagnostic), expected);
    }
    assert_int_equal(chmod(secret_path, 0604), 0);
    assert_int_equal(certificate_read_secret(path, &read, &diagnostic), ERROR_PERMISSION);
    assert_int_equal(read.public_key[0], 1);
    assert_non_null(strstr(diagnostic.text, secret_path));
    assert_non_null(strstr(diagnostic.text, "mode 0604"));
    assert_non_null(strstr(diagnostic.text, "chmod 600"));
    assert_int_equal(unlink(secret_path), 0);
    assert_int_equal(secret_check(secret_path, &diagnostic), ERROR_NOT_FOUND);
}

#define FILES_TEST(name) cmocka_unit_test_setup_teardown(name, name_files, scratch_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FILES_TEST(czmq_reads_what_is_made),
        FILES_TEST(what_czmq_makes_is_read),
        FILES_TEST(two_certificates_have_nothing_in_common),
        FILES_TEST(after_an_error_no_half_is_left),
        FILES_TEST(a_secret_is_its_owners_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
