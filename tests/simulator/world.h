/**
 * world.h: one simulation from its seed to its end.
 */
#ifndef STOCKBUS_TESTS_WORLD_H
#define STOCKBUS_TESTS_WORLD_H

#include "simulator/buyer.h"
#include "simulator/seller.h"

struct world {
    struct stage stage;
    struct seller seller;
    struct buyer buyers[STAGE_BUYERS_MAX];
    int buyer_count;
};

/** Sums over simulations. */
struct figures {
    uint64_t steps;
    uint64_t requests;
    uint64_t errands;
    uint64_t answers;
    uint64_t orders;
    uint64_t refusals;
    uint64_t repetitions;
    uint64_t restocked;
    uint64_t sent;
    uint64_t lost;
    uint64_t crashes_seller;
    uint64_t crashes_buyer;
    uint64_t faults;
    uint64_t file_calls;
};

/**
 * Runs the simulation of the trace's seed for `steps` steps, and then on without faults until every
 * client has its answer; adds to `figures`. The trace was begun. A broken promise ends the process.
 */
void
world_run(struct world *world, uint64_t steps, struct figures *figures);

#endif
