#include "shared/recovery.h"

#include "shared/generations.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int
load_record(void *context, uint64_t number, const msgpack_object *body, int64_t offset,
    struct diagnostic *diagnostic)
{
    struct recovery *recovery = context;
    (void)number;
    (void)offset;
    return recovery->fold->load(recovery->fold->state, body, diagnostic);
}

static int
apply_record(void *context, uint64_t number, const msgpack_object *body, int64_t offset,
    struct diagnostic *diagnostic)
{
    struct recovery *recovery = context;
    (void)offset;
    recovery->report->records++;
    return recovery->fold->apply(recovery->fold->state, number, body, diagnostic);
}

/* Is the header that of this fold's `sort` of file with this generation? */
static bool
is_kind(const struct recovery *recovery, const struct journal_header *header, const char *sort,
    uint64_t generation)
{
    char kind[JOURNAL_KIND_SIZE];
    snprintf(kind, sizeof kind, "%s %s", recovery->fold->kind, sort);
    return strcmp(header->kind, kind) == 0 && header->generation == generation;
}

static int
load_snapshot(struct recovery *recovery, uint64_t generation, struct diagnostic *diagnostic)
{
    char path[FILES_PATH_SIZE];
    struct journal_header header;
    recovery->fold->clear(recovery->fold->state);
    int error = generation_path(path, recovery->directory, "snapshot", generation);
    if (error == 0) {
        error = snapshot_read(recovery->files, path, load_record, recovery, &header, diagnostic);
    }
    if (error == 0 && !is_kind(recovery, &header, "snapshot", generation)) {
        error = diagnostic_set(diagnostic, ERROR_DAMAGED, "%s: is a '%s' of generation %" PRIu64,
            path, header.kind, header.generation);
    }
    if (error == 0) {
        recovery->generation = generation;
        recovery->next = header.first;
        memcpy(recovery->previous, header.previous, sizeof recovery->previous);
        memcpy(recovery->history, header.history, sizeof recovery->history);
        recovery->report->snapshot_generation = generation;
    }
    return error;
}

/* Loads the newest snapshot that is good. */
static int
load_newest(struct recovery *recovery, const struct generations *snapshots)
{
    int error = ERROR_DAMAGED;
    for (size_t i = snapshots->count; i-- > 0;) {
        uint64_t generation = snapshots->numbers[i];
        if (generation > recovery->generation_end ||
            (recovery->snapshot_end != 0 && generation >= recovery->snapshot_end)) {
            continue;
        }
        struct diagnostic reason = {""};
        error = load_snapshot(recovery, generation, &reason);
        if (error != ERROR_DAMAGED) {
            return error == 0 ? 0 : diagnostic_set(recovery->diagnostic, error, "%s", reason.text);
        }
        if (recovery->report->warning.text[0] == '\0') {
            recovery->report->warning = reason;
        }
    }
    return diagnostic_set(recovery->diagnostic, error, "%s",
        recovery->report->warning.text[0] != '\0' ? recovery->report->warning.text
                                                  : "no snapshot is there");
}

/* Sees whether journal `generation` follows what was read; `path` gets its path. */
static int
check_follows(struct recovery *recovery, uint64_t generation, char path[FILES_PATH_SIZE])
{
    struct journal_header header;
    int error = generation_path(path, recovery->directory, "journal", generation);
    if (error == 0) {
        error = journal_read_header(recovery->files, path, &header, recovery->diagnostic);
    }
    if (error != 0) {
        return error;
    }
    const char *reason = NULL;
    if (!is_kind(recovery, &header, "journal", generation)) {
        reason = "is another kind of file, or of another generation";
    } else if (memcmp(header.history, recovery->history, sizeof header.history) != 0) {
        reason = "belongs to another history";
    } else if (header.first != recovery->next ||
               memcmp(header.previous, recovery->previous, sizeof header.previous) != 0) {
        reason = "does not follow the records before it";
    }
    if (reason != NULL) {
        return diagnostic_set(
            recovery->diagnostic, ERROR_DAMAGED, "%s: offset 0: %s", path, reason);
    }
    return 0;
}

/* Reads the journal of the next generation, which must be chained to what was read. */
static int
replay_journal(struct recovery *recovery, uint64_t generation)
{
    int error = check_follows(recovery, generation, recovery->last_path);
    if (error == 0) {
        error = journal_read(recovery->files, recovery->last_path, apply_record, recovery,
            &recovery->last, recovery->diagnostic);
    }
    if (error != 0) {
        return error;
    }
    recovery->generation = generation;
    recovery->next = recovery->last.next;
    memcpy(recovery->previous, recovery->last.previous, sizeof recovery->previous);
    return 0;
}

/* Replays the journals from the snapshot's number on. */
static int
replay_journals(struct recovery *recovery, const struct generations *journals)
{
    for (size_t i = 0; i < journals->count; i++) {
        uint64_t generation = journals->numbers[i];
        uint64_t wanted =
            recovery->last_path[0] == '\0' ? recovery->generation : recovery->generation + 1;
        if (generation < wanted || generation > recovery->generation_end) {
            continue;
        }
        if (generation > wanted) {
            char path[FILES_PATH_SIZE];
            (void)generation_path(path, recovery->directory, "journal", wanted);
            return diagnostic_set(recovery->diagnostic, ERROR_DAMAGED, "%s: is missing", path);
        }
        if (generation == recovery->generation_end) {
            /* Left out, but it tells where the journal before it ended. */
            char path[FILES_PATH_SIZE];
            return check_follows(recovery, generation, path);
        }
        int error = replay_journal(recovery, generation);
        if (error != 0) {
            return error;
        }
    }
    if (recovery->last_path[0] == '\0' && recovery->generation < recovery->generation_end) {
        char path[FILES_PATH_SIZE];
        (void)generation_path(path, recovery->directory, "journal", recovery->generation);
        return diagnostic_set(recovery->diagnostic, ERROR_DAMAGED, "%s: is missing", path);
    }
    return 0;
}

/*
 * Sees whether a directory without a snapshot is one whose first start was cut short: its journals
 * then hold no record, and nobody was told anything yet.
 */
static int
check_unborn(struct recovery *recovery, const struct generations *journals)
{
    for (size_t i = 0; i < journals->count; i++) {
        char path[FILES_PATH_SIZE];
        struct journal_summary summary;
        int error = generation_path(path, recovery->directory, "journal", journals->numbers[i]);
        if (error == 0) {
            error = journal_read(recovery->files, path, NULL, NULL, &summary, recovery->diagnostic);
        }
        if (error != 0) {
            return error;
        }
        if (summary.next != 1 || summary.tail != JOURNAL_ENDS) {
            return diagnostic_set(recovery->diagnostic, ERROR_DAMAGED,
                "%s: there is a journal but no snapshot", recovery->directory);
        }
    }
    recovery->report->is_new = true;
    recovery->next = 1;
    return 0;
}

int
recover(struct recovery *recovery)
{
    struct listing listing;
    *recovery->report = (struct store_report){.is_new = false};
    int error = listing_init(&listing, recovery->files, recovery->directory);
    if (error != 0) {
        diagnostic_set(
            recovery->diagnostic, error, "%s: %s", recovery->directory, error_text(error));
    } else if (listing.snapshots.count == 0) {
        error = check_unborn(recovery, &listing.journals);
    } else {
        error = load_newest(recovery, &listing.snapshots);
        if (error == 0) {
            error = replay_journals(recovery, &listing.journals);
        }
    }
    recovery->generation_newest = listing_newest(&listing);
    if (error == 0 && recovery->last_path[0] != '\0') {
        recovery->report->torn_bytes = (uint64_t)(recovery->last.end_torn - recovery->last.end);
    }
    listing_fini(&listing);
    return error;
}
