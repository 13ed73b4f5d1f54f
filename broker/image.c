#include "broker/image.h"

#include <string.h>

/* Rows that one record holds: even the longest names stay far below SNAPSHOT_RECORD_SIZE. */
enum {
    ROWS_MAX = 1000,
    SESSION_MEMBERS = 10
};

static void
pack_item(msgpack_packer *packer, const struct ledger *ledger, size_t row)
{
    const struct item *item = &ledger->stock.items[row];
    msgpack_pack_array(packer, 3);
    msgpack_pack_uint64(packer, item->upc);
    msgpack_pack_uint64(packer, item->units);
    pack_text(packer, item->name);
}

static void
pack_session(msgpack_packer *packer, const struct ledger *ledger, size_t row)
{
    const struct session *session = &ledger->sessions.rows[row];
    msgpack_pack_array(packer, SESSION_MEMBERS);
    msgpack_pack_uint64(packer, session->number);
    pack_text(packer, ledger->sessions.users[session->user].name);
    pack_bytes(packer, session->token_hash, sizeof session->token_hash);
    msgpack_pack_uint64(packer, session->last.order);
    msgpack_pack_uint64(packer, session->last.body);
    pack_text(packer, status_word(session->last.status));
    msgpack_pack_uint64(packer, session->last.units);
    msgpack_pack_uint64(packer, session->last.upc);
    msgpack_pack_uint64(packer, session->last.available);
    msgpack_pack_uint64(packer, session->last.position);
}

typedef void
pack_row_fn(msgpack_packer *packer, const struct ledger *ledger, size_t row);

static int
save_rows(const struct ledger *ledger, struct snapshot *snapshot, const char *word, size_t count,
    pack_row_fn *pack_row)
{
    int error = 0;
    for (size_t first = 0; error == 0 && first < count; first += ROWS_MAX) {
        size_t rows = count - first < ROWS_MAX ? count - first : ROWS_MAX;
        msgpack_packer *packer = snapshot_begin(snapshot);
        msgpack_pack_array(packer, 2);
        pack_text(packer, word);
        msgpack_pack_array(packer, rows);
        for (size_t i = 0; i < rows; i++) {
            pack_row(packer, ledger, first + i);
        }
        error = snapshot_append(snapshot);
    }
    return error;
}

int
image_save(const struct ledger *ledger, struct snapshot *snapshot)
{
    msgpack_packer *packer = snapshot_begin(snapshot);
    msgpack_pack_array(packer, 2);
    pack_text(packer, "ledger");
    msgpack_pack_uint64(packer, ledger->sessions.last);
    int error = snapshot_append(snapshot);
    if (error == 0) {
        error = save_rows(ledger, snapshot, "items", ledger->stock.count, pack_item);
    }
    if (error == 0) {
        error = save_rows(ledger, snapshot, "sessions", ledger->sessions.count, pack_session);
    }
    return error;
}

static int
load_item(struct ledger *ledger, const msgpack_object *row)
{
    const msgpack_object *members = row->via.array.ptr;
    uint64_t upc;
    uint64_t units;
    const char *name;
    size_t name_size;
    if (!object_array(row, 3) || !object_uint(&members[0], 0, UPC_MAX, &upc) ||
        !object_uint(&members[1], 0, LEVEL_MAX, &units) ||
        !object_text(&members[2], ITEM_NAME_SIZE_MAX, &name, &name_size)) {
        return ERROR_DAMAGED;
    }
    int error = stock_add(&ledger->stock, upc, name, name_size, units);
    return error == ERROR_INVALID ? ERROR_DAMAGED : error;
}

static int
load_session(struct ledger *ledger, const msgpack_object *row)
{
    const msgpack_object *members = row->via.array.ptr;
    char user[USER_SIZE_MAX + 1];
    struct session session = {.number = 0};
    struct outcome *last = &session.last;
    if (!object_array(row, SESSION_MEMBERS) ||
        !object_uint(&members[0], 1, ledger->sessions.last, &session.number) ||
        !object_copy_text(&members[1], USER_SIZE_MAX, user) ||
        !object_bytes(&members[2], session.token_hash, sizeof session.token_hash) ||
        !object_uint(&members[3], 0, NUMBER_MAX, &last->order) ||
        !object_uint(&members[4], 0, UINT64_MAX, &last->body) ||
        !status_parse(&members[5], &last->status) ||
        !object_uint(&members[6], 0, NUMBER_MAX, &last->units) ||
        !object_uint(&members[7], 0, UPC_MAX, &last->upc) ||
        !object_uint(&members[8], 0, LEVEL_MAX, &last->available) ||
        !object_uint(&members[9], 0, NUMBER_MAX, &last->position) ||
        sessions_find(&ledger->sessions, session.number) != NULL) {
        return ERROR_DAMAGED;
    }
    session.user = sessions_user(&ledger->sessions, user);
    if (session.user == INDEX_NONE || sessions_reserve(&ledger->sessions) != 0) {
        return ERROR_MEMORY;
    }
    sessions_add(&ledger->sessions, &session);
    return 0;
}

static int
load_rows(struct ledger *ledger, const msgpack_object *rows,
    int (*load)(struct ledger *ledger, const msgpack_object *row))
{
    if (!object_array(rows, 0)) {
        return ERROR_DAMAGED;
    }
    int error = 0;
    for (uint32_t i = 0; error == 0 && i < rows->via.array.size; i++) {
        error = load(ledger, &rows->via.array.ptr[i]);
    }
    return error;
}

int
image_load(struct ledger *ledger, const msgpack_object *record, struct diagnostic *diagnostic)
{
    int error = ERROR_DAMAGED;
    const msgpack_object *members = record->via.array.ptr;
    if (!object_array(record, 2)) {
        error = ERROR_DAMAGED;
    } else if (object_is_text(&members[0], "ledger")) {
        struct sessions *sessions = &ledger->sessions;
        error = object_uint(&members[1], sessions->last, NUMBER_MAX, &sessions->last)
                    ? 0
                    : ERROR_DAMAGED;
    } else if (object_is_text(&members[0], "items")) {
        error = load_rows(ledger, &members[1], load_item);
    } else if (object_is_text(&members[0], "sessions")) {
        error = load_rows(ledger, &members[1], load_session);
    }
    if (error != 0) {
        diagnostic_set(diagnostic, error, "%s",
            error == ERROR_MEMORY ? error_text(error) : "not a record of a broker's snapshot");
    }
    return error;
}
