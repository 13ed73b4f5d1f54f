/**
 * buyer_check.h: holds what a user is told, and what a local inventory has, against the model. For
 * buyer.c.
 */
#ifndef STOCKBUS_TESTS_BUYER_CHECK_H
#define STOCKBUS_TESTS_BUYER_CHECK_H

#include "simulator/buyer.h"

/** Looks at what came of an errand. */
void
buyer_check_result(struct buyer *buyer, const struct shopper_result *result);

/** Looks at a local inventory that was just opened. */
void
buyer_check_inventory(struct buyer *buyer);

/** Looks at a local inventory when all is settled: it has what was bought, to the unit. Returns its
 * units. */
uint64_t
buyer_check_settled(struct buyer *buyer);

#endif
