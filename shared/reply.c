#include "shared/protocol.h"

#include "shared/error.h"
#include "shared/stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes the sentence that goes with a status when nobody wrote a better one. */
static const char *
explain(const struct reply *reply, char *text)
{
    if (reply->message[0] != '\0') {
        return reply->message;
    }
    char upc[UPC_TEXT_SIZE];
    upc_format(reply->upc, upc);
    if (reply->status == STATUS_UNKNOWN_ITEM) {
        snprintf(text, MESSAGE_TEXT_SIZE, "there is no item %s", upc);
    } else if (reply->status == STATUS_INSUFFICIENT_STOCK) {
        snprintf(text, MESSAGE_TEXT_SIZE, "%" PRIu64 " units of %s are left, which is not enough",
            reply->available, upc);
    } else {
        snprintf(text, MESSAGE_TEXT_SIZE, "%s", status_text(reply->status));
    }
    return text;
}

static void
pack_page(msgpack_packer *packer, const struct reply *reply)
{
    pack_text(packer, "items");
    msgpack_pack_array(packer, reply->item_count);
    for (size_t i = 0; i < reply->item_count; i++) {
        msgpack_pack_array(packer, 3);
        msgpack_pack_uint64(packer, reply->items[i].upc);
        pack_text(packer, reply->items[i].name);
        msgpack_pack_uint64(packer, reply->items[i].units);
    }
    pack_text(packer, "more");
    if (reply->more) {
        msgpack_pack_true(packer);
    } else {
        msgpack_pack_false(packer);
    }
}

void
reply_encode(struct buffer *buffer, const struct reply *reply)
{
    bool names_item =
        reply->status == STATUS_UNKNOWN_ITEM || reply->status == STATUS_INSUFFICIENT_STOCK;
    msgpack_packer packer;
    pack_into(&packer, buffer);

    size_t count = 4;
    count += reply->status != STATUS_OK ? 1 : 0;
    count += reply->session != 0 ? 2 : 0;
    count += reply->order != 0 ? 1 : 0;
    count += reply->units != 0 ? 1 : 0;
    count += names_item ? 1 : 0;
    count += reply->status == STATUS_INSUFFICIENT_STOCK ? 1 : 0;
    count += reply->retry_ms != 0 ? 1 : 0;
    count += reply->is_page ? 2 : 0;
    count += reply->stats != NULL ? 1 : 0;
    msgpack_pack_map(&packer, count);
    pack_uint_member(&packer, "v", PROTOCOL_VERSION);
    if (reply->session != 0) {
        /* First, so that the next reply on the connection overwrites it in libzmq's buffer. */
        pack_text(&packer, "token");
        pack_bytes(&packer, reply->token, sizeof reply->token);
    }
    pack_text(&packer, "status");
    pack_text(&packer, status_word(reply->status));
    pack_text(&packer, "history");
    pack_bytes(&packer, reply->history, sizeof reply->history);
    pack_uint_member(&packer, "position", reply->position);
    if (reply->status != STATUS_OK) {
        char text[MESSAGE_TEXT_SIZE];
        pack_text(&packer, "message");
        pack_text(&packer, explain(reply, text));
    }
    if (reply->session != 0) {
        pack_uint_member(&packer, "session", reply->session);
    }
    if (reply->order != 0) {
        pack_uint_member(&packer, "order", reply->order);
    }
    if (reply->units != 0) {
        pack_uint_member(&packer, "units", reply->units);
    }
    if (names_item) {
        pack_uint_member(&packer, "upc", reply->upc);
    }
    if (reply->status == STATUS_INSUFFICIENT_STOCK) {
        pack_uint_member(&packer, "available", reply->available);
    }
    if (reply->retry_ms != 0) {
        pack_uint_member(&packer, "retry_ms", reply->retry_ms);
    }
    if (reply->is_page) {
        pack_page(&packer, reply);
    }
    if (reply->stats != NULL) {
        pack_text(&packer, "stats");
        stats_pack(&packer, reply->stats);
    }
}

size_t
reply_item_size(const struct item *item)
{
    /* array of three, two uint 64, str 8 */
    return 1 + 9 + 9 + 2 + strlen(item->name);
}

struct reply_memory *
reply_memory_new(void)
{
    struct reply_memory *memory = malloc(sizeof *memory);
    if (memory != NULL && unpacked_init(&memory->unpacked) != 0) {
        free(memory);
        memory = NULL;
    }
    return memory;
}

void
reply_memory_free(struct reply_memory **memory)
{
    if (*memory != NULL) {
        unpacked_fini(&(*memory)->unpacked);
        free(*memory);
        *memory = NULL;
    }
}

static bool
take_page(const msgpack_object *value, struct reply_memory *memory, struct reply *reply)
{
    if (!object_array(value, 0) || value->via.array.size > PAGE_ITEMS_MAX) {
        return false;
    }
    char *name_room = memory->names; /* never full: the names came in fewer bytes than it has */
    for (uint32_t i = 0; i < value->via.array.size; i++) {
        const msgpack_object *entry = &value->via.array.ptr[i];
        struct item *item = &memory->items[i];
        if (!object_array(entry, 3) ||
            !object_uint(&entry->via.array.ptr[0], 0, UPC_MAX, &item->upc) ||
            !object_copy_text(&entry->via.array.ptr[1], ITEM_NAME_SIZE_MAX, name_room) ||
            !object_uint(&entry->via.array.ptr[2], 0, LEVEL_MAX, &item->units)) {
            return false;
        }
        item->name = name_room;
        name_room += strlen(name_room) + 1;
    }
    reply->is_page = true;
    reply->items = memory->items;
    reply->item_count = value->via.array.size;
    return true;
}

/* What a reply can have, and which bit stands for it. */
enum {
    MEMBER_VERSION,
    MEMBER_STATUS,
    MEMBER_HISTORY,
    MEMBER_POSITION,
    MEMBERS_REQUIRED, /* those so far are in every reply */
    MEMBER_MESSAGE = MEMBERS_REQUIRED,
    MEMBER_TOKEN,
    MEMBER_ITEMS,
    MEMBER_MORE,
    MEMBER_STATS,
    MEMBER_SESSION,
    MEMBER_ORDER,
    MEMBER_UNITS,
    MEMBER_UPC,
    MEMBER_AVAILABLE,
    MEMBER_RETRY,
    MEMBER_COUNT
};

static const struct {
    const char *key;
    uint64_t max;  /* 0: not a plain unsigned integer */
    size_t offset; /* where such a one goes */
} members[MEMBER_COUNT] = {
    [MEMBER_VERSION] = {"v", 0, 0},
    [MEMBER_STATUS] = {"status", 0, 0},
    [MEMBER_HISTORY] = {"history", 0, 0},
    [MEMBER_POSITION] = {"position", NUMBER_MAX, offsetof(struct reply, position)},
    [MEMBER_MESSAGE] = {"message", 0, 0},
    [MEMBER_TOKEN] = {"token", 0, 0},
    [MEMBER_ITEMS] = {"items", 0, 0},
    [MEMBER_MORE] = {"more", 0, 0},
    [MEMBER_STATS] = {"stats", 0, 0},
    [MEMBER_SESSION] = {"session", NUMBER_MAX, offsetof(struct reply, session)},
    [MEMBER_ORDER] = {"order", NUMBER_MAX, offsetof(struct reply, order)},
    [MEMBER_UNITS] = {"units", NUMBER_MAX, offsetof(struct reply, units)},
    [MEMBER_UPC] = {"upc", UPC_MAX, offsetof(struct reply, upc)},
    [MEMBER_AVAILABLE] = {"available", LEVEL_MAX, offsetof(struct reply, available)},
    [MEMBER_RETRY] = {"retry_ms", 3600000, offsetof(struct reply, retry_ms)},
};

/* Returns which member the key names, or MEMBER_COUNT. */
static unsigned
find_member(const msgpack_object *key)
{
    unsigned member = 0;
    while (member < MEMBER_COUNT && !object_is_text(key, members[member].key)) {
        member++;
    }
    return member;
}

/* Takes one member. Returns false when its value is not what it has to be. */
static bool
take_member(
    unsigned member, const msgpack_object *value, struct reply_memory *memory, struct reply *reply)
{
    uint64_t version;
    switch (member) {
    case MEMBER_VERSION:
        return object_uint(value, PROTOCOL_VERSION, PROTOCOL_VERSION, &version);
    case MEMBER_STATUS:
        return status_parse(value, &reply->status);
    case MEMBER_HISTORY:
        return object_bytes(value, reply->history, sizeof reply->history);
    case MEMBER_MESSAGE:
        return object_copy_text(value, sizeof reply->message - 1, reply->message);
    case MEMBER_TOKEN:
        return object_bytes(value, reply->token, sizeof reply->token);
    case MEMBER_ITEMS:
        return take_page(value, memory, reply);
    case MEMBER_MORE:
        reply->more = value->type == MSGPACK_OBJECT_BOOLEAN && value->via.boolean;
        return value->type == MSGPACK_OBJECT_BOOLEAN;
    case MEMBER_STATS:
        reply->stats = &memory->stats;
        return stats_take(value, &memory->stats);
    default:
        return object_uint(value, 0, members[member].max,
            (uint64_t *)(void *)((char *)reply + members[member].offset));
    }
}

/* Takes all members. Returns 0 or ERROR_DAMAGED. */
static int
take_members(const msgpack_object_map *map, struct reply_memory *memory, struct reply *reply,
    struct diagnostic *diagnostic)
{
    const unsigned required = (1U << MEMBERS_REQUIRED) - 1;
    unsigned found = 0;
    for (uint32_t i = 0; i < map->size; i++) {
        unsigned member = find_member(&map->ptr[i].key);
        if (member == MEMBER_COUNT) {
            continue; /* of a later version */
        }
        if ((found & (1U << member)) != 0) {
            return diagnostic_set(
                diagnostic, ERROR_DAMAGED, "the reply has '%s' twice", members[member].key);
        }
        found |= 1U << member;
        if (!take_member(member, &map->ptr[i].val, memory, reply)) {
            return diagnostic_set(
                diagnostic, ERROR_DAMAGED, "the reply has a bad '%s'", members[member].key);
        }
    }
    if ((found & required) != required) {
        return diagnostic_set(
            diagnostic, ERROR_DAMAGED, "the reply lacks version, status, history or position");
    }
    return 0;
}

int
reply_decode(struct reply_memory *memory, const void *data, size_t size, struct reply *reply,
    struct diagnostic *diagnostic)
{
    size_t used = 0;
    enum guard_verdict bounds = GUARD_OK;
    struct reply result = {.status = STATUS_OK};

    if (size > MESSAGE_SIZE_MAX) {
        /* unreached: the link takes no message of that size */
        return diagnostic_set(diagnostic, ERROR_DAMAGED, "the reply has %zu bytes", size);
    }
    int error = unpack(&memory->unpacked, data, size, &message_bounds, &used, &bounds);
    if (error == ERROR_MEMORY) {
        return diagnostic_set(diagnostic, error, "out of memory");
    }
    if (error != 0) {
        return diagnostic_set(diagnostic, error, "the reply %s", guard_text(bounds));
    }
    if (used != size || memory->unpacked.object.type != MSGPACK_OBJECT_MAP) {
        return diagnostic_set(diagnostic, ERROR_DAMAGED, "the reply is not one map");
    }
    error = take_members(&memory->unpacked.object.via.map, memory, &result, diagnostic);
    if (error != 0) {
        return error;
    }
    *reply = result;
    return 0;
}
