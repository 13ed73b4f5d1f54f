/**
 * plant.h: faults that are built into the broker on purpose, to see that the simulator finds them.
 */
#ifndef STOCKBUS_TESTS_PLANT_H
#define STOCKBUS_TESTS_PLANT_H

#include "simulator/buyer.h"
#include "simulator/seller.h"

/**
 * Plants the fault `name` for the rest of the process. Returns false when this program has no such
 * fault: only simulator-planted has any.
 */
bool
plant_choose(const char *name);

/** Plants what has to be planted into the machines of one simulation. */
void
plant_in(struct seller *seller, struct buyer *buyers, int count);

/** Writes the names of the faults, one a line. */
void
plant_list(void);

#endif
