/**
 * reading.h: one reading of a sensor, and the MessagePack map it is on disk.
 *
 * docs/readings.md states the format for people who write a reader of their own.
 */
#ifndef STOCKBUS_PIPELINE_READING_H
#define STOCKBUS_PIPELINE_READING_H

#include <stdint.h>

#include "shared/limits.h"
#include "shared/pack.h"

enum {
    READING_SENSOR_SIZE = 20, /**< room for the name of a sensor, with its terminating zero */
    READING_UNIT_SIZE = 8,    /**< the same for its unit */
    READING_SIZE_MAX = 128,   /**< no packed reading of ours is larger, in bytes */

    /* What a reader takes from others, whose maps may have members of their own. */
    READING_OBJECT_SIZE_MAX = 4096,
    READING_OBJECT_DEPTH_MAX = 8,
    READING_OBJECT_ELEMENTS_MAX = 256,
};

/** Ids and sequence numbers are integers that JSON carries exactly. */
#define READING_ID_MAX NUMBER_MAX
/** The largest sequence number, for the same reason. */
#define READING_SEQUENCE_MAX NUMBER_MAX
/** The largest number of a producer. */
#define READING_PRODUCER_MAX 1024

/** A plain value, 64 bytes, copied as it travels. */
struct reading {
    uint64_t id;                      /**< unique in a recording, 0 to READING_ID_MAX */
    uint64_t sequence;                /**< of its producer, from 1 */
    int64_t time_ns;                  /**< since 1970-01-01T00:00:00Z, not negative */
    double value;                     /**< finite, in `unit` */
    uint32_t producer;                /**< 1 to READING_PRODUCER_MAX */
    char sensor[READING_SENSOR_SIZE]; /**< printable UTF-8, not empty */
    char unit[READING_UNIT_SIZE];     /**< printable UTF-8, not empty */
};

/**
 * Packs `reading` as one map into `data`, which has room for READING_SIZE_MAX bytes. Returns how
 * many it took. Makes no check and no allocation.
 */
size_t
reading_pack(const struct reading *reading, unsigned char *data);

/**
 * Takes the map `object` apart into `*reading`. Members that a reading does not have are skipped.
 *
 * Returns 0, or ERROR_DAMAGED with words that fit behind "the object " in `*reason` (static), with
 * `*reading` untouched.
 */
int
reading_unpack(const msgpack_object *object, struct reading *reading, const char **reason);

#endif
