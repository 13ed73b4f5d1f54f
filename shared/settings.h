/**
 * settings.h: configuration files in ZPL (rfc.zeromq.org/spec/4), read with czmq's zconfig into
 * plain variables.
 */
#ifndef STOCKBUS_SHARED_SETTINGS_H
#define STOCKBUS_SHARED_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "shared/error.h"

/** What a setting is. */
enum setting_type {
    SETTING_TEXT,   /**< `target` is a char array of `max` bytes, for text and zero */
    SETTING_PATH,   /**< the same; a relative path is taken from the folder of the file */
    SETTING_NUMBER, /**< `target` is a uint64_t from `min` to `max` */
    SETTING_IGNORED /**< may stand there, also as a section, and is not looked at; no `target` */
};

/** A key that a file may have. */
struct setting {
    const char *key;        /**< "SECTION/KEY" where it stands in a section */
    enum setting_type type; /**< says what `target` is */
    uint64_t min;           /**< text: bytes it must have at least */
    uint64_t max;           /**< see its type */
    void *target;           /**< where the value goes */
};

/**
 * Reads file `path` and sets the target of each key that stands in it; the others keep their
 * values.
 *
 * Returns 0; ERROR_NOT_FOUND or another file error; or ERROR_INVALID for bad syntax, a zero byte,
 * an unknown key, a key that stands twice, or a value that is not what the setting says.
 * `diagnostic` names file, line or key, and reason. Blocks. For a moment it turns standard output
 * away, because that is where zconfig complains: no other thread may be writing there.
 */
int
settings_read(
    const char *path, const struct setting *settings, size_t count, struct diagnostic *diagnostic);

#endif
