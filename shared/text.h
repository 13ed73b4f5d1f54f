/**
 * text.h: texts that came from outside, on their way to somebody who reads them.
 */
#ifndef STOCKBUS_SHARED_TEXT_H
#define STOCKBUS_SHARED_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TEXT_ESCAPE_SIZE = 4,     /**< of one byte that is escaped: a backslash, x, two digits */
    TEXT_SHOWN_MAX = 200,     /**< bytes of a word that are worth repeating to who typed it */
    TEXT_SHOWN_SIZE = 200 + 4 /**< room for them, an ellipsis and a zero */
};

/** Are these bytes UTF-8 (RFC 3629) without control characters (U+0000 to U+001F, U+007F to
 * U+009F)? */
bool
text_is_printable(const char *text, size_t size);

/**
 * Writes `text` into `target`, each byte as a backslash, x and two hexadecimal digits that belongs
 * to a control character, to one that turns the direction of what follows or ends a line (U+2028 to
 * U+202E, U+2066 to U+2069), or to no character at all: nothing in it can then begin a line, move a
 * cursor or show another text than there is.
 *
 * What does not fit is cut off, never inside of a character. Room for TEXT_ESCAPE_SIZE times the
 * bytes of `text` and a zero is always enough. Returns `target`.
 */
const char *
text_escape(const char *text, char *target, size_t size);

/**
 * Copies `word`, in which the first TEXT_SHOWN_MAX bytes and an ellipsis stand for a longer one,
 * cut between two characters. Returns `shown`.
 */
const char *
text_shorten(const char *word, char shown[TEXT_SHOWN_SIZE]);

/** Returns what stands behind the word for one of `count` things: "" or "s". Static. */
const char *
text_plural(uint64_t count);

#endif
