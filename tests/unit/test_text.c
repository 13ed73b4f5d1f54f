#include "support/cmocka_headers.h"

#include "shared/text.h"

#include <string.h>

static void
what_is_no_printable_character_is_escaped(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"caf\xc3\xa9 \xe7\xb7\x91 \xf0\x9f\x8d\xb5", "caf\xc3\xa9 \xe7\xb7\x91 \xf0\x9f\x8d\xb5"},
        {"a\x1b[2J\n\t\x7f", "a\\x1b[2J\\x0a\\x09\\x7f"},
        {"\xc2\x9b", "\\xc2\\x9b"},
        {"\xff\xc3", "\\xff\\xc3"},
        {"\xe7\xb7", "\\xe7\\xb7"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
        {"\xe2\x80\xaegnp\xe2\x80\xac", "\\xe2\\x80\\xaegnp\\xe2\\x80\\xac"},
        {"\xe2\x80\xa7\xe2\x80\xa8", "\xe2\x80\xa7\\xe2\\x80\\xa8"},
        {"\xe2\x80\xaf\xe2\x81\xa5", "\xe2\x80\xaf\xe2\x81\xa5"},
        {"\xe2\x81\xa6\xe2\x81\xa9", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9"},
        {"\xe2\x81\xaa", "\xe2\x81\xaa"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char target[100];
        assert_ptr_equal(text_escape(rows[i][0], target, sizeof target), target);
        assert_string_equal(target, rows[i][1]);
    }
}

static void
what_is_escaped_fits_its_room_in_whole_characters(void **state)
{
    static const char text[] = "a\xe7\xb7\x91\x1b";
    static const char *const whole[] = {"", "a", "a", "a", "a\xe7\xb7\x91", "a\xe7\xb7\x91",
        "a\xe7\xb7\x91", "a\xe7\xb7\x91", "a\xe7\xb7\x91\\x1b"};
    (void)state;
    for (size_t size = 1; size <= sizeof whole / sizeof whole[0]; size++) {
        char target[16];
        memset(target, '!', sizeof target);
        assert_string_equal(text_escape(text, target, size), whole[size - 1]);
        assert_int_equal(target[size], '!');
    }
}

static void
a_long_word_is_cut_between_characters(void **state)
{
    char word[3000];
    char shown[TEXT_SHOWN_SIZE];
    (void)state;
    memset(word, 'a', sizeof word);
    word[TEXT_SHOWN_MAX] = '\0';
    assert_string_equal(text_shorten(word, shown), word);
    word[TEXT_SHOWN_MAX] = 'a';
    word[sizeof word - 1] = '\0';
    assert_ptr_equal(text_shorten(word, shown), shown);
    assert_int_equal(strlen(shown), TEXT_SHOWN_MAX + 3);
    assert_string_equal(&shown[TEXT_SHOWN_MAX - 1], "a\xe2\x80\xa6");
    for (size_t i = 1; i <= 4; i++) {
        /* The cut would fall behind the i-th byte of the character. */
        memset(word, 'a', sizeof word - 1);
        memcpy(&word[TEXT_SHOWN_MAX - i], "\xf0\x9f\x8d\xb5", 4);
        size_t kept = i == 4 ? TEXT_SHOWN_MAX : TEXT_SHOWN_MAX - i;
        assert_int_equal(strlen(text_shorten(word, shown)), kept + 3);
        assert_memory_equal(shown, word, kept);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_printable_character_is_escaped),
        cmocka_unit_test(what_is_escaped_fits_its_room_in_whole_characters),
        cmocka_unit_test(a_long_word_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
