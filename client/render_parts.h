/**
 * render_parts.h: what the files of render share: render.c, and render_stats.c for the broker's
 * figures. For nobody else.
 */
#ifndef STOCKBUS_CLIENT_RENDER_PARTS_H
#define STOCKBUS_CLIENT_RENDER_PARTS_H

#include "client/render.h"
#include "shared/json.h"

/** Begins the object of an answer, with whether all is well. */
struct json
render_begin_object(struct render *render, bool ok);

/** Ends it, and the line. */
void
render_end_object(struct json *json);

/** Adds the order that was settled before the errand, if there was one. */
void
render_add_before(
    struct json *json, const struct render *render, const struct shopper_result *result);

#endif
