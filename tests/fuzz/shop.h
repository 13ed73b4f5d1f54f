/**
 * shop.h: the stock that the journals of the corpus begin with.
 */
#ifndef STOCKBUS_TESTS_FUZZ_SHOP_H
#define STOCKBUS_TESTS_FUZZ_SHOP_H

#include "broker/stock.h"
#include "shared/error.h"

/** Adds the items to an empty stock. Returns 0 or an error; the other two are not used. */
int
shop_fill(void *context, struct stock *stock, struct diagnostic *diagnostic);

#endif
