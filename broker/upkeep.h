/**
 * upkeep.h: a thread that does the engine's slow work beside the loop.
 */
#ifndef STOCKBUS_BROKER_UPKEEP_H
#define STOCKBUS_BROKER_UPKEEP_H

#include "broker/engine.h"

struct upkeep;

/**
 * Starts the thread. When its work fails for good it writes to the eventfd `failed_fd`, and the
 * broker must stop. Returns 0 or ERROR_MEMORY.
 */
int
upkeep_start(struct upkeep **upkeep, struct engine *engine, int failed_fd);

/** Lets the thread look for work. Does not block. */
void
upkeep_wake(struct upkeep *upkeep);

/** Waits for the work under way, ends the thread, and makes `*upkeep` NULL; NULL already is fine.
 */
void
upkeep_stop(struct upkeep **upkeep);

#endif
