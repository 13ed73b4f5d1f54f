#include "shared/store.h"

#include "shared/generations.h"
#include "shared/recovery.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SNAPSHOTS_KEPT = 2,
    JOURNALS_BEFORE_SNAPSHOT = 4
};

static const char spare_name[] = "journal.spare";
static const char fresh_name[] = "journal.temporary";

struct store {
    struct files *files;
    char directory[FILES_PATH_SIZE];
    int lock_fd;
    int directory_fd; /* to sync names with; held, so that a lack of descriptors can't prevent it */
    struct store_fold fold;
    struct store_options options;
    struct journal journal; /* the newest; fd -1 until started */
    uint8_t history[HISTORY_SIZE];
    uint64_t next;                   /* number of the next record, until started */
    uint8_t previous[CHECKSUM_SIZE]; /* checksum of the last record, until started */
    bool is_new; /* the directory held no data; it may not even be durable itself */
    bool started;
    char last_path[FILES_PATH_SIZE]; /* of the last journal that was read; empty: none was */
    int64_t last_end;                /* behind its last record */

    /* Shared between the appending thread and the one that does the upkeep. */
    _Atomic uint64_t generation;          /* of the newest journal; all before are complete */
    _Atomic uint64_t snapshot_generation; /* of the newest snapshot */
    _Atomic int spare_fd; /* journal.spare, zeroed and synced. -1: there is none, which only the
                             appending thread makes so, and only the other one changes */
};

static int
complain(const struct store *store, struct diagnostic *diagnostic, int error, const char *doing)
{
    return diagnostic_set(
        diagnostic, error, "%s: %s: %s", store->directory, doing, error_text(error));
}

/* Copies the bytes behind the last good record to a file of their own, and cuts them off. */
static int
set_torn_aside(struct store *store, const struct recovery *recovery)
{
    char aside[FILES_PATH_SIZE + 8];
    int fd = -1;
    int aside_fd = -1;
    size_t size = (size_t)(recovery->last.end_torn - recovery->last.end);
    size_t got = 0;
    unsigned char *bytes = malloc(size);
    if (bytes == NULL) {
        return ERROR_MEMORY;
    }
    snprintf(aside, sizeof aside, "%s.torn", recovery->last_path);
    int error = files_open(store->files, recovery->last_path, O_RDWR, &fd);
    if (error == 0) {
        error = files_read(store->files, fd, bytes, size, recovery->last.end, &got);
    }
    if (error == 0) {
        error = files_open(store->files, aside, O_RDWR | O_CREAT | O_TRUNC, &aside_fd);
    }
    if (error == 0) {
        error = files_write(store->files, aside_fd, bytes, got, 0);
    }
    if (error == 0) {
        error = files_sync(store->files, aside_fd);
    }
    if (error == 0) {
        error = files_sync(store->files, store->directory_fd);
    }
    if (error == 0) {
        error = files_resize(store->files, fd, recovery->last.end);
    }
    if (error == 0) {
        error = files_sync(store->files, fd);
    }
    files_close(store->files, &aside_fd);
    files_close(store->files, &fd);
    free(bytes);
    return error;
}

/* Gives the snapshots that recovery had to pass over another name. */
static int
set_damaged_aside(struct store *store, const struct recovery *recovery)
{
    struct listing listing;
    int error = listing_init(&listing, store->files, store->directory);
    for (size_t i = 0; error == 0 && i < listing.snapshots.count; i++) {
        uint64_t generation = listing.snapshots.numbers[i];
        char path[FILES_PATH_SIZE];
        if (generation <= recovery->report->snapshot_generation) {
            continue;
        }
        error = generation_path(path, store->directory, "snapshot", generation);
        if (error == 0) {
            char aside[FILES_PATH_SIZE + 16];
            snprintf(aside, sizeof aside, "%s.damaged", path);
            error = files_rename(store->files, path, aside);
        }
    }
    listing_fini(&listing);
    return error;
}

static int
recover_into(struct store *store, struct store_report *report, struct diagnostic *diagnostic)
{
    struct recovery recovery = {
        .files = store->files,
        .directory = store->directory,
        .fold = &store->fold,
        .generation_end = UINT64_MAX,
        .report = report,
        .diagnostic = diagnostic,
    };
    int error = recover(&recovery);
    if (error != 0) {
        return error;
    }
    if (report->torn_bytes > 0) {
        error = set_torn_aside(store, &recovery);
    }
    if (error == 0 && report->warning.text[0] != '\0') {
        error = set_damaged_aside(store, &recovery);
    }
    if (error != 0) {
        return complain(store, diagnostic, error, "setting damaged bytes aside");
    }
    store->is_new = report->is_new;
    memcpy(store->history, report->is_new ? store->options.history_new : recovery.history,
        sizeof store->history);
    memcpy(store->previous, recovery.previous, sizeof store->previous);
    memcpy(store->last_path, recovery.last_path, sizeof store->last_path);
    store->last_end = recovery.last.end;
    store->next = recovery.next;
    store->generation = recovery.generation_newest;
    store->snapshot_generation = report->snapshot_generation;
    return 0;
}

int
store_open(struct store **result, struct files *files, const char *directory,
    const struct store_fold *fold, const struct store_options *options, struct store_report *report,
    struct diagnostic *diagnostic)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return diagnostic_set(diagnostic, ERROR_MEMORY, "%s: out of memory", directory);
    }
    store->files = files;
    store->lock_fd = -1;
    store->directory_fd = -1;
    store->journal.fd = -1;
    store->journal.files = files;
    store->spare_fd = -1;
    store->fold = *fold;
    store->options = *options;
    snprintf(store->directory, sizeof store->directory, "%s", directory);
    int error = strlen(directory) >= sizeof store->directory ? ERROR_TOO_LARGE : 0;
    if (error == 0) {
        error = files_make_directory(files, directory);
    }
    if (error == 0) {
        error = files_lock_directory(files, directory, &store->lock_fd);
    }
    if (error == 0) {
        error = files_open(files, directory, O_RDONLY | O_DIRECTORY, &store->directory_fd);
    }
    if (error != 0) {
        complain(store, diagnostic, error, "opening the data directory");
    } else {
        error = recover_into(store, report, diagnostic);
    }
    if (error != 0) {
        (void)store_close(&store, false, NULL);
        return error;
    }
    *result = store;
    return 0;
}

/* The header of a file that continues record `next - 1`, whose checksum is `previous`. */
static struct journal_header
header_for(const struct store *store, const char *sort, uint64_t generation, uint64_t next,
    const uint8_t *previous)
{
    struct journal_header header = {.generation = generation, .first = next};
    snprintf(header.kind, sizeof header.kind, "%s %s", store->fold.kind, sort);
    memcpy(header.history, store->history, sizeof header.history);
    memcpy(header.previous, previous, sizeof header.previous);
    return header;
}

/*
 * Makes journal `generation` with `size` zeros, or from the spare: header written and synced before
 * it gets its name. The directory is not synced. On failure nothing is left.
 */
static int
make_journal(struct store *store, uint64_t generation, int64_t size, struct journal *journal)
{
    struct files *files = store->files;
    struct journal_header header =
        header_for(store, "journal", generation, store->next, store->previous);
    char temporary[FILES_PATH_SIZE];
    char path[FILES_PATH_SIZE];
    int fd = size > 0 ? store->spare_fd : -1;
    bool is_spare = fd >= 0;

    int error = files_join(
        temporary, sizeof temporary, store->directory, is_spare ? spare_name : fresh_name);
    if (error == 0) {
        error = generation_path(path, store->directory, "journal", generation);
    }
    if (error == 0 && !is_spare) {
        error = journal_zero(files, temporary, size, &fd);
    }
    if (error != 0) {
        return error;
    }
    error = journal_start(journal, files, fd, size, store->options.record_size_max, &header);
    if (error == 0) {
        error = journal_sync(journal);
        if (error == 0) {
            error = files_rename(files, temporary, path);
        }
        if (error != 0) {
            journal_close(journal, false);
        }
    }
    if (error != 0) {
        (void)files_remove(files, temporary);
    }
    if (is_spare) {
        /* Not before its name is free: the upkeep would make the next spare in this very file. */
        store->spare_fd = -1;
    }
    return error;
}

/* Writes snapshot `generation`: of the live state, or of one that the upkeep has read. */
static int
write_snapshot(struct files *files, const char *directory, const struct journal_header *header,
    const struct store_fold *fold)
{
    struct snapshot snapshot;
    char name[GENERATION_NAME_SIZE];
    generation_name(name, "snapshot", header->generation);
    int error = snapshot_create(&snapshot, files, directory, name, header);
    if (error != 0) {
        return error;
    }
    error = fold->save(fold->state, &snapshot);
    if (error != 0) {
        snapshot_abandon(&snapshot);
        return error;
    }
    return snapshot_commit(&snapshot);
}

/* Removes what is older than the older of the snapshots that are kept. Its failure does no harm. */
static void
prune(struct files *files, const char *directory)
{
    struct listing listing;
    if (listing_init(&listing, files, directory) == 0 && listing.snapshots.count > SNAPSHOTS_KEPT) {
        uint64_t oldest = listing.snapshots.numbers[listing.snapshots.count - SNAPSHOTS_KEPT];
        const struct {
            const char *sort;
            const struct generations *generations;
        } sorts[] = {{"snapshot", &listing.snapshots}, {"journal", &listing.journals}};
        for (size_t s = 0; s < 2; s++) {
            const struct generations *generations = sorts[s].generations;
            for (size_t i = 0; i < generations->count && generations->numbers[i] < oldest; i++) {
                char path[FILES_PATH_SIZE];
                if (generation_path(path, directory, sorts[s].sort, generations->numbers[i]) == 0) {
                    (void)files_remove(files, path);
                }
            }
        }
    }
    listing_fini(&listing);
}

/*
 * Begins generation `generation` of the live state: a journal with `size` zeros and the snapshot
 * that it continues. The journal comes first: a snapshot without its journal is damage.
 */
static int
begin_generation(struct store *store, uint64_t generation, int64_t size, struct journal *journal)
{
    struct journal_header header =
        header_for(store, "snapshot", generation, store->next, store->previous);
    int error = make_journal(store, generation, size, journal);
    if (error != 0) {
        return error;
    }
    error = files_sync(store->files, store->directory_fd);
    if (error == 0) {
        error = write_snapshot(store->files, store->directory, &header, &store->fold);
    }
    if (error != 0) {
        journal_close(journal, false);
        return error;
    }
    prune(store->files, store->directory);
    return 0;
}

/*
 * Writes the records of the last journal again, where they are, and syncs them and its name. The
 * next journal will be chained to them. If they were in the memory of the system alone, and lost
 * before the new snapshot is there, nothing would fit together any more.
 */
static int
secure_last_journal(struct store *store)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    int fd = -1;
    if (store->last_path[0] == '\0') {
        return 0;
    }
    int error = files_read_all(store->files, store->last_path, SIZE_MAX / 2, &bytes, &size);
    if (error == 0 && size < (size_t)store->last_end) {
        error = ERROR_IO;
    }
    if (error == 0) {
        error = files_open(store->files, store->last_path, O_RDWR, &fd);
    }
    if (error == 0) {
        error = files_write(store->files, fd, bytes, (size_t)store->last_end, 0);
    }
    if (error == 0) {
        error = files_sync(store->files, fd);
    }
    if (error == 0) {
        error = files_sync(store->files, store->directory_fd);
    }
    files_close(store->files, &fd);
    free(bytes);
    return error;
}

int
store_start(struct store *store, struct diagnostic *diagnostic)
{
    assert(!store->started);
    uint64_t generation = store->generation + 1;
    int error = store->is_new ? files_sync_parents(store->files, store->directory)
                              : secure_last_journal(store);
    if (error == 0) {
        error = begin_generation(store, generation, store->options.segment_size, &store->journal);
    }
    if (error != 0) {
        return complain(store, diagnostic, error, "writing the recovered state");
    }
    store->started = true;
    store->generation = generation;
    store->snapshot_generation = generation;
    return 0;
}

bool
store_is_started(const struct store *store)
{
    return store->started;
}

const uint8_t *
store_history(const struct store *store)
{
    return store->history;
}

uint64_t
store_position(const struct store *store)
{
    return (store->started ? store->journal.next : store->next) - 1;
}

/* Remembers where the journal stands, for the headers of the files that follow it. */
static void
take_position(struct store *store)
{
    store->next = store->journal.next;
    memcpy(store->previous, store->journal.previous, sizeof store->previous);
}

struct store_extent
store_measure(const struct store *store)
{
    return (struct store_extent){
        .generation = store->generation,
        .journal_size = (uint64_t)store->journal.offset,
        .snapshot_generation = store->snapshot_generation,
    };
}

int
store_reserve(struct store *store, size_t body_size)
{
    assert(store->started && body_size <= store->options.record_size_max);
    if (body_size <= journal_room(&store->journal)) {
        return 0;
    }
    struct journal next;
    uint64_t generation = store->generation + 1;
    take_position(store);
    int error = make_journal(store, generation, store->options.segment_size, &next);
    if (error != 0) {
        return error;
    }
    error = files_sync(store->files, store->directory_fd);
    if (error != 0) {
        journal_close(&next, false);
        return error_may_pass(error) ? ERROR_IO : error; /* the journal has its name already */
    }
    journal_close(&store->journal, true);
    store->journal = next;
    pack_into(&store->journal.packer, &store->journal.record);
    store->generation = generation;
    return 0;
}

msgpack_packer *
store_begin(struct store *store)
{
    assert(store->started);
    return journal_begin(&store->journal);
}

int
store_append(struct store *store)
{
    return journal_append(&store->journal);
}

int
store_sync(struct store *store)
{
    return journal_sync(&store->journal);
}

/* Are there enough complete journals behind the newest snapshot for another one? */
static bool
wants_snapshot(const struct store *store)
{
    return store->generation >= store->snapshot_generation + JOURNALS_BEFORE_SNAPSHOT;
}

bool
store_wants_upkeep(const struct store *store)
{
    return store->options.segment_size > 0 && (store->spare_fd < 0 || wants_snapshot(store));
}

static int
make_spare(struct store *store)
{
    char path[FILES_PATH_SIZE];
    int fd = -1;
    int error = files_join(path, sizeof path, store->directory, spare_name);
    if (error == 0) {
        error = journal_zero_gently(store->files, path, store->options.segment_size, &fd);
    }
    if (error == 0) {
        store->spare_fd = fd;
    }
    return error;
}

/* Writes the snapshot that the newest journal continues, from the files before that journal. */
static int
snapshot_from_files(struct store *store, struct store_fold *scratch, struct diagnostic *diagnostic)
{
    struct store_report report;
    uint64_t generation = store->generation;
    struct recovery recovery = {
        .files = store->files,
        .directory = store->directory,
        .fold = scratch,
        .generation_end = generation,
        .report = &report,
        .diagnostic = diagnostic,
    };
    int error = recover(&recovery);
    if (error == 0) {
        struct journal_header header =
            header_for(store, "snapshot", generation, recovery.next, recovery.previous);
        error = write_snapshot(store->files, store->directory, &header, scratch);
        if (error != 0) {
            complain(store, diagnostic, error, "writing a snapshot");
        }
    }
    scratch->clear(scratch->state);
    if (error == 0) {
        store->snapshot_generation = generation;
        prune(store->files, store->directory);
    }
    return error;
}

int
store_upkeep(struct store *store, struct store_fold *scratch, struct diagnostic *diagnostic)
{
    int error = 0;
    if (store->spare_fd < 0) {
        error = make_spare(store);
        if (error != 0) {
            complain(store, diagnostic, error, "making the next journal");
        }
    }
    if (error == 0 && wants_snapshot(store)) {
        error = snapshot_from_files(store, scratch, diagnostic);
    }
    return error;
}

int
store_close(struct store **result, bool keep, struct diagnostic *diagnostic)
{
    struct store *store = *result;
    int error = 0;
    if (store == NULL) {
        return 0;
    }
    if (store->started) {
        if (keep) {
            struct journal last;
            take_position(store);
            error = begin_generation(store, store->generation + 1, 0, &last);
            if (error == 0) {
                journal_close(&last, false);
            } else {
                complain(store, diagnostic, error, "writing the last snapshot");
            }
        }
        journal_close(&store->journal, true);
    }
    int spare_fd = store->spare_fd;
    if (spare_fd >= 0) {
        char path[FILES_PATH_SIZE];
        files_close(store->files, &spare_fd);
        if (files_join(path, sizeof path, store->directory, spare_name) == 0) {
            (void)files_remove(store->files, path);
        }
    }
    files_close(store->files, &store->directory_fd);
    files_close(store->files, &store->lock_fd);
    free(store);
    *result = NULL;
    return error;
}
