#include "shared/snapshot.h"

#include <fcntl.h>
#include <stdio.h>

/* In small pieces: a journal's sync waits for what is under way on the same disk. */
enum {
    SYNC_SIZE = 256 * 1024
};

int
snapshot_create(struct snapshot *snapshot, struct files *files, const char *directory,
    const char *name, const struct journal_header *header)
{
    int fd = -1;
    *snapshot = (struct snapshot){.journal = {.files = files, .fd = -1}, .first = header->first};
    int size = snprintf(snapshot->directory, sizeof snapshot->directory, "%s", directory);
    int error = size >= FILES_PATH_SIZE ? ERROR_TOO_LARGE : 0;
    if (error == 0) {
        error = files_join(snapshot->path, sizeof snapshot->path, directory, name);
    }
    if (error == 0) {
        error = files_join(
            snapshot->temporary, sizeof snapshot->temporary, directory, "snapshot.temporary");
    }
    if (error == 0) {
        error = files_open(files, snapshot->temporary, O_RDWR | O_CREAT | O_TRUNC, &fd);
    }
    if (error == 0) {
        error = journal_start(&snapshot->journal, files, fd, 0, SNAPSHOT_RECORD_SIZE, header);
        if (error != 0) {
            (void)files_remove(files, snapshot->temporary);
        }
    }
    return error;
}

msgpack_packer *
snapshot_begin(struct snapshot *snapshot)
{
    return journal_begin(&snapshot->journal);
}

int
snapshot_append(struct snapshot *snapshot)
{
    int error = journal_append(&snapshot->journal);
    if (error == 0 && snapshot->journal.offset - snapshot->synced >= SYNC_SIZE) {
        snapshot->synced = snapshot->journal.offset;
        error = journal_sync(&snapshot->journal);
    }
    return error;
}

int
snapshot_commit(struct snapshot *snapshot)
{
    struct files *files = snapshot->journal.files;
    uint64_t records = snapshot->journal.next - snapshot->first;
    msgpack_pack_uint64(snapshot_begin(snapshot), records);
    int error = snapshot_append(snapshot);
    if (error == 0) {
        error = files_sync(files, snapshot->journal.fd);
    }
    if (error == 0) {
        error = files_rename(files, snapshot->temporary, snapshot->path);
    }
    if (error != 0) {
        snapshot_abandon(snapshot);
        return error;
    }
    journal_close(&snapshot->journal, false);
    return files_sync_directory(files, snapshot->directory);
}

void
snapshot_abandon(struct snapshot *snapshot)
{
    journal_close(&snapshot->journal, false);
    (void)files_remove(snapshot->journal.files, snapshot->temporary);
}

/* Passes records on and keeps watch for the last. */
struct pass {
    journal_record_fn *each;
    void *context;
    uint64_t count;
    bool ended;
};

static int
pass_record(void *context, uint64_t number, const msgpack_object *body, int64_t offset,
    struct diagnostic *diagnostic)
{
    struct pass *pass = context;
    uint64_t records;
    if (pass->ended) {
        return diagnostic_set(diagnostic, ERROR_DAMAGED, "stands behind the last record");
    }
    if (body->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
        if (!object_uint(body, pass->count, pass->count, &records)) {
            return diagnostic_set(diagnostic, ERROR_DAMAGED, "counts another number of records");
        }
        pass->ended = true;
        return 0;
    }
    pass->count++;
    return pass->each == NULL ? 0 : pass->each(pass->context, number, body, offset, diagnostic);
}

int
snapshot_read(struct files *files, const char *path, journal_record_fn *each, void *context,
    struct journal_header *header, struct diagnostic *diagnostic)
{
    struct pass pass = {.each = each, .context = context};
    struct journal_summary summary;
    int error = journal_read(files, path, pass_record, &pass, &summary, diagnostic);
    if (error != 0) {
        return error;
    }
    if (!pass.ended || summary.end_torn != summary.end) {
        return diagnostic_set(diagnostic, ERROR_DAMAGED, "%s: offset %lld: %s", path,
            (long long)summary.end,
            pass.ended ? "bytes stand behind the last record" : "the end is missing");
    }
    *header = summary.header;
    return 0;
}
