#include "broker/event.h"

#include <string.h>

static const struct {
    const char *word;
    uint32_t size;
} kinds[EVENT_KIND_COUNT] = {
#define EVENT_ENTRY(name, word, size) {word, size},
    EVENT_LIST(EVENT_ENTRY)
#undef EVENT_ENTRY
};

size_t
event_size_max(const struct request *request)
{
    /* The longest without lines is a refusal: array, word, five numbers, a status word. A login has
     * a user and a hash instead. A line is an array and two numbers. */
    enum {
        WORD = 24,
        NUMBER = 9,
        LINE = 1 + 2 * NUMBER
    };
    return 1 + 2 * WORD + 5 * NUMBER + USER_SIZE_MAX + TOKEN_HASH_SIZE + LINE * request->line_count;
}

static void
encode_lines(msgpack_packer *packer, const struct event *event)
{
    msgpack_pack_array(packer, event->line_count);
    for (size_t i = 0; i < event->line_count; i++) {
        msgpack_pack_array(packer, 2);
        msgpack_pack_uint64(packer, event->lines[i].upc);
        msgpack_pack_uint64(packer, event->lines[i].units);
    }
}

void
event_encode(msgpack_packer *packer, const struct event *event)
{
    msgpack_pack_array(packer, kinds[event->kind].size);
    pack_text(packer, kinds[event->kind].word);
    msgpack_pack_uint64(packer, event->session);
    switch (event->kind) {
    case EVENT_LOGIN:
        pack_text(packer, event->user);
        pack_bytes(packer, event->token_hash, sizeof event->token_hash);
        break;
    case EVENT_BUY:
    case EVENT_RESTOCK:
        msgpack_pack_uint64(packer, event->order);
        msgpack_pack_uint64(packer, event->body);
        encode_lines(packer, event);
        break;
    case EVENT_REFUSE:
        msgpack_pack_uint64(packer, event->order);
        msgpack_pack_uint64(packer, event->body);
        pack_text(packer, status_word(event->status));
        msgpack_pack_uint64(packer, event->upc);
        msgpack_pack_uint64(packer, event->available);
        break;
    case EVENT_VOID:
        msgpack_pack_uint64(packer, event->order);
        break;
    case EVENT_LOGOUT:
    case EVENT_KIND_COUNT:
        break;
    }
}

static bool
decode_lines(const msgpack_object *object, struct event *event)
{
    if (!object_array(object, 0) || object->via.array.size < 1 ||
        object->via.array.size > ORDER_LINES_MAX) {
        return false;
    }
    event->line_count = object->via.array.size;
    for (size_t i = 0; i < event->line_count; i++) {
        const msgpack_object *line = &object->via.array.ptr[i];
        if (!object_array(line, 2) ||
            !object_uint(&line->via.array.ptr[0], 0, UPC_MAX, &event->lines[i].upc) ||
            !object_uint(&line->via.array.ptr[1], 1, NUMBER_MAX, &event->lines[i].units) ||
            (i > 0 && event->lines[i].upc <= event->lines[i - 1].upc)) {
            return false;
        }
    }
    return true;
}

static bool
decode_kind(const msgpack_object *object, struct event *event)
{
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        if (object_is_text(&object->via.array.ptr[0], kinds[kind].word)) {
            event->kind = (enum event_kind)kind;
            return object->via.array.size == kinds[kind].size;
        }
    }
    return false;
}

/* Takes what follows word and session. The number of objects is right. */
static bool
decode_rest(const msgpack_object *rest, struct event *event)
{
    switch (event->kind) {
    case EVENT_LOGIN:
        return object_copy_text(&rest[0], USER_SIZE_MAX, event->user) &&
               object_bytes(&rest[1], event->token_hash, sizeof event->token_hash);
    case EVENT_BUY:
    case EVENT_RESTOCK:
        return object_uint(&rest[0], 1, NUMBER_MAX, &event->order) &&
               object_uint(&rest[1], 0, UINT64_MAX, &event->body) && decode_lines(&rest[2], event);
    case EVENT_REFUSE:
        return object_uint(&rest[0], 1, NUMBER_MAX, &event->order) &&
               object_uint(&rest[1], 0, UINT64_MAX, &event->body) &&
               status_parse(&rest[2], &event->status) &&
               object_uint(&rest[3], 0, UPC_MAX, &event->upc) &&
               object_uint(&rest[4], 0, LEVEL_MAX, &event->available);
    case EVENT_VOID:
        return object_uint(&rest[0], 1, NUMBER_MAX, &event->order);
    case EVENT_LOGOUT:
        return true;
    /* unreached: the count is no kind, and kinds come from a table */
    case EVENT_KIND_COUNT:
        break;
    }
    return false;
}

int
event_decode(const msgpack_object *object, struct event *event, struct diagnostic *diagnostic)
{
    if (!object_array(object, 0) || object->via.array.size < 2 || !decode_kind(object, event)) {
        return diagnostic_set(diagnostic, ERROR_DAMAGED, "an event of no known kind");
    }
    const msgpack_object *members = object->via.array.ptr;
    if (!object_uint(&members[1], 1, NUMBER_MAX, &event->session) ||
        !decode_rest(members + 2, event)) {
        return diagnostic_set(diagnostic, ERROR_DAMAGED, "a '%s' event with a member out of range",
            kinds[event->kind].word);
    }
    return 0;
}
