#include "support/cmocka_headers.h"

#include "broker/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static FILE *caught;
static int kept_fd;
static char text[64 * 1024];

/* From here on standard error goes to a file. */
static void
begin(void)
{
    caught = tmpfile();
    assert_non_null(caught);
    kept_fd = dup(STDERR_FILENO);
    assert_true(kept_fd >= 0 && dup2(fileno(caught), STDERR_FILENO) >= 0);
}

/* Returns what was written since. */
static const char *
end(void)
{
    dup2(kept_fd, STDERR_FILENO);
    close(kept_fd);
    rewind(caught);
    text[fread(text, 1, sizeof text - 1, caught)] = '\0';
    fclose(caught);
    return text;
}

static int
reset(void **state)
{
    (void)state;
    assert_true(log_set_level("notice"));
    assert_true(log_set_format("text"));
    return 0;
}

static void
a_line_in_text_names_its_level_unless_it_is_a_notice(void **state)
{
    (void)state;
    begin();
    log_line(LEVEL_NOTICE, "read %d accounts", 3);
    log_line(LEVEL_WARNING, "it is late");
    log_line(LEVEL_ERROR, "it is over");
    assert_string_equal(end(), "stockd: read 3 accounts\n"
                               "stockd: warning: it is late\n"
                               "stockd: error: it is over\n");
}

static void
only_lines_up_to_the_level_are_written(void **state)
{
    static const char *const words[] = {"error", "warning", "notice", "debug"};
    (void)state;
    for (int shown = 0; shown < LEVEL_COUNT; shown++) {
        assert_true(log_set_level(words[shown]));
        begin();
        for (int level = 0; level < LEVEL_COUNT; level++) {
            assert_int_equal(log_shows((enum level)level), level <= shown);
            log_line((enum level)level, "a line");
        }
        int count = 0;
        for (const char *at = end(); *at != '\0'; at++) {
            count += *at == '\n';
        }
        assert_int_equal(count, shown + 1);
    }
}

static void
that_it_serves_is_written_whatever_the_level(void **state)
{
    (void)state;
    assert_true(log_set_level("error"));
    begin();
    log_ready("tcp://127.0.0.1:5570");
    assert_string_equal(end(), "stockd: ready on tcp://127.0.0.1:5570\n");
}

static void
words_that_are_none_change_nothing(void **state)
{
    (void)state;
    assert_true(log_set_level("debug"));
    assert_false(log_set_level("loud"));
    assert_false(log_set_level(""));
    assert_true(log_shows(LEVEL_DEBUG));
    assert_true(log_set_format("json"));
    assert_false(log_set_format("xml"));
    begin();
    log_line(LEVEL_NOTICE, "x");
    assert_int_equal(end()[0], '{');
}

static void
control_characters_and_bad_bytes_are_escaped(void **state)
{
    (void)state;
    begin();
    log_line(LEVEL_NOTICE, "%s",
        "a\nstockd: ready\x1b[2J \x7f \xc2\x9b caf\xc3\xa9 \xff\xc3"
        "\xe2\x80\xae\xe2\x80\xac");
    assert_string_equal(end(), "stockd: a\\x0astockd: ready\\x1b[2J \\x7f \\xc2\\x9b caf\xc3\xa9 "
                               "\\xff\\xc3\\xe2\\x80\\xae\\xe2\\x80\\xac\n");
    assert_true(log_set_format("json"));
    begin();
    log_line(LEVEL_NOTICE, "%s", "a\n\"\\\x1b\xc2\x9b\xff");
    assert_non_null(strstr(end(), "\"message\":\"a\\u000a\\\"\\\\\\u001b\\u009b\xef\xbf\xbd\"}\n"));
}

static void
a_line_in_json_is_an_object_with_time_level_message_and_fields(void **state)
{
    const struct log_field fields[] = {{"data", "/a/\"b\"", 0}, {"items", NULL, 25}};
    int year = 0;
    int used = 0;
    (void)state;
    assert_true(log_set_format("json"));
    begin();
    log_fields(LEVEL_WARNING, fields, 2, "opened %s", "it");
    const char *line = end();
    assert_int_equal(
        sscanf(line, "{\"time\":\"%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%*3dZ\"%n", &year, &used), 1);
    assert_true(year >= 2024 && used > 0);
    assert_string_equal(line + used, ",\"level\":\"warning\",\"message\":\"opened "
                                     "it\",\"data\":\"/a/\\\"b\\\"\",\"items\":25}\n");
}

static void
a_sentence_that_is_too_long_is_cut_and_stays_one_line(void **state)
{
    char sentence[3000];
    (void)state;
    memset(sentence, '\n', sizeof sentence - 1);
    sentence[sizeof sentence - 1] = '\0';
    begin();
    log_line(LEVEL_NOTICE, "%s", sentence);
    assert_int_equal(strlen(end()), strlen("stockd: \n") + 4 * 1023);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_in_text_names_its_level_unless_it_is_a_notice, reset),
        cmocka_unit_test_setup(only_lines_up_to_the_level_are_written, reset),
        cmocka_unit_test_setup(that_it_serves_is_written_whatever_the_level, reset),
        cmocka_unit_test_setup(words_that_are_none_change_nothing, reset),
        cmocka_unit_test_setup(control_characters_and_bad_bytes_are_escaped, reset),
        cmocka_unit_test_setup(
            a_line_in_json_is_an_object_with_time_level_message_and_fields, reset),
        cmocka_unit_test_setup(a_sentence_that_is_too_long_is_cut_and_stays_one_line, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
