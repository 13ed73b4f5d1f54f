/**
 * upc.h: Universal Product Codes, which are integers in memory and on the wire and twelve digits
 * where people see them.
 */
#ifndef STOCKBUS_SHARED_UPC_H
#define STOCKBUS_SHARED_UPC_H

#include <stdbool.h>
#include <stdint.h>

enum {
    UPC_TEXT_SIZE = 13
};

/** Writes the twelve digits of `upc`, which is at most UPC_MAX, and a zero into `text`. */
void
upc_format(uint64_t upc, char text[UPC_TEXT_SIZE]);

/** Is `text` exactly twelve digits? Then the UPC is in `*upc`. */
bool
upc_parse(const char *text, uint64_t *upc);

/** Has `upc` the check digit that UPC-A wants (GS1 General Specifications, 7.9)? */
bool
upc_is_valid(uint64_t upc);

#endif
