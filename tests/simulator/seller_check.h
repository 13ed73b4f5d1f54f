/**
 * seller_check.h: holds what the broker says and has against the model. For seller.c.
 */
#ifndef STOCKBUS_TESTS_SELLER_CHECK_H
#define STOCKBUS_TESTS_SELLER_CHECK_H

#include "simulator/seller.h"

/** Holds the bytes of a reply against what is expected, and those of an outcome against the bytes
 * that were told before. */
void
seller_check_reply(struct seller *seller, const struct taken *taken,
    const struct expectation *expected, const struct buffer *bytes);

/** Holds the whole ledger against the model. */
void
seller_check_ledger(struct seller *seller);

#endif
