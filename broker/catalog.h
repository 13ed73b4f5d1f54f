/**
 * catalog.h: conf/inventory.conf, what a new data directory begins with.
 *
 * A line an item: UPC, units on hand, name; the name is the rest of the line.
 */
#ifndef STOCKBUS_BROKER_CATALOG_H
#define STOCKBUS_BROKER_CATALOG_H

#include "broker/stock.h"
#include "shared/error.h"

/**
 * Reads file `path` into `stock`, which must be empty.
 *
 * Returns 0; ERROR_INVALID for a bad line, a UPC that stands twice, or a file without items;
 * ERROR_MEMORY; or a file error. `diagnostic` names file, line and reason. Blocks.
 */
int
catalog_read(const char *path, struct stock *stock, struct diagnostic *diagnostic);

#endif
