#include "shared/text.h"

#include <stdio.h>
#include <string.h>
#include <unistr.h>

bool
text_is_printable(const char *text, size_t size)
{
    const uint8_t *rest = (const uint8_t *)text;
    while (size > 0) {
        ucs4_t character = 0;
        int length = u8_mbtoucr(&character, rest, size);
        if (length <= 0 || character < 0x20 || (character >= 0x7f && character <= 0x9f)) {
            return false;
        }
        rest += length;
        size -= (size_t)length;
    }
    return true;
}

/* Returns the bytes of the character that `text` begins with; 0 where it is not to be shown. */
static size_t
measure_character(const char *text)
{
    ucs4_t character = 0;
    int length = u8_mbtoucr(&character, (const uint8_t *)text, strnlen(text, 4));
    bool is_turn = (character >= 0x2028 && character <= 0x202e) ||
                   (character >= 0x2066 && character <= 0x2069);
    return length > 0 && !is_turn && text_is_printable(text, (size_t)length) ? (size_t)length : 0;
}

const char *
text_escape(const char *text, char *target, size_t size)
{
    size_t used = 0;
    while (*text != '\0') {
        size_t length = measure_character(text);
        if (used + (length > 0 ? length : TEXT_ESCAPE_SIZE) >= size) {
            break;
        }
        if (length > 0) {
            memcpy(&target[used], text, length);
            used += length;
            text += length;
        } else {
            used += (size_t)snprintf(
                &target[used], TEXT_ESCAPE_SIZE + 1, "\\x%02x", (unsigned)(unsigned char)*text++);
        }
    }
    target[used] = '\0';
    return target;
}

const char *
text_shorten(const char *word, char shown[TEXT_SHOWN_SIZE])
{
    size_t size = strnlen(word, TEXT_SHOWN_MAX + 1);
    bool is_cut = size > TEXT_SHOWN_MAX;
    if (is_cut) {
        size = TEXT_SHOWN_MAX;
        /* At most three bytes of a character follow its first. */
        for (int i = 0; i < 3 && ((unsigned char)word[size] & 0xc0) == 0x80; i++) {
            size--;
        }
    }
    snprintf(shown, TEXT_SHOWN_SIZE, "%.*s%s", (int)size, word, is_cut ? "…" : "");
    return shown;
}

const char *
text_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}
