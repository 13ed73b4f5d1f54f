/**
 * image.h: a ledger <-> the records of its snapshot.
 *
 * The records, in order: ["ledger", last session number], then ["items", [[upc, units, name], ...]]
 * and ["sessions", [[number, user, token hash, order, body, status, units, upc, available,
 * position], ...]], each as often as needed. PROTOCOL.md has the ranges.
 */
#ifndef STOCKBUS_BROKER_IMAGE_H
#define STOCKBUS_BROKER_IMAGE_H

#include "broker/ledger.h"
#include "shared/snapshot.h"

/** Writes `ledger` to a snapshot. Returns 0 or a file error. Blocks. */
int
image_save(const struct ledger *ledger, struct snapshot *snapshot);

/** Takes in one record. Returns 0, ERROR_DAMAGED with the reason, or ERROR_MEMORY. */
int
image_load(struct ledger *ledger, const msgpack_object *record, struct diagnostic *diagnostic);

#endif
