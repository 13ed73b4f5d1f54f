/**
 * generations.h: the files of a store by number: snapshot-N and journal-N.
 */
#ifndef STOCKBUS_SHARED_GENERATIONS_H
#define STOCKBUS_SHARED_GENERATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/files.h"

/** The numbers of one sort of file in a directory, ascending. */
struct generations {
    uint64_t *numbers; /**< ascending */
    size_t count;      /**< of numbers */
    size_t count_max;  /**< room in `numbers` */
};

/** What a directory holds. */
struct listing {
    struct generations snapshots; /**< of whole states */
    struct generations journals;  /**< of changes */
    bool out_of_memory;           /**< some name could not be kept */
};

enum {
    GENERATION_NAME_SIZE = 64
};

/** Writes the name of file `generation` of this sort ("snapshot" or "journal") into `name`. */
void
generation_name(char name[GENERATION_NAME_SIZE], const char *sort, uint64_t generation);

/** Writes its path into `path`. Returns 0, or ERROR_TOO_LARGE when it does not fit. */
int
generation_path(
    char path[FILES_PATH_SIZE], const char *directory, const char *sort, uint64_t generation);

/** Lists `directory`. Returns 0 or an error; listing_fini() is called in both cases. */
int
listing_init(struct listing *listing, struct files *files, const char *directory);

/** Frees what listing_init() took. */
void
listing_fini(struct listing *listing);

/** Returns the largest number of either sort, or 0 when there is no file. */
uint64_t
listing_newest(const struct listing *listing);

#endif
