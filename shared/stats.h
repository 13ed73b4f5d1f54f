/**
 * stats.h: the figures of a broker, as they are counted and as they travel.
 *
 * The structs stand in protocol.h, as a reply can have them.
 */
#ifndef STOCKBUS_SHARED_STATS_H
#define STOCKBUS_SHARED_STATS_H

#include "shared/protocol.h"

/** Counts a value. */
void
tally_add(struct tally *tally, uint64_t value);

/**
 * Returns a value that at least `percent` (1 to 100) of all counted ones do not exceed: less than
 * twice the smallest such one, and never above the largest that was counted. 0 where there is none.
 */
uint64_t
tally_percentile(const struct tally *tally, unsigned percent);

/** Returns the word of a number on the wire. Static. */
const char *
stats_number_word(enum stats_number number);

/** Returns what a number means to a person. Static. */
const char *
stats_number_text(enum stats_number number);

/** Returns the word of a tally on the wire. Static. */
const char *
stats_tally_word(enum stats_tally tally);

/** Returns what a tally counts, for a person. Static. */
const char *
stats_tally_text(enum stats_tally tally);

/** Returns the word of a row of `requests`: of an operation, or "none". Static. */
const char *
stats_row_word(size_t row);

/** Packs the figures as one map. */
void
stats_pack(msgpack_packer *packer, const struct stats *stats);

/**
 * Takes the figures out of a map; what is not known is passed over, what is missing is 0. Returns
 * whether it was good.
 */
bool
stats_take(const msgpack_object *object, struct stats *stats);

#endif
