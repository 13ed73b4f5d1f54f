/*
 * The client's decoder of replies. For any bytes of at most MESSAGE_SIZE_MAX:
 *
 * - it allocates at most 1 MiB besides the memory for replies, which is less than that itself;
 * - what is refused has a reason, and leaves the reply untouched;
 * - what is accepted is within the limits;
 * - packed again, each of its members is the one that came, and what is left out says nothing;
 * - and that, decoded again, packs to the same bytes.
 */
#include "fuzz/meter.h"
#include "fuzz/normal.h"
#include "fuzz/target.h"

#include "shared/protocol.h"

#include <string.h>

enum {
    ALLOCATED_MAX = 1024 * 1024,
    PACKED_MAX = MESSAGE_SIZE_MAX + 512 /* a member that was missing may be added */
};

static void
check_stats(const struct stats *stats)
{
    REQUIRE(strnlen(stats->version, sizeof stats->version) < sizeof stats->version);
    for (int i = 0; i < STATS_NUMBER_COUNT; i++) {
        REQUIRE(stats->numbers[i] <= NUMBER_MAX);
    }
    for (int i = 0; i < STATS_TALLY_COUNT; i++) {
        const struct tally *tally = &stats->tallies[i];
        REQUIRE(tally->count <= NUMBER_MAX && tally->total <= NUMBER_MAX);
        REQUIRE(tally->max <= NUMBER_MAX);
    }
}

static void
check_limits(const struct reply *reply)
{
    REQUIRE(reply->status < STATUS_COUNT);
    REQUIRE(reply->position <= NUMBER_MAX && reply->session <= NUMBER_MAX);
    REQUIRE(reply->order <= NUMBER_MAX && reply->units <= NUMBER_MAX);
    REQUIRE(reply->upc <= UPC_MAX && reply->available <= LEVEL_MAX);
    REQUIRE(reply->retry_ms <= 3600000);
    REQUIRE(strnlen(reply->message, MESSAGE_TEXT_SIZE) < MESSAGE_TEXT_SIZE);
    if (reply->stats != NULL) {
        check_stats(reply->stats);
    }
    REQUIRE(reply->item_count <= PAGE_ITEMS_MAX && (reply->is_page || reply->item_count == 0));
    for (size_t i = 0; i < reply->item_count; i++) {
        const struct item *item = &reply->items[i];
        size_t size = strlen(item->name);
        REQUIRE(item->upc <= UPC_MAX && item->units <= LEVEL_MAX);
        REQUIRE(size >= 1 && size <= ITEM_NAME_SIZE_MAX);
    }
}

/* May the member be added where it did not come? Only with what its absence means. */
static bool
may_be_added(const msgpack_object *key, const msgpack_object *value)
{
    return object_is_text(key, "message") ||
           (object_is_text(key, "token") && value->type == MSGPACK_OBJECT_BIN) ||
           (object_is_text(key, "more") && value->type == MSGPACK_OBJECT_BOOLEAN) ||
           ((object_is_text(key, "upc") || object_is_text(key, "available")) &&
               value->via.u64 == 0);
}

/* May the member be left out? Only where it has no place in a reply of this status, or is 0. */
static bool
may_be_left_out(const msgpack_object *key, const msgpack_object *value, const struct reply *reply)
{
    bool names_item =
        reply->status == STATUS_UNKNOWN_ITEM || reply->status == STATUS_INSUFFICIENT_STOCK;
    if (object_is_text(key, "message")) {
        return reply->status == STATUS_OK;
    }
    if (object_is_text(key, "token")) {
        return reply->session == 0;
    }
    if (object_is_text(key, "more")) {
        return !reply->is_page;
    }
    if (object_is_text(key, "upc")) {
        return !names_item;
    }
    if (object_is_text(key, "available")) {
        return reply->status != STATUS_INSUFFICIENT_STOCK;
    }
    if (object_is_text(key, "session") || object_is_text(key, "order") ||
        object_is_text(key, "units") || object_is_text(key, "retry_ms")) {
        return value->via.u64 == 0;
    }
    return !object_is_text(key, "v") && !object_is_text(key, "status") &&
           !object_is_text(key, "history") && !object_is_text(key, "position") &&
           !object_is_text(key, "items");
}

/* Holds the members that came against those that were packed. */
static void
check_members(const msgpack_object *came, const msgpack_object *went, const struct reply *reply)
{
    for (uint32_t i = 0; i < went->via.map.size; i++) {
        const msgpack_object_kv *pair = &went->via.map.ptr[i];
        char key[16];
        REQUIRE(object_copy_text(&pair->key, sizeof key - 1, key));
        const msgpack_object *value = normal_find(came, key);
        if (strcmp(key, "stats") == 0) {
            continue; /* what a later version adds to it is passed over */
        }
        REQUIRE(value == NULL ? may_be_added(&pair->key, &pair->val)
                              : normal_equal(value, &pair->val, PACKED_MAX));
    }
    for (uint32_t i = 0; i < came->via.map.size; i++) {
        const msgpack_object_kv *pair = &came->via.map.ptr[i];
        char key[16];
        if (!object_copy_text(&pair->key, sizeof key - 1, key) || normal_find(went, key) == NULL) {
            REQUIRE(may_be_left_out(&pair->key, &pair->val, reply));
        }
    }
}

static void
check_packed(struct reply_memory *memory, const struct reply *reply)
{
    static unsigned char packed[PACKED_MAX];
    static unsigned char packed_again[PACKED_MAX];
    struct buffer buffer;
    struct buffer again;
    buffer_init(&buffer, packed, sizeof packed);
    reply_encode(&buffer, reply);
    REQUIRE(!buffer.overflow);
    if (buffer.size > MESSAGE_SIZE_MAX ||
        (reply->stats != NULL && reply->stats->version[0] == '\0')) {
        return; /* what was added made it too large to travel, or a text is missing */
    }
    struct reply_memory *other = reply_memory_new();
    struct reply decoded;
    struct diagnostic diagnostic = {""};
    REQUIRE(other != NULL);
    REQUIRE(reply_decode(other, packed, buffer.size, &decoded, &diagnostic) == 0);
    check_members(&memory->unpacked.object, &other->unpacked.object, reply);
    buffer_init(&again, packed_again, sizeof packed_again);
    reply_encode(&again, &decoded);
    REQUIRE(again.size == buffer.size && memcmp(packed, packed_again, again.size) == 0);
    reply_memory_free(&other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct diagnostic diagnostic = {""};
    struct reply reply;
    if (size > MESSAGE_SIZE_MAX) {
        return 0;
    }
    memset(&reply, 0x5a, sizeof reply);
    const struct reply untouched = reply;
    meter_start();
    struct reply_memory *memory = reply_memory_new();
    REQUIRE(memory != NULL && meter_stop() <= ALLOCATED_MAX);
    meter_start();
    int error = reply_decode(memory, data, size, &reply, &diagnostic);
    REQUIRE(meter_stop() <= ALLOCATED_MAX);
    if (error == 0) {
        check_limits(&reply);
        check_packed(memory, &reply);
    } else {
        REQUIRE(error == ERROR_DAMAGED && diagnostic.text[0] != '\0');
        REQUIRE(memcmp(&reply, &untouched, sizeof reply) == 0);
    }
    reply_memory_free(&memory);
    return 0;
}
