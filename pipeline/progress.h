/**
 * progress.h: what a recording does, drawn again and again at the bottom of a terminal.
 *
 * One thread uses a `struct progress`, the one that started the recording.
 */
#ifndef STOCKBUS_PIPELINE_PROGRESS_H
#define STOCKBUS_PIPELINE_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "pipeline/recording.h"

enum {
    PROGRESS_PERIOD_MS = 100
};

/** A drawing of a recording at work. */
struct progress {
    FILE *out;             /**< a terminal; the caller's */
    bool coloured;         /**< it may have colours */
    int lines;             /**< that were drawn and stand above the cursor */
    int64_t last_ns;       /**< when it was drawn */
    uint64_t last_written; /**< readings in files by then */
    double rate;           /**< readings a second, smoothed */
};

/** Can `out` show progress? It can if it is a terminal that understands control sequences. */
bool
progress_is_possible(FILE *out);

/** Makes `progress` ready; nothing is drawn. Colours are used unless NO_COLOR is set. */
void
progress_init(struct progress *progress, FILE *out);

/** Draws how far `recording` is, over what was drawn before. */
void
progress_draw(struct progress *progress, struct recording *recording);

/** Removes what was drawn. */
void
progress_erase(struct progress *progress);

#endif
