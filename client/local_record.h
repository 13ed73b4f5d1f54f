/**
 * local_record.h: the records that a client's state directory is made of.
 *
 * A record is an array that begins with a word. In a journal stand:
 *
 *     ["login", user, session, token, history, position]
 *     ["pending", kind, user, session, order, position, [[upc, units], …], request]
 *     ["done", session, order, status, position, reply]      the order's number is used
 *     ["released", session, order, status, position]         it was not made, the number is free
 *     ["aside", session, order, status, position]            its outcome cannot be known
 *     ["leaving", position]                                  a logout may go out from here on
 *     ["logout", position]
 *     ["seen", position]
 *     ["names", [[upc, name], …]]
 *
 * and in a snapshot:
 *
 *     ["history", history, position]                         once, before the session
 *     ["session", user, session, token, next order]
 *     ["user", user]                                         instead: who was logged in last
 *     ["leaving", position]                                  as above
 *     ["pending", …]                                         as above
 *     ["items", user, [[upc, units], …]]
 *     ["names", …]                                           as above
 *     ["last", status, kind, user, session, order]
 *     ["set_aside", status, kind, user, session, order, [[upc, units], …]]
 *
 * `kind` is "buy" or "restock", `status` a status of the protocol in its word; token, history,
 * request and reply are byte strings; user and name are texts; all else are unsigned integers.
 * `request` and `reply` are what travelled, byte for byte. `position` is that of the broker's data.
 */
#ifndef STOCKBUS_CLIENT_LOCAL_RECORD_H
#define STOCKBUS_CLIENT_LOCAL_RECORD_H

#include <msgpack.h>

#include "client/local_state.h"
#include "shared/error.h"
#include "shared/snapshot.h"

/** Bytes that one record may have. */
enum {
    LOCAL_RECORD_SIZE_MAX = 256 * 1024
};

/** How a pending order ended: the word of its record. */
enum ending {
    ENDING_DONE,
    ENDING_RELEASED,
    ENDING_ASIDE,
};

/** Packs the record of a login that `reply` confirmed. */
void
local_record_pack_login(msgpack_packer *packer, const char *user, const struct reply *reply);

/** Packs the record of a pending order. */
void
local_record_pack_pending(msgpack_packer *packer, const struct pending *pending);

/**
 * Packs the record that ends the order `order`. The `size` bytes at `reply` are kept with
 * ENDING_DONE and left out otherwise.
 */
void
local_record_pack_ending(msgpack_packer *packer, enum ending ending, const struct order *order,
    enum status status, uint64_t position, const void *reply, size_t size);

/** Packs the record of a logout that begins. */
void
local_record_pack_leaving(msgpack_packer *packer, uint64_t position);

/** Packs the record of a logout. */
void
local_record_pack_logout(msgpack_packer *packer, uint64_t position);

/** Packs the record of a position that was seen. */
void
local_record_pack_seen(msgpack_packer *packer, uint64_t position);

/** Packs the record of the names of `count` items, which the state has. */
void
local_record_pack_names(
    msgpack_packer *packer, const struct local_state *state, const uint64_t *upcs, size_t count);

/**
 * Takes a record of a journal or a snapshot into `state`.
 *
 * Returns 0; ERROR_DAMAGED with the reason in `diagnostic` when the record is not one of those
 * above or does not follow from the state; or ERROR_MEMORY. After an error the state is of no use.
 */
int
local_record_apply(
    struct local_state *state, const msgpack_object *body, struct diagnostic *diagnostic);

/** Writes the whole of `state` as records of a snapshot. Returns 0 or an error. */
int
local_record_save(const struct local_state *state, struct snapshot *snapshot);

#endif
