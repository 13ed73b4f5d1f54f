/*
 * The reading of a broker's snapshot. For any bytes in a file, as they are and sealed:
 *
 * - it is read or refused with a reason;
 * - what was read has levels, numbers and names within the limits, items in ascending order;
 * - saved, it has the same rows in the same order, none lost and none added;
 * - and loaded from there and saved again, it is the same, byte for byte.
 */
#include "fuzz/normal.h"
#include "fuzz/records.h"
#include "fuzz/target.h"

#include "broker/engine.h"
#include "broker/image.h"

#include <string.h>

static const struct ledger_limits limits = {.sessions_max = 1000, .sessions_user_max = 1000};

/* The rows of a snapshot, one after the other, in their shortest form. */
struct rows {
    struct ledger *ledger; /* NULL: only the rows are wanted */
    struct buffer items;
    struct buffer sessions;
};

static void
rows_init(struct rows *rows, struct ledger *ledger, size_t size_max)
{
    void *items = malloc(size_max);
    void *sessions = malloc(size_max);
    REQUIRE(items != NULL && sessions != NULL);
    rows->ledger = ledger;
    buffer_init(&rows->items, items, size_max);
    buffer_init(&rows->sessions, sessions, size_max);
}

static void
rows_fini(struct rows *rows)
{
    free(rows->items.data);
    free(rows->sessions.data);
}

static bool
buffers_equal(const struct buffer *a, const struct buffer *b)
{
    return !a->overflow && !b->overflow && a->size == b->size &&
           memcmp(a->data, b->data, a->size) == 0;
}

static int
take_record(void *context, uint64_t number, const msgpack_object *body, int64_t offset,
    struct diagnostic *diagnostic)
{
    struct rows *rows = context;
    (void)number;
    (void)offset;
    int error = rows->ledger == NULL ? 0 : image_load(rows->ledger, body, diagnostic);
    if (error != 0) {
        REQUIRE(error == ERROR_DAMAGED && diagnostic->text[0] != '\0');
        return error;
    }
    const msgpack_object *members = body->via.array.ptr;
    bool has_items = object_is_text(&members[0], "items");
    if (has_items || object_is_text(&members[0], "sessions")) {
        for (uint32_t i = 0; i < members[1].via.array.size; i++) {
            normal_pack(has_items ? &rows->items : &rows->sessions, &members[1].via.array.ptr[i]);
        }
    }
    return 0;
}

static void
check_limits(const struct ledger *ledger)
{
    const struct stock *stock = &ledger->stock;
    for (size_t i = 0; i < stock->count; i++) {
        const struct item *item = &stock->items[i];
        size_t size = strlen(item->name);
        REQUIRE(item->upc <= UPC_MAX && item->units <= LEVEL_MAX);
        REQUIRE(size >= 1 && size <= ITEM_NAME_SIZE_MAX && stock_find(stock, item->upc) == item);
        REQUIRE(i == 0 || stock->items[i - 1].upc < item->upc);
    }
    for (size_t i = 0; i < ledger->sessions.count; i++) {
        const struct session *session = &ledger->sessions.rows[i];
        REQUIRE(session->number >= 1 && session->number <= ledger->sessions.last);
        REQUIRE(session->user < ledger->sessions.user_count);
        REQUIRE(session->last.order <= NUMBER_MAX && session->last.units <= NUMBER_MAX);
        REQUIRE(sessions_find(&ledger->sessions, session->number) == session);
    }
}

/* Saves what was loaded, and holds its rows against those that came. */
static void
check_saved(struct fake_disk *disk, const struct rows *came)
{
    struct ledger *other = ledger_new(&limits);
    struct journal_header header;
    struct diagnostic diagnostic = {""};
    struct rows saved;
    REQUIRE(other != NULL);
    rows_init(&saved, NULL, came->items.size_max);
    const struct store_fold fold = engine_fold(came->ledger);
    const struct store_fold fold_other = engine_fold(other);
    records_check_state(disk, "saved", &fold, &fold_other);
    REQUIRE(snapshot_read(
                fake_disk_files(disk), "saved", take_record, &saved, &header, &diagnostic) == 0);
    REQUIRE(buffers_equal(&came->items, &saved.items));
    REQUIRE(buffers_equal(&came->sessions, &saved.sessions));
    REQUIRE(came->ledger->sessions.last == other->sessions.last);
    rows_fini(&saved);
    ledger_free(&other);
}

static void
read_file(struct fake_disk *disk)
{
    size_t size = 0;
    struct ledger *ledger = ledger_new(&limits);
    struct journal_header header;
    struct diagnostic diagnostic = {""};
    struct rows rows;
    REQUIRE(ledger != NULL && fake_disk_get(disk, "input", &size) != NULL);
    rows_init(&rows, ledger, size + 1);
    int error =
        snapshot_read(fake_disk_files(disk), "input", take_record, &rows, &header, &diagnostic);
    if (error == 0) {
        check_limits(ledger);
        check_saved(disk, &rows);
    } else {
        REQUIRE(error == ERROR_DAMAGED && diagnostic.text[0] != '\0');
    }
    rows_fini(&rows);
    ledger_free(&ledger);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    records_each_seal(data, size, read_file);
    return 0;
}
