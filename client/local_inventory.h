/**
 * local_inventory.h: the client's memory on disk, one record for each thing that it must not
 * forget.
 *
 * A state directory is a store (store.h) of kind "client". Every function below that changes the
 * state appends a record and syncs it before it returns 0, and only then changes the state in
 * memory, by taking in the record just as a restart would. So what was answered to a user is on
 * disk, and a client that is killed at any point starts again from before or after the change.
 *
 * A process that changes nothing writes nothing: the store is started by the first record.
 *
 * One thread, one process a directory.
 */
#ifndef STOCKBUS_CLIENT_LOCAL_INVENTORY_H
#define STOCKBUS_CLIENT_LOCAL_INVENTORY_H

#include "client/local_state.h"
#include "shared/error.h"
#include "shared/files.h"
#include "shared/store.h"

struct local_inventory;

/**
 * Opens the state directory `directory`, making it where it is missing, and takes it for this
 * process. `history_new` is HISTORY_SIZE random bytes. Blocks.
 *
 * Returns 0 with `*inventory`, the caller's to close; ERROR_LOCKED when another process has it;
 * ERROR_DAMAGED; ERROR_MEMORY; or a file error. `diagnostic` says which file.
 */
int
local_inventory_open(struct local_inventory **inventory, struct files *files, const char *directory,
    const uint8_t *history_new, struct diagnostic *diagnostic) __attribute__((warn_unused_result));

/**
 * Writes down how far the broker was seen, and what items are called, if that is news, closes, and
 * makes `*inventory` NULL; NULL already is fine. Returns 0 or the error of that writing, which
 * loses nothing else.
 */
int
local_inventory_close(struct local_inventory **inventory, struct diagnostic *diagnostic);

/**
 * Makes sure that what was recovered is on disk, by writing it again. What a process finds may have
 * been written by one that was killed before its sync, or whose sync failed, and a loss of power
 * would take it away: so nothing that relies on it, a pending order above all, may be sent or told
 * before this has returned 0. Costs nothing where no record was found behind the last snapshot;
 * otherwise blocks the first time. After an error nothing more can be written.
 */
int
local_inventory_secure(struct local_inventory *inventory, struct diagnostic *diagnostic);

/** Returns what a store does with a client's records: the fold over `state`. For reading alone. */
struct store_fold
local_inventory_fold(struct local_state *state);

/** Returns what is remembered. Borrowed; changes with each call below. */
const struct local_state *
local_inventory_state(const struct local_inventory *inventory);

/** Returns the state directory. Borrowed. */
const char *
local_inventory_directory(const struct local_inventory *inventory);

/** Returns what recovery set aside as one sentence, or an empty text. Borrowed. */
const char *
local_inventory_warning(const struct local_inventory *inventory);

/**
 * After an error of a function below: may its record be on disk all the same?
 *
 * Such a record counts at the next start, or not: nobody can tell until then. Either way nothing
 * more can be written before the directory is opened again.
 */
bool
local_inventory_is_doubtful(const struct local_inventory *inventory);

/** Remembers that `user` is logged in, as confirmed by `reply`. No order may be pending. */
int
local_inventory_log_in(struct local_inventory *inventory, const char *user,
    const struct reply *reply, struct diagnostic *diagnostic) __attribute__((warn_unused_result));

/**
 * Remembers that a logout is about to be sent, unless it is remembered already. Somebody must be
 * logged in, and no order may be pending; none can be until nobody is logged in any more.
 */
int
local_inventory_leave(struct local_inventory *inventory, struct diagnostic *diagnostic);

/** Remembers that nobody is logged in. No order may be pending. */
int
local_inventory_log_out(struct local_inventory *inventory, struct diagnostic *diagnostic);

/**
 * Remembers an order that is about to be sent: `request` is the bytes of it, `size` of them.
 *
 * Fills in user, session, number (the next one) and position by itself; of `order` only operation
 * and lines count. No order may be pending. The bytes must not be sent before this returns 0.
 */
int
local_inventory_pend(struct local_inventory *inventory, const struct order *order,
    const void *request, size_t size, struct diagnostic *diagnostic)
    __attribute__((warn_unused_result));

/**
 * Remembers the outcome of the pending order, with the `size` bytes of `reply_bytes` that told it.
 * If it was filled and is a purchase, its units are the user's from here on. Its number is used.
 */
int
local_inventory_settle(struct local_inventory *inventory, const struct reply *reply,
    const void *reply_bytes, size_t size, struct diagnostic *diagnostic)
    __attribute__((warn_unused_result));

/** Remembers that the pending order was not made and that its number is free, because of `status`.
 */
int
local_inventory_release(
    struct local_inventory *inventory, enum status status, struct diagnostic *diagnostic);

/**
 * Sets the pending order aside, because the broker said `status` and so its outcome cannot be
 * known; ends the session with it.
 */
int
local_inventory_set_aside(
    struct local_inventory *inventory, enum status status, struct diagnostic *diagnostic);

/** Notes the position of a reply. Kept with the next record, or at the end. Writes nothing. */
void
local_inventory_see(struct local_inventory *inventory, uint64_t position);

/**
 * Notes what item `upc` is called, if a user has that item and the name is news. Writes nothing.
 */
void
local_inventory_learn(struct local_inventory *inventory, uint64_t upc, const char *name);

/** Remembers the names that were learned, if there are any. */
int
local_inventory_keep_names(struct local_inventory *inventory, struct diagnostic *diagnostic);

#endif
