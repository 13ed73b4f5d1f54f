#include "client/local_inventory.h"

#include "client/local_record.h"
#include "shared/secret.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct local_inventory {
    struct store *store;
    struct local_state state;
    char directory[FILES_PATH_SIZE];
    struct diagnostic warning;
    uint64_t position_kept;              /* the highest position that is on disk */
    uint64_t names_new[ORDER_LINES_MAX]; /* items whose names are not on disk */
    size_t name_new_count;
    bool is_replayed;      /* records were found behind the last snapshot */
    bool is_broken;        /* a record failed: nothing more can be written */
    bool is_doubtful;      /* and it may be on disk */
    struct buffer record;  /* the record that is being made */
    msgpack_packer packer; /* writes into it */
    struct unpacked unpacked;
    unsigned char room[LOCAL_RECORD_SIZE_MAX];
};

/* The fold. */

static void
fold_clear(void *state)
{
    local_state_clear(state);
}

static int
fold_load(void *state, const msgpack_object *body, struct diagnostic *diagnostic)
{
    return local_record_apply(state, body, diagnostic);
}

static int
fold_apply(void *state, uint64_t number, const msgpack_object *body, struct diagnostic *diagnostic)
{
    (void)number;
    return local_record_apply(state, body, diagnostic);
}

static int
fold_save(void *state, struct snapshot *snapshot)
{
    return local_record_save(state, snapshot);
}

struct store_fold
local_inventory_fold(struct local_state *state)
{
    return (struct store_fold){"client", state, fold_clear, fold_load, fold_apply, fold_save};
}

static void
destroy(struct local_inventory **inventory)
{
    if (*inventory != NULL) {
        local_state_clear(&(*inventory)->state);
        unpacked_fini(&(*inventory)->unpacked);
        sodium_memzero((*inventory)->room, sizeof(*inventory)->room);
        free(*inventory);
        *inventory = NULL;
    }
}

static void
warn(struct local_inventory *inventory, const struct store_report *report)
{
    if (report->warning.text[0] != '\0') {
        inventory->warning = report->warning;
    } else if (report->torn_bytes > 0) {
        diagnostic_set(&inventory->warning, 0,
            "%s: %llu bytes of a record that was never completed were set aside",
            inventory->directory, (unsigned long long)report->torn_bytes);
    }
}

/* A state directory whose files are looked at. */
struct check {
    const char *directory;
    struct diagnostic *diagnostic;
    int error;
};

static void
check_file(void *context, const char *name)
{
    struct check *check = context;
    char path[FILES_PATH_SIZE];
    bool may_have_token = strncmp(name, "journal", 7) == 0 || strncmp(name, "snapshot", 8) == 0;
    if (check->error == 0 && may_have_token &&
        files_join(path, sizeof path, check->directory, name) == 0) {
        check->error = secret_check(path, check->diagnostic);
    }
}

int
local_inventory_check(const char *directory, struct diagnostic *diagnostic)
{
    struct check check = {.directory = directory, .diagnostic = diagnostic};
    int error = files_list(files_system(), directory, check_file, &check);
    if (error == ERROR_NOT_FOUND) {
        return 0;
    }
    return error == 0 ? check.error
                      : diagnostic_set(diagnostic, error, "%s: %s", directory, error_text(error));
}

int
local_inventory_open(struct local_inventory **inventory, struct files *files, const char *directory,
    const uint8_t *history_new, struct diagnostic *diagnostic)
{
    struct local_inventory *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return diagnostic_set(diagnostic, ERROR_MEMORY, "%s", error_text(ERROR_MEMORY));
    }
    int error = unpacked_init(&opened->unpacked);
    if (error != 0) {
        free(opened);
        return diagnostic_set(diagnostic, error, "%s", error_text(error));
    }
    snprintf(opened->directory, sizeof opened->directory, "%s", directory);
    const struct store_fold fold = local_inventory_fold(&opened->state);
    struct store_options options = {.record_size_max = LOCAL_RECORD_SIZE_MAX + 1024};
    memcpy(options.history_new, history_new, sizeof options.history_new);
    struct store_report report = {0};
    error = store_open(&opened->store, files, directory, &fold, &options, &report, diagnostic);
    if (error != 0) {
        destroy(&opened);
        return error;
    }
    warn(opened, &report);
    opened->position_kept = opened->state.position;
    opened->is_replayed = report.records > 0;
    *inventory = opened;
    return 0;
}

/* Starts the store, unless it is: that writes again what was recovered. */
static int
start(struct local_inventory *inventory, struct diagnostic *diagnostic)
{
    if (inventory->is_broken) {
        /* unreached: the shopper ends its errand when writing fails, and begins no other */
        return diagnostic_set(diagnostic, ERROR_IO,
            "%s: writing failed before; start again to go on", inventory->directory);
    }
    if (store_is_started(inventory->store)) {
        return 0;
    }
    /* A snapshot says what the records before it said: no position that was seen only just now. */
    uint64_t seen = inventory->state.position;
    inventory->state.position = inventory->position_kept;
    int error = store_start(inventory->store, diagnostic);
    inventory->state.position = seen;
    inventory->is_broken = error != 0;
    return error;
}

int
local_inventory_secure(struct local_inventory *inventory, struct diagnostic *diagnostic)
{
    return inventory->is_replayed ? start(inventory, diagnostic) : 0;
}

const struct local_state *
local_inventory_state(const struct local_inventory *inventory)
{
    return &inventory->state;
}

const char *
local_inventory_directory(const struct local_inventory *inventory)
{
    return inventory->directory;
}

/* unreached: the tests of the programs read it */
const char *
local_inventory_warning(const struct local_inventory *inventory)
{
    return inventory->warning.text;
}

bool
local_inventory_is_doubtful(const struct local_inventory *inventory)
{
    return inventory->is_doubtful;
}

/* Records: begin_record(), pack one, and write_record(). */

static msgpack_packer *
begin_record(struct local_inventory *inventory)
{
    buffer_init(&inventory->record, inventory->room, sizeof inventory->room);
    pack_into(&inventory->packer, &inventory->record);
    return &inventory->packer;
}

/* Appends the record to the store and syncs it: only then may another follow (journal.h). */
static int
keep_record(struct local_inventory *inventory, struct diagnostic *diagnostic)
{
    struct store *store = inventory->store;
    int error = start(inventory, diagnostic);
    if (error != 0) {
        return error;
    }
    msgpack_packer *packer = store_begin(store);
    packer->callback(packer->data, (const char *)inventory->record.data, inventory->record.size);
    error = store_append(store);
    inventory->is_doubtful = error != 0 && error != ERROR_TOO_LARGE;
    if (error == 0) {
        error = store_sync(store);
        inventory->is_doubtful = error != 0;
    }
    if (error != 0) {
        diagnostic_set(
            diagnostic, error, "%s: a record: %s", inventory->directory, error_text(error));
    }
    return error;
}

/* Takes the record into the state as a restart would. */
static int
apply_record(struct local_inventory *inventory, struct diagnostic *diagnostic)
{
    static const struct guard_bounds bounds = {
        .depth_max = 8, .elements_max = LOCAL_RECORD_SIZE_MAX};
    size_t used;
    enum guard_verdict verdict;
    int error = unpack(&inventory->unpacked, inventory->record.data, inventory->record.size,
        &bounds, &used, &verdict);
    assert(error != ERROR_DAMAGED);
    if (error == 0) {
        error = local_record_apply(&inventory->state, &inventory->unpacked.object, diagnostic);
        assert(error != ERROR_DAMAGED);
    }
    if (error != 0) {
        /* The record is on disk, and memory no longer says the same. */
        inventory->is_doubtful = true;
        diagnostic_set(diagnostic, error, "%s", error_text(error));
    }
    return error;
}

/* `position` is the one that the record carries; 0: it carries none. */
static int
write_record(struct local_inventory *inventory, uint64_t position, struct diagnostic *diagnostic)
{
    assert(!inventory->record.overflow);
    inventory->is_doubtful = false;
    int error = keep_record(inventory, diagnostic);
    if (error == 0) {
        error = apply_record(inventory, diagnostic);
    }
    inventory->is_broken = error != 0;
    sodium_memzero(inventory->record.data, inventory->record.size);
    if (error == 0 && position > inventory->position_kept) {
        inventory->position_kept = position;
    }
    return error;
}

int
local_inventory_log_in(struct local_inventory *inventory, const char *user,
    const struct reply *reply, struct diagnostic *diagnostic)
{
    assert(!inventory->state.pending.exists);
    local_record_pack_login(begin_record(inventory), user, reply);
    return write_record(inventory, reply->position, diagnostic);
}

int
local_inventory_leave(struct local_inventory *inventory, struct diagnostic *diagnostic)
{
    const struct local_state *state = &inventory->state;
    assert(state->is_logged_in && !state->pending.exists);
    if (state->is_leaving) {
        return local_inventory_secure(inventory, diagnostic);
    }
    local_record_pack_leaving(begin_record(inventory), state->position);
    return write_record(inventory, state->position, diagnostic);
}

int
local_inventory_log_out(struct local_inventory *inventory, struct diagnostic *diagnostic)
{
    assert(!inventory->state.pending.exists);
    local_record_pack_logout(begin_record(inventory), inventory->state.position);
    return write_record(inventory, inventory->state.position, diagnostic);
}

int
local_inventory_pend(struct local_inventory *inventory, const struct order *order,
    const void *request, size_t size, struct diagnostic *diagnostic)
{
    const struct local_state *state = &inventory->state;
    assert(state->is_logged_in && !state->is_leaving && !state->pending.exists);
    struct pending *pending = calloc(1, sizeof *pending);
    if (pending == NULL) {
        return diagnostic_set(diagnostic, ERROR_MEMORY, "%s", error_text(ERROR_MEMORY));
    }
    assert(size <= sizeof pending->request);
    pending->order = *order;
    memcpy(pending->order.user, state->user, sizeof pending->order.user);
    pending->order.session = state->session;
    pending->order.number = state->order_next;
    pending->position = state->position;
    pending->request_size = size;
    memcpy(pending->request, request, size);
    local_record_pack_pending(begin_record(inventory), pending);
    sodium_memzero(pending, sizeof *pending);
    free(pending);
    return write_record(inventory, state->position, diagnostic);
}

static int
end_pending(struct local_inventory *inventory, enum ending ending, enum status status,
    uint64_t position, const void *reply, size_t size, struct diagnostic *diagnostic)
{
    const struct pending *pending = &inventory->state.pending;
    assert(pending->exists);
    local_record_pack_ending(
        begin_record(inventory), ending, &pending->order, status, position, reply, size);
    return write_record(inventory, position, diagnostic);
}

int
local_inventory_settle(struct local_inventory *inventory, const struct reply *reply,
    const void *reply_bytes, size_t size, struct diagnostic *diagnostic)
{
    return end_pending(
        inventory, ENDING_DONE, reply->status, reply->position, reply_bytes, size, diagnostic);
}

int
local_inventory_release(
    struct local_inventory *inventory, enum status status, struct diagnostic *diagnostic)
{
    return end_pending(
        inventory, ENDING_RELEASED, status, inventory->state.position, NULL, 0, diagnostic);
}

int
local_inventory_set_aside(
    struct local_inventory *inventory, enum status status, struct diagnostic *diagnostic)
{
    return end_pending(
        inventory, ENDING_ASIDE, status, inventory->state.position, NULL, 0, diagnostic);
}

void
local_inventory_see(struct local_inventory *inventory, uint64_t position)
{
    local_state_see(&inventory->state, position);
}

void
local_inventory_learn(struct local_inventory *inventory, uint64_t upc, const char *name)
{
    const char *known = local_state_find_name(&inventory->state, upc);
    if ((known != NULL && strcmp(known, name) == 0) || !local_state_holds(&inventory->state, upc)) {
        return;
    }
    size_t count = inventory->name_new_count;
    if (count < sizeof inventory->names_new / sizeof *inventory->names_new &&
        local_state_set_name(&inventory->state, upc, name, strlen(name)) == 0) {
        inventory->names_new[inventory->name_new_count++] = upc;
    }
}

int
local_inventory_keep_names(struct local_inventory *inventory, struct diagnostic *diagnostic)
{
    size_t count = inventory->name_new_count;
    if (count == 0) {
        return 0;
    }
    inventory->name_new_count = 0;
    local_record_pack_names(
        begin_record(inventory), &inventory->state, inventory->names_new, count);
    return write_record(inventory, 0, diagnostic);
}

/* Writes what is known but not on disk yet: it was worth no sync of its own. */
static int
keep_rest(struct local_inventory *inventory, struct diagnostic *diagnostic)
{
    int error = 0;
    if (!inventory->is_broken) {
        error = local_inventory_keep_names(inventory, diagnostic);
    }
    if (!inventory->is_broken && inventory->state.position > inventory->position_kept) {
        local_record_pack_seen(begin_record(inventory), inventory->state.position);
        error = write_record(inventory, inventory->state.position, diagnostic);
    }
    return error;
}

int
local_inventory_close(struct local_inventory **inventory, struct diagnostic *diagnostic)
{
    if (*inventory == NULL) {
        return 0;
    }
    int error = keep_rest(*inventory, diagnostic);
    /* No last snapshot: each start writes one anyway. */
    int error_closing = store_close(&(*inventory)->store, false, NULL);
    destroy(inventory);
    return error != 0 ? error : error_closing;
}
