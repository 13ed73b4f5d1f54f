/**
 * fsck.h: the parts of stock-fsck, which reads the directory of a broker or a client and judges it.
 *
 * It changes nothing and takes no lock, so that it may look at a directory in use: what is being
 * written at that moment then looks like a torn tail. It is the one program that knows both sides;
 * fsck_client.c alone includes what is the client's.
 */
#ifndef STOCKBUS_BROKER_FSCK_H
#define STOCKBUS_BROKER_FSCK_H

#include <stdio.h>

#include "shared/generations.h"
#include "shared/json.h"
#include "shared/store.h"

/** What a directory of one kind holds. */
struct fsck_side {
    const char *kind; /**< "broker" or "client", as in the header of every file */
    /** Makes an empty state, or returns NULL when memory is short. */
    void *(*make)(void);
    /** Frees what `make` has made. */
    void (*free)(void *state);
    /** Returns the fold by which a store recovers into such a state. */
    struct store_fold (*fold)(void *state);
    /** Do both states say the same? If not, the first difference goes to `difference`. */
    bool (*agree)(const void *found, const void *expected, struct diagnostic *difference);
    /** Writes the state for a person, or as members of a JSON object. */
    void (*print)(const void *state, FILE *out);
    void (*emit)(const void *state, struct json *json); /**< the members of a JSON object */
};

/** The broker's side, of fsck_broker.c. */
extern const struct fsck_side fsck_broker;
/** The client's side, of fsck_client.c. */
extern const struct fsck_side fsck_client;

/** One snapshot or journal. */
struct fsck_file {
    bool is_snapshot;          /**< otherwise it is a journal */
    uint64_t generation;       /**< its number */
    bool is_good;              /**< it could be read to its end */
    uint64_t first;            /**< number of the first record; of a snapshot: of the next one */
    uint64_t records;          /**< of a journal */
    int64_t end;               /**< offset behind the last record */
    int64_t torn_bytes;        /**< behind it, that are no record */
    struct diagnostic message; /**< what is wrong with it; empty: nothing */
};

/** What was found. */
struct fsck {
    struct files *files;           /**< what it is read through; the caller's */
    const char *directory;         /**< where it is; the caller's */
    const struct fsck_side *side;  /**< whose data it is; NULL: no file told */
    uint8_t history[HISTORY_SIZE]; /**< of the directory */
    struct fsck_file *list;        /**< ascending by generation, a snapshot before its journal */
    size_t count;                  /**< of files */
    void *state;                   /**< as recovery would give it; NULL: it would refuse */
    uint64_t position;             /**< number of the last record */
    uint64_t compared_with;   /**< snapshot that the newest one was computed from anew; 0: none */
    struct diagnostic damage; /**< the first that was found; empty: none */
};

/**
 * Reads everything. Returns 0, also with damage, which is in `fsck->damage`; ERROR_NOT_FOUND when
 * the directory holds no file of a store, or is not there; ERROR_MEMORY or a file error, with a
 * sentence in `diagnostic`. fsck_fini() follows in any case. Blocks.
 */
int
fsck_read(
    struct fsck *fsck, struct files *files, const char *directory, struct diagnostic *diagnostic);

/** Frees what fsck_read() made. */
void
fsck_fini(struct fsck *fsck);

/** Writes what was found, for a person. */
void
fsck_print(const struct fsck *fsck, FILE *out);

/** Writes it as one JSON object and a newline. */
void
fsck_emit(const struct fsck *fsck, FILE *out);

#endif
