#include "shared/protocol.h"

#include <assert.h>

static_assert(3 * ORDER_LINES_MAX < MESSAGE_ELEMENTS_MAX, "the longest order passes the guard");
static_assert(4 * PAGE_ITEMS_MAX < MESSAGE_ELEMENTS_MAX, "the longest page passes the guard");
static_assert((uint64_t)UNITS_MAX * ORDER_LINES_MAX < LEVEL_MAX, "units of an order add up");
static_assert(LEVEL_MAX <= (UINT64_C(1) << 53) - 1, "JSON carries it exactly");
static_assert(NUMBER_MAX <= (UINT64_C(1) << 53) - 1, "JSON carries it exactly");

const struct guard_bounds message_bounds = {
    .depth_max = MESSAGE_DEPTH_MAX, .elements_max = MESSAGE_ELEMENTS_MAX};

static const char *const operation_words[OPERATION_COUNT] = {
#define OPERATION_WORD(name, word) word,
    OPERATION_LIST(OPERATION_WORD)
#undef OPERATION_WORD
};

static const struct {
    const char *word;
    const char *text;
} statuses[STATUS_COUNT] = {
#define STATUS_ENTRY(name, word, text) {word, text},
    STATUS_LIST(STATUS_ENTRY)
#undef STATUS_ENTRY
};

const char *
status_word(enum status status)
{
    assert(status < STATUS_COUNT);
    return statuses[status].word;
}

const char *
status_text(enum status status)
{
    assert(status < STATUS_COUNT);
    return statuses[status].text;
}

const char *
operation_word(enum operation operation)
{
    assert(operation < OPERATION_COUNT);
    return operation_words[operation];
}

bool
status_settles_order(enum status status)
{
    return status == STATUS_OK || status == STATUS_TOO_LARGE || status == STATUS_FORBIDDEN ||
           status == STATUS_UNKNOWN_ITEM || status == STATUS_INSUFFICIENT_STOCK ||
           status == STATUS_ORDER_VOIDED;
}

bool
status_parse(const msgpack_object *word, enum status *status)
{
    for (int i = 0; i < STATUS_COUNT; i++) {
        if (object_is_text(word, statuses[i].word)) {
            *status = (enum status)i;
            return true;
        }
    }
    return false;
}

bool
operation_parse(const msgpack_object *word, enum operation *operation)
{
    for (int i = 0; i < OPERATION_COUNT; i++) {
        if (object_is_text(word, operation_words[i])) {
            *operation = (enum operation)i;
            return true;
        }
    }
    return false;
}
