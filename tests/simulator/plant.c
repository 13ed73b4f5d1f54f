/*
 * The linker leads the calls of the functions below to __wrap_NAME, from where __real_NAME is what
 * was meant (see --wrap in ld(1)). So the sources of the broker stay as they are.
 */
#include "simulator/plant.h"

#include "broker/engine.h"
#include "broker/image.h"
#include "shared/snapshot.h"

#include <stdio.h>
#include <string.h>

enum plant {
    PLANT_NONE,
    PLANT_NO_DEDUPE,         /* an order that comes again is made again */
    PLANT_ACK_BEFORE_SYNC,   /* the broker answers without a sync */
    PLANT_REFUSAL_FORGOTTEN, /* a refused order does not use its number */
    PLANT_REPLY_FORGOTTEN,   /* a snapshot lacks the outcomes of orders */
    PLANT_SNAPSHOT_EARLY,    /* a snapshot gets its name before it is synced */
    PLANT_SEND_BEFORE_SYNC,  /* the client sends without a sync */
    PLANT_COUNT
};

static const char *const names[PLANT_COUNT] = {
    [PLANT_NO_DEDUPE] = "no-dedupe",
    [PLANT_ACK_BEFORE_SYNC] = "ack-before-sync",
    [PLANT_REFUSAL_FORGOTTEN] = "refusal-forgotten",
    [PLANT_REPLY_FORGOTTEN] = "reply-forgotten",
    [PLANT_SNAPSHOT_EARLY] = "snapshot-early",
    [PLANT_SEND_BEFORE_SYNC] = "send-before-sync",
};

static enum plant planted;

bool
plant_choose(const char *name)
{
    for (enum plant plant = PLANT_NONE + 1; plant < PLANT_COUNT; plant++) {
        if (strcmp(names[plant], name) == 0) {
            planted = plant;
            return true;
        }
    }
    return false;
}

void
plant_list(void)
{
    for (enum plant plant = PLANT_NONE + 1; plant < PLANT_COUNT; plant++) {
        puts(names[plant]);
    }
}

int
__real_engine_apply(struct engine *engine, struct exchange *const *exchanges, size_t count,
    struct diagnostic *diagnostic);

int
__wrap_engine_apply(struct engine *engine, struct exchange *const *exchanges, size_t count,
    struct diagnostic *diagnostic);

int
__real_store_sync(struct store *store);

int
__wrap_store_sync(struct store *store);

static bool is_applying; /* the store is the broker's */

int
__wrap_engine_apply(struct engine *engine, struct exchange *const *exchanges, size_t count,
    struct diagnostic *diagnostic)
{
    is_applying = true;
    int error = __real_engine_apply(engine, exchanges, count, diagnostic);
    is_applying = false;
    return error;
}

int
__wrap_store_sync(struct store *store)
{
    bool skips = planted == (is_applying ? PLANT_ACK_BEFORE_SYNC : PLANT_SEND_BEFORE_SYNC);
    return skips ? 0 : __real_store_sync(store);
}

bool
__real_ledger_decide(struct ledger *ledger, const struct request *request,
    const struct facts *facts, struct reply *reply, struct event *event);

bool
__wrap_ledger_decide(struct ledger *ledger, const struct request *request,
    const struct facts *facts, struct reply *reply, struct event *event);

bool
__wrap_ledger_decide(struct ledger *ledger, const struct request *request,
    const struct facts *facts, struct reply *reply, struct event *event)
{
    static struct request again;
    const struct session *session = sessions_find(&ledger->sessions, request->session);
    bool is_order = request->operation == OPERATION_BUY || request->operation == OPERATION_RESTOCK;
    if (planted == PLANT_NO_DEDUPE && is_order && session != NULL &&
        session->last.order == request->order) {
        again = *request;
        again.order++;
        return __real_ledger_decide(ledger, &again, facts, reply, event);
    }
    bool changes = __real_ledger_decide(ledger, request, facts, reply, event);
    return changes && !(planted == PLANT_REFUSAL_FORGOTTEN && event->kind == EVENT_REFUSE);
}

int
__real_image_load(
    struct ledger *ledger, const msgpack_object *record, struct diagnostic *diagnostic);

int
__wrap_image_load(
    struct ledger *ledger, const msgpack_object *record, struct diagnostic *diagnostic);

int
__wrap_image_load(
    struct ledger *ledger, const msgpack_object *record, struct diagnostic *diagnostic)
{
    int error = __real_image_load(ledger, record, diagnostic);
    for (size_t i = 0; planted == PLANT_REPLY_FORGOTTEN && i < ledger->sessions.count; i++) {
        struct outcome *last = &ledger->sessions.rows[i].last;
        *last = (struct outcome){.order = last->order, .body = last->body, .status = STATUS_OK};
    }
    return error;
}

int
__real_snapshot_commit(struct snapshot *snapshot);

int
__wrap_snapshot_commit(struct snapshot *snapshot);

int
__wrap_snapshot_commit(struct snapshot *snapshot)
{
    if (planted != PLANT_SNAPSHOT_EARLY) {
        return __real_snapshot_commit(snapshot);
    }
    struct files *files = snapshot->journal.files;
    uint64_t records = snapshot->journal.next - snapshot->first;
    msgpack_pack_uint64(snapshot_begin(snapshot), records);
    int error = snapshot_append(snapshot);
    if (error == 0) {
        error = files_rename(files, snapshot->temporary, snapshot->path);
    }
    if (error == 0) {
        error = files_sync_directory(files, snapshot->directory);
    }
    if (error == 0) {
        error = files_sync(files, snapshot->journal.fd);
    }
    journal_close(&snapshot->journal, false);
    return error;
}
