/**
 * style.h: colours, for those who see and want them.
 *
 * A stream is styled or not; that is found out once, by style_wanted(), and then goes with the
 * stream. What is no terminal gets no colour unless it was asked for.
 */
#ifndef STOCKBUS_CLIENT_STYLE_H
#define STOCKBUS_CLIENT_STYLE_H

#include <stdbool.h>
#include <stdio.h>

/** What a piece of text is, for its looks. */
enum style {
    STYLE_PLAIN,
    STYLE_HEAD, /**< headings */
    STYLE_FAINT,
    STYLE_GOOD,
    STYLE_CARE, /**< what wants attention */
    STYLE_BAD,
    STYLE_COUNT
};

/** What the user wants. */
enum style_choice {
    STYLE_AUTO, /**< where there is a terminal and NO_COLOR does not forbid it */
    STYLE_ALWAYS,
    STYLE_NEVER
};

/** Is `word` auto, always or never? Then that is in `*choice`. */
bool
style_parse(const char *word, enum style_choice *choice);

/** Returns the word of `choice`. Static. */
const char *
style_choice_word(enum style_choice choice);

/** Is `stream` to be coloured? */
bool
style_wanted(enum style_choice choice, FILE *stream);

/** Returns what switches to `style`, or an empty text when `is_on` is false. Static. */
const char *
style_code(bool is_on, enum style style);

#endif
