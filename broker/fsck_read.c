#include "broker/fsck.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/recovery.h"

static const struct fsck_side *const sides[] = {&fsck_broker, &fsck_client};

static void
note_damage(struct fsck *fsck, const struct diagnostic *message)
{
    if (fsck->damage.text[0] == '\0') {
        fsck->damage = *message;
    }
}

/* Sees which kind of directory it is, by the first header that is good. */
static void
find_side(struct fsck *fsck, const char *kind)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): the table holds pointers, and they are counted */
    for (size_t i = 0; fsck->side == NULL && i < sizeof sides / sizeof *sides; i++) {
        size_t size = strlen(sides[i]->kind);
        if (strncmp(kind, sides[i]->kind, size) == 0 && kind[size] == ' ') {
            fsck->side = sides[i];
        }
    }
}

/* Reads one file for itself. Returns 0, also when it is damaged, or another error. */
static int
read_one(struct fsck *fsck, struct fsck_file *file, struct diagnostic *diagnostic)
{
    char path[FILES_PATH_SIZE];
    struct journal_header header;
    struct journal_summary summary = {.tail = JOURNAL_ENDS};
    struct diagnostic reason = {""};
    int error = generation_path(
        path, fsck->directory, file->is_snapshot ? "snapshot" : "journal", file->generation);
    if (error == 0 && file->is_snapshot) {
        error = snapshot_read(fsck->files, path, NULL, NULL, &header, &reason);
    } else if (error == 0) {
        error = journal_read(fsck->files, path, NULL, NULL, &summary, &reason);
        header = summary.header;
    }
    if (error == ERROR_DAMAGED) {
        file->message = reason;
        note_damage(fsck, &reason);
        return 0;
    }
    if (error != 0) {
        return diagnostic_set(diagnostic, error, "%s", reason.text);
    }
    find_side(fsck, header.kind);
    memcpy(fsck->history, header.history, sizeof fsck->history);
    file->is_good = true;
    file->first = header.first;
    if (!file->is_snapshot) {
        file->records = summary.next - header.first;
        file->end = summary.end;
        file->torn_bytes = summary.end_torn - summary.end;
    }
    return 0;
}

/* Merges both lists, ascending, a snapshot before the journal of the same number. */
static int
list_files(struct fsck *fsck, const struct listing *listing)
{
    const struct generations *snapshots = &listing->snapshots;
    const struct generations *journals = &listing->journals;
    size_t count = snapshots->count + journals->count;
    fsck->list = calloc(count, sizeof *fsck->list);
    if (fsck->list == NULL) {
        return ERROR_MEMORY;
    }
    size_t s = 0;
    size_t j = 0;
    while (s < snapshots->count || j < journals->count) {
        struct fsck_file *file = &fsck->list[fsck->count++];
        file->is_snapshot = j == journals->count ||
                            (s < snapshots->count && snapshots->numbers[s] <= journals->numbers[j]);
        file->generation = file->is_snapshot ? snapshots->numbers[s++] : journals->numbers[j++];
    }
    return 0;
}

/* Recovers a state as `recovery` says. Damage is noted and leaves `*state` NULL. */
static int
recover_state(
    struct fsck *fsck, struct recovery *recovery, void **state, struct diagnostic *diagnostic)
{
    struct store_report report;
    struct diagnostic reason = {""};
    void *made = fsck->side->make();
    if (made == NULL) {
        return diagnostic_set(diagnostic, ERROR_MEMORY, "%s", error_text(ERROR_MEMORY));
    }
    struct store_fold fold = fsck->side->fold(made);
    recovery->files = fsck->files;
    recovery->directory = fsck->directory;
    recovery->fold = &fold;
    recovery->report = &report;
    recovery->diagnostic = &reason;
    int error = recover(recovery);
    recovery->fold = NULL;
    recovery->report = NULL;
    recovery->diagnostic = NULL;
    if (error != 0) {
        fsck->side->free(made);
        if (error != ERROR_DAMAGED) {
            return diagnostic_set(diagnostic, error, "%s", reason.text);
        }
        note_damage(fsck, &reason);
        return 0;
    }
    *state = made;
    return 0;
}

/* Returns the newest good snapshot before `end`, or NULL. */
static const struct fsck_file *
good_snapshot(const struct fsck *fsck, uint64_t end)
{
    const struct fsck_file *found = NULL;
    for (size_t i = 0; i < fsck->count; i++) {
        const struct fsck_file *file = &fsck->list[i];
        if (file->is_snapshot && file->is_good && file->generation < end) {
            found = file;
        }
    }
    return found;
}

/* Computes the newest snapshot anew, from the one before and the journals, and compares. */
static int
compare_snapshots(struct fsck *fsck, struct diagnostic *diagnostic)
{
    const struct fsck_file *newest = good_snapshot(fsck, UINT64_MAX);
    const struct fsck_file *older = newest == NULL ? NULL : good_snapshot(fsck, newest->generation);
    if (older == NULL) {
        return 0;
    }
    struct recovery from_journals = {
        .generation_end = newest->generation, .snapshot_end = newest->generation};
    struct recovery from_snapshot = {
        .generation_end = newest->generation, .snapshot_end = newest->generation + 1};
    void *expected = NULL;
    void *found = NULL;
    struct diagnostic difference = {""};
    int error = recover_state(fsck, &from_journals, &expected, diagnostic);
    if (error == 0) {
        error = recover_state(fsck, &from_snapshot, &found, diagnostic);
    }
    if (expected != NULL && found != NULL) {
        fsck->compared_with = older->generation;
        bool agrees = from_journals.next == from_snapshot.next &&
                      memcmp(from_journals.previous, from_snapshot.previous, CHECKSUM_SIZE) == 0;
        if (!agrees) {
            diagnostic_set(&difference, 0, "the last record before it is another one");
        } else {
            agrees = fsck->side->agree(found, expected, &difference);
        }
        if (!agrees) {
            struct diagnostic message;
            diagnostic_set(&message, 0,
                "%.200s/snapshot-%010" PRIu64 ".msgpack: offset 0: does not agree with snapshot "
                "%" PRIu64 " and the journals behind it: %.200s",
                fsck->directory, newest->generation, older->generation, difference.text);
            note_damage(fsck, &message);
        }
    }
    if (expected != NULL) {
        fsck->side->free(expected);
    }
    if (found != NULL) {
        fsck->side->free(found);
    }
    return error;
}

static int
read_listed(struct fsck *fsck, const struct listing *listing, struct diagnostic *diagnostic)
{
    int error = list_files(fsck, listing);
    if (error != 0) {
        return diagnostic_set(diagnostic, error, "%s", error_text(error));
    }
    for (size_t i = 0; i < fsck->count; i++) {
        error = read_one(fsck, &fsck->list[i], diagnostic);
        if (error != 0) {
            return error;
        }
    }
    if (fsck->side == NULL) {
        struct diagnostic message;
        diagnostic_set(
            &message, 0, "%s: offset 0: no file is that of a broker or a client", fsck->directory);
        note_damage(fsck, &message);
        return 0;
    }
    struct recovery recovery = {.generation_end = UINT64_MAX};
    error = recover_state(fsck, &recovery, &fsck->state, diagnostic);
    fsck->position = recovery.next == 0 ? 0 : recovery.next - 1;
    return error != 0 ? error : compare_snapshots(fsck, diagnostic);
}

int
fsck_read(
    struct fsck *fsck, struct files *files, const char *directory, struct diagnostic *diagnostic)
{
    enum {
        ATTEMPTS = 5
    };
    int error = ERROR_NOT_FOUND;
    *fsck = (struct fsck){.files = files, .directory = directory};
    /* A broker at work may remove a file between the listing and the reading. */
    for (int i = 0; i < ATTEMPTS && error == ERROR_NOT_FOUND; i++) {
        struct listing listing;
        fsck_fini(fsck);
        *fsck = (struct fsck){.files = files, .directory = directory};
        error = listing_init(&listing, files, directory);
        if (error != 0) {
            diagnostic_set(diagnostic, error, "%s: %s", directory, error_text(error));
        } else if (listing_newest(&listing) == 0) {
            error = diagnostic_set(
                diagnostic, ERROR_NOT_FOUND, "%s: holds no snapshot and no journal", directory);
        } else {
            error = read_listed(fsck, &listing, diagnostic);
        }
        listing_fini(&listing);
    }
    return error;
}

void
fsck_fini(struct fsck *fsck)
{
    if (fsck->state != NULL) {
        fsck->side->free(fsck->state);
        fsck->state = NULL;
    }
    free(fsck->list); /* NOLINT(clang-analyzer-unix.Malloc): it is NULL after the first time */
    fsck->list = NULL;
    fsck->count = 0;
}
