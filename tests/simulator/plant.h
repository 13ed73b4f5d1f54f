/**
 * plant.h: faults that are built into the broker on purpose, to see that the simulator finds them.
 */
#ifndef STOCKBUS_TESTS_PLANT_H
#define STOCKBUS_TESTS_PLANT_H

#include <stdbool.h>

/**
 * Plants the fault `name` for the rest of the process. Returns false when this program has no such
 * fault: only simulator-planted has any.
 */
bool
plant_choose(const char *name);

/** Writes the names of the faults, one a line. */
void
plant_list(void);

#endif
