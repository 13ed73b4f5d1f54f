/**
 * reload.h: what SIGHUP makes the broker read again: the accounts and the keys.
 *
 * A bad file of accounts changes nothing, a bad certificate lets nobody in; the log says which. For
 * the thread of the loop.
 */
#ifndef STOCKBUS_BROKER_RELOAD_H
#define STOCKBUS_BROKER_RELOAD_H

#include "broker/accounts.h"
#include "broker/engine.h"
#include "broker/keys.h"

/** Gives the ledger the accounts as they are now. Returns 0 or ERROR_MEMORY. */
int
reload_permit(struct engine *engine, struct accounts *accounts);

/**
 * Reads the accounts again, and the keys unless `keys` is NULL, and tells the log and the service
 * manager. Blocks for the files.
 */
void
reload(struct engine *engine, struct accounts *accounts, struct keys *keys);

#endif
