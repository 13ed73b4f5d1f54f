#include "client/completion.h"

#include "client/commands.h"
#include "shared/array.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where the cursor stands in a line. */
struct place {
    const char *word; /* the word before the cursor, its quote included */
    char command[32]; /* the first word; empty: that is the one being typed */
    size_t index;     /* of the word */
};

static bool
is_space(char character)
{
    return character == ' ' || character == '\t';
}

static struct place
find_place(const char *line)
{
    struct place place = {.word = line};
    const char *at = line;
    for (;;) {
        at += strspn(at, " \t");
        place.word = at;
        bool quoted = false;
        while (*at != '\0' && (quoted || !is_space(*at))) {
            quoted = *at == '"' ? !quoted : quoted;
            at++;
        }
        if (*at == '\0') {
            return place;
        }
        if (place.index++ == 0) {
            snprintf(
                place.command, sizeof place.command, "%.*s", (int)(at - place.word), place.word);
        }
    }
}

/* May an item stand there? */
static bool
takes_item(const struct place *place)
{
    const struct command *command = place->index > 0 ? commands_find(place->command) : NULL;
    if (command == NULL) {
        return false;
    }
    bool pairs = strncmp(command->arguments, "ITEM UNITS", 10) == 0;
    bool items = strncmp(command->arguments, "[ITEM", 5) == 0;
    return items || (pairs && place->index % 2 == 1);
}

bool
completion_wants_items(enum completion_kind kind, const char *line)
{
    struct place place = find_place(line);
    return kind == COMPLETION_ITEM || (kind == COMPLETION_COMMAND && takes_item(&place));
}

/* Adds a word, within quotes if `quoted`. */
static int
add(struct completion *completion, const char *text, size_t size, bool quoted)
{
    char **grown =
        array_grow(completion->words, completion->count, &completion->room, sizeof *grown);
    if (grown == NULL) {
        return ERROR_MEMORY;
    }
    completion->words = grown;
    char *word = malloc(size + 3);
    if (word == NULL) {
        return ERROR_MEMORY;
    }
    snprintf(word, size + 3, "%s%.*s%s", quoted ? "\"" : "", (int)size, text, quoted ? "\"" : "");
    completion->words[completion->count++] = word;
    return 0;
}

static int
add_item(struct completion *completion, const struct item *item, bool by_upc, bool may_quote)
{
    char upc[UPC_TEXT_SIZE];
    upc_format(item->upc, upc);
    /* A quote cannot stand within quotes. */
    if (by_upc || (may_quote && strchr(item->name, '"') != NULL)) {
        return add(completion, upc, strlen(upc), false);
    }
    bool quoted = may_quote && item->name[strcspn(item->name, " \t#")] != '\0';
    return add(completion, item->name, strlen(item->name), quoted);
}

static int
find_items(
    struct completion *completion, const struct lookup *items, const char *typed, bool may_quote)
{
    int error = 0;
    const char *part = typed + (may_quote && typed[0] == '"');
    size_t size = strlen(part);
    bool is_upc = size > 0 && part[strspn(part, "0123456789")] == '\0';
    char *folded = lookup_fold(part);
    if (folded == NULL) {
        return ERROR_MEMORY;
    }
    for (size_t i = 0; error == 0 && i < items->count; i++) {
        char upc[UPC_TEXT_SIZE];
        upc_format(items->items[i].upc, upc);
        bool fits =
            is_upc ? strncmp(upc, part, size) == 0 : strstr(items->folded[i], folded) != NULL;
        if (fits) {
            error = add_item(completion, &items->items[i], is_upc, may_quote);
        }
    }
    free(folded);
    return error;
}

static int
find_commands(struct completion *completion, const char *typed)
{
    size_t count;
    int error = 0;
    const struct command *table = commands_table(&count);
    for (size_t i = 0; error == 0 && i < count; i++) {
        if (strncasecmp(table[i].name, typed, strlen(typed)) == 0) {
            error = add(completion, table[i].name, strlen(table[i].name), false);
        }
    }
    return error;
}

/* Finds the options of a command, which stand in its line of usage. */
static int
find_options(struct completion *completion, const char *name, const char *typed)
{
    const struct command *command = commands_find(name);
    int error = 0;
    /* Where something else may stand first, an option is begun by its dash. */
    bool offered =
        command != NULL && (typed[0] != '\0' || strncmp(command->arguments, "[--", 3) == 0);
    const char *at = offered ? strstr(command->arguments, "--") : NULL;
    while (error == 0 && at != NULL) {
        size_t size = strcspn(at, " ]|");
        if (strncmp(at, typed, strlen(typed)) == 0) {
            error = add(completion, at, size, false);
        }
        at = strstr(at + size, "--");
    }
    return error;
}

int
completion_find(struct completion *completion, enum completion_kind kind,
    const struct lookup *items, const char *line)
{
    struct place place = find_place(line);
    *completion = (struct completion){0};
    if (kind == COMPLETION_NONE) {
        return 0;
    }
    if (kind == COMPLETION_ITEM) {
        return find_items(completion, items, line, false);
    }
    completion->start = (size_t)(place.word - line);
    if (takes_item(&place)) {
        return find_items(completion, items, place.word, true);
    }
    if (place.index == 0 || strcasecmp(place.command, "help") == 0) {
        return find_commands(completion, place.word);
    }
    return find_options(completion, place.command, place.word);
}

char *
completion_common(const struct completion *completion, const char *typed)
{
    if (completion->count == 0) {
        return NULL;
    }
    size_t size = strlen(completion->words[0]);
    for (size_t i = 1; i < completion->count; i++) {
        size_t same = 0;
        while (same < size && completion->words[i][same] == completion->words[0][same]) {
            same++;
        }
        size = same;
    }
    /* Not within a character. */
    while (size > 0 && ((unsigned char)completion->words[0][size] & 0xc0) == 0x80) {
        size--;
    }
    char *common = strndup(completion->words[0], size);
    if (common == NULL || completion->count == 1) {
        return common;
    }
    /* A part from the middle of the names is worth more than a beginning that is shorter. */
    char *typed_folded = lookup_fold(typed);
    char *common_folded = lookup_fold(common);
    bool extends = typed_folded != NULL && common_folded != NULL && strcmp(typed, common) != 0 &&
                   strncmp(common_folded, typed_folded, strlen(typed_folded)) == 0;
    free(typed_folded);
    free(common_folded);
    if (!extends) {
        free(common);
        common = NULL;
    }
    return common;
}

void
completion_clear(struct completion *completion)
{
    for (size_t i = 0; i < completion->count; i++) {
        free(completion->words[i]);
    }
    free(completion->words);
    *completion = (struct completion){0};
}
