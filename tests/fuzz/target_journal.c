/*
 * The replay of a broker's journal. For any bytes in a file, as they are and sealed:
 *
 * - the file is read or refused with a reason, and what is said of its end is so;
 * - written again from its records, it is read as the same records; a file in its shortest form is
 *   the same, byte for byte;
 * - each event that is understood packs to what it was, and to that again;
 * - orders of a session go up by one, session numbers go up, levels stay within the limits, and
 *   units are conserved;
 * - the fold of the engine comes to the same state, and that is saved and loaded unchanged.
 */
#include "fuzz/normal.h"
#include "fuzz/records.h"
#include "fuzz/shop.h"
#include "fuzz/target.h"

#include "broker/engine.h"

#include <string.h>

static const struct ledger_limits limits = {.sessions_max = 1000, .sessions_user_max = 1000};

/* A replay, event by event, beside that of the engine. */
struct replay {
    struct ledger *ledger;
    struct store_fold fold;
    struct unpacked unpacked;
};

/* Packs the event and sees that it is what came. */
static void
check_event(struct replay *replay, const msgpack_object *object, const struct event *event)
{
    static unsigned char packed[MESSAGE_SIZE_MAX];
    static struct event decoded;
    const struct guard_bounds bounds = {.depth_max = 16, .elements_max = MESSAGE_SIZE_MAX};
    struct diagnostic diagnostic = {""};
    enum guard_verdict verdict;
    struct buffer buffer;
    msgpack_packer packer;
    size_t used = 0;
    buffer_init(&buffer, packed, sizeof packed);
    pack_into(&packer, &buffer);
    event_encode(&packer, event);
    REQUIRE(!buffer.overflow);
    REQUIRE(unpack(&replay->unpacked, packed, buffer.size, &bounds, &used, &verdict) == 0);
    REQUIRE(used == buffer.size && normal_equal(object, &replay->unpacked.object, sizeof packed));
    REQUIRE(event_decode(&replay->unpacked.object, &decoded, &diagnostic) == 0);
}

static void
check_levels(const struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->stock.count; i++) {
        REQUIRE(ledger->stock.items[i].units <= LEVEL_MAX);
    }
}

/* Applies one event and sees that it changed what it says. */
static int
apply_event(struct replay *replay, const struct event *event, uint64_t number,
    struct diagnostic *diagnostic)
{
    struct ledger *ledger = replay->ledger;
    const struct session *session = sessions_find(&ledger->sessions, event->session);
    uint64_t order = session == NULL ? 0 : session->last.order;
    uint64_t session_last = ledger->sessions.last;
    uint64_t expected = ledger_units(ledger);
    int error = ledger_apply(ledger, event, number, diagnostic);
    if (error != 0) {
        REQUIRE(error == ERROR_DAMAGED && diagnostic->text[0] != '\0');
        return error;
    }
    for (size_t i = 0; i < event->line_count; i++) {
        expected += event->kind == EVENT_RESTOCK ? event->lines[i].units : 0;
        expected -= event->kind == EVENT_BUY ? event->lines[i].units : 0;
    }
    REQUIRE(ledger_units(ledger) == expected);
    check_levels(ledger);
    const struct session *after = sessions_find(&ledger->sessions, event->session);
    if (event->kind == EVENT_LOGIN) {
        REQUIRE(session == NULL && event->session > session_last);
        REQUIRE(after != NULL && ledger->sessions.last == event->session);
    } else if (event->kind == EVENT_LOGOUT) {
        REQUIRE(after == NULL);
    } else {
        REQUIRE(after != NULL && event->order == order + 1 && after->last.order == event->order);
    }
    return 0;
}

static int
apply_record(struct replay *replay, uint64_t number, const msgpack_object *body,
    struct diagnostic *diagnostic)
{
    static struct event event;
    uint64_t time_ms = 0;
    if (!object_array(body, 2) || !object_uint(&body->via.array.ptr[0], 0, UINT64_MAX, &time_ms) ||
        !object_array(&body->via.array.ptr[1], 0)) {
        return ERROR_DAMAGED;
    }
    const msgpack_object_array *events = &body->via.array.ptr[1].via.array;
    for (uint32_t i = 0; i < events->size; i++) {
        memset(&event, 0, sizeof event);
        int error = event_decode(&events->ptr[i], &event, diagnostic);
        if (error != 0) {
            REQUIRE(error == ERROR_DAMAGED && diagnostic->text[0] != '\0');
            return error;
        }
        check_event(replay, &events->ptr[i], &event);
        error = apply_event(replay, &event, number, diagnostic);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int
replay_record(void *context, uint64_t number, const msgpack_object *body, int64_t offset,
    struct diagnostic *diagnostic)
{
    struct replay *replay = context;
    struct diagnostic reason = {""};
    (void)offset;
    int error = apply_record(replay, number, body, &reason);
    int error_fold = replay->fold.apply(replay->fold.state, number, body, diagnostic);
    REQUIRE(error == error_fold);
    return error_fold;
}

static void
replay_file(struct fake_disk *disk)
{
    struct diagnostic diagnostic = {""};
    struct ledger *other = ledger_new(&limits);
    struct ledger *loaded = ledger_new(&limits);
    struct replay replay = {.ledger = ledger_new(&limits), .fold = engine_fold(other)};
    REQUIRE(other != NULL && loaded != NULL && replay.ledger != NULL);
    REQUIRE(unpacked_init(&replay.unpacked) == 0);
    REQUIRE(shop_fill(NULL, &replay.ledger->stock, &diagnostic) == 0);
    REQUIRE(shop_fill(NULL, &other->stock, &diagnostic) == 0);
    if (records_check_journal(disk, replay_record, &replay)) {
        const struct store_fold fold = engine_fold(replay.ledger);
        const struct store_fold fold_loaded = engine_fold(loaded);
        records_check_state(disk, "state", &fold, &fold_loaded);
        ledger_clear(loaded);
        records_check_state(disk, "state-of-fold", &replay.fold, &fold_loaded);
        REQUIRE(records_equal(disk, "state", "state-of-fold"));
    }
    unpacked_fini(&replay.unpacked);
    ledger_free(&replay.ledger);
    ledger_free(&other);
    ledger_free(&loaded);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    records_each_seal(data, size, replay_file);
    return 0;
}
