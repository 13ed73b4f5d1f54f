#include "client/style.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const words[] = {
    [STYLE_AUTO] = "auto", [STYLE_ALWAYS] = "always", [STYLE_NEVER] = "never"};

bool
style_parse(const char *word, enum style_choice *choice)
{
    for (int i = 0; i <= STYLE_NEVER; i++) {
        if (strcmp(word, words[i]) == 0) {
            *choice = (enum style_choice)i;
            return true;
        }
    }
    return false;
}

const char *
style_choice_word(enum style_choice choice)
{
    return words[choice];
}

bool
style_wanted(enum style_choice choice, FILE *stream)
{
    const char *forbids = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    if (choice != STYLE_AUTO) {
        return choice == STYLE_ALWAYS;
    }
    return isatty(fileno(stream)) == 1 && (forbids == NULL || forbids[0] == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

const char *
style_code(bool is_on, enum style style)
{
    static const char *const codes[STYLE_COUNT] = {
        [STYLE_PLAIN] = "\033[0m",
        [STYLE_HEAD] = "\033[1m",
        [STYLE_FAINT] = "\033[2m",
        [STYLE_GOOD] = "\033[32m",
        [STYLE_CARE] = "\033[33m",
        [STYLE_BAD] = "\033[31m",
    };
    return is_on ? codes[style] : "";
}
