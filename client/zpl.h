/**
 * zpl.h: loads a configuration file in ZPL (https://rfc.zeromq.org/spec/4/).
 *
 * czmq reads it; this keeps what czmq has to say about a bad line from standard output.
 */
#ifndef STOCKBUS_CLIENT_ZPL_H
#define STOCKBUS_CLIENT_ZPL_H

#include <czmq.h>

#include "shared/error.h"

/**
 * Loads `path`. Returns 0 with the tree in `*root`, to be freed with zconfig_destroy(); or
 * ERROR_NOT_FOUND, another file error, or ERROR_INVALID, with file, line and reason in
 * `diagnostic`.
 */
int
zpl_load(zconfig_t **root, const char *path, struct diagnostic *diagnostic);

#endif
