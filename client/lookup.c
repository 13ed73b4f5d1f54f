#include "client/lookup.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include "shared/upc.h"
#include "shared/usage.h"

void
lookup_clear(struct lookup *lookup)
{
    assert(lookup->items != NULL || lookup->count == 0);
    for (size_t i = 0; i < lookup->count; i++) {
        free((void *)(uintptr_t)lookup->items[i].name);
        free(lookup->folded[i]);
    }
    free(lookup->items);
    free(lookup->folded);
    *lookup = (struct lookup){0};
}

/* Takes the marks away that stand above and below letters of European scripts. */
static void
drop_accents(char *text)
{
    const uint8_t *from = (const uint8_t *)text;
    size_t left = strlen(text);
    char *to = text;
    while (left > 0) {
        ucs4_t character;
        size_t size = (size_t)u8_mbtouc(&character, from, left);
        if (character < 0x300 || character > 0x36f) {
            memmove(to, from, size);
            to += size;
        }
        from += size;
        left -= size;
    }
    *to = '\0';
}

char *
lookup_fold(const char *text)
{
    size_t size = 0;
    uint8_t *folded =
        u8_casefold((const uint8_t *)text, strlen(text), NULL, UNINORM_NFKD, NULL, &size);
    /* What is not UTF-8 is compared byte by byte. */
    char *copy = folded != NULL ? strndup((const char *)folded, size) : strdup(text);
    if (folded != NULL && copy != NULL) {
        drop_accents(copy);
    }
    free(folded);
    return copy;
}

int
lookup_take(struct lookup *lookup, const struct item *items, size_t count)
{
    lookup_clear(lookup);
    lookup->items = calloc(count + 1, sizeof *lookup->items);
    lookup->folded = calloc(count + 1, sizeof *lookup->folded);
    if (lookup->items == NULL || lookup->folded == NULL) {
        lookup_clear(lookup);
        return ERROR_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        lookup->count = i + 1;
        lookup->items[i] = items[i];
        lookup->items[i].name = strdup(items[i].name);
        lookup->folded[i] = lookup_fold(items[i].name); /* analyzer: malloc-leak: it frees both */
        if (lookup->items[i].name == NULL || lookup->folded[i] == NULL) {
            /* analyzer: malloc-leak: both are in the lookup already, which frees them here */
            lookup_clear(lookup);
            return ERROR_MEMORY;
        }
    }
    return 0;
}

/* Finds the items whose name is `folded`, or has it as a part. */
static size_t
find(const struct lookup *lookup, const char *folded, bool whole, size_t *found, size_t found_max)
{
    size_t count = 0;
    for (size_t i = 0; i < lookup->count; i++) {
        bool fits = whole ? strcmp(lookup->folded[i], folded) == 0
                          : strstr(lookup->folded[i], folded) != NULL;
        if (fits) {
            if (count < found_max) {
                found[count] = i;
            }
            count++;
        }
    }
    return count;
}

size_t
lookup_find(const struct lookup *lookup, const char *part, size_t *found, size_t found_max)
{
    size_t count = 0;
    char *folded = lookup_fold(part);
    if (folded != NULL && folded[0] != '\0') {
        count = find(lookup, folded, true, found, found_max);
        if (count == 0) {
            count = find(lookup, folded, false, found, found_max);
        }
    }
    free(folded);
    return count;
}

/* Is `upc` less than two slips away from `digits`, or from those with their leading zeros? */
static bool
is_near(const char *digits, const char *padded, uint64_t upc)
{
    char text[UPC_TEXT_SIZE];
    upc_format(upc, text);
    return usage_distance(digits, text) <= 1 || usage_distance(padded, text) <= 1;
}

bool
lookup_near(const struct lookup *lookup, const char *digits, uint64_t *upc)
{
    char padded[UPC_TEXT_SIZE] = "000000000000";
    size_t size = strlen(digits);
    size_t near_count = 0;
    uint64_t near = 0;
    uint64_t whole = 0;
    if (size < UPC_TEXT_SIZE) {
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): the text has its zero already */
        memcpy(&padded[UPC_TEXT_SIZE - 1 - size], digits, size);
    }
    bool is_whole = size < UPC_TEXT_SIZE && upc_parse(padded, &whole);
    for (size_t i = 0; i < lookup->count; i++) {
        uint64_t found = lookup->items[i].upc;
        if (is_whole && found == whole) {
            *upc = found;
            return true;
        }
        if (is_near(digits, padded, found)) {
            near = found;
            near_count++;
        }
    }
    if (near_count == 1) {
        *upc = near;
        return true;
    }
    /* Nobody knows the items here: the check digit has to do. */
    if (lookup->count == 0 && size < UPC_TEXT_SIZE - 1 && is_whole && upc_is_valid(whole)) {
        *upc = whole;
        return true;
    }
    return false;
}

const char *
lookup_name(const struct lookup *lookup, uint64_t upc)
{
    size_t low = 0;
    size_t high = lookup->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lookup->items[middle].upc < upc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < lookup->count && lookup->items[low].upc == upc ? lookup->items[low].name : NULL;
}
