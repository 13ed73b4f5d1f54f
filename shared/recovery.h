/**
 * recovery.h: reads the state of a store's directory, by the table in store.h. Changes nothing.
 */
#ifndef STOCKBUS_SHARED_RECOVERY_H
#define STOCKBUS_SHARED_RECOVERY_H

#include "shared/store.h"

/** What recovery goes by, and where it arrived. */
struct recovery {
    struct files *files;           /**< what it reads through */
    const char *directory;         /**< of the data */
    const struct store_fold *fold; /**< what it recovers into */
    uint64_t generation_end;       /**< journals from this number on are left out */
    uint64_t snapshot_end;       /**< so are snapshots from this number on; 0: those behind that */
    struct store_report *report; /**< what it found */
    struct diagnostic *diagnostic; /**< why it failed */

    uint64_t generation_newest;      /**< the largest number of any file; 0: there is none */
    struct journal_summary last;     /**< of the last journal that was read */
    char last_path[FILES_PATH_SIZE]; /**< of it; empty: none was */
    uint64_t generation;             /**< of it, or of the snapshot */
    uint64_t next;                   /**< number of the next record */
    uint8_t previous[CHECKSUM_SIZE]; /**< checksum of the last record */
    uint8_t history[HISTORY_SIZE];   /**< of the data; result */
};

/**
 * Reads the state into the fold. The caller sets the members up to `diagnostic`; the rest is zero.
 *
 * Returns 0, with the rest filled in; ERROR_DAMAGED, ERROR_MEMORY, a file error or an error of the
 * fold, with the reason in the diagnostic. Blocks.
 */
int
recover(struct recovery *recovery);

#endif
