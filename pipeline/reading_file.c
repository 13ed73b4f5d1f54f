#include "pipeline/reading_file.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

int
reading_file_open(
    struct reading_file *file, struct files *files, const char *path, struct diagnostic *diagnostic)
{
    *file = (struct reading_file){.files = files, .fd = -1};
    int error = ERROR_MEMORY;
    file->path = strdup(path);
    file->block = malloc(READING_FILE_BLOCK_SIZE);
    if (file->path == NULL || file->block == NULL) {
        goto failed;
    }
    error = files_open(files, path, O_RDWR | O_CREAT, &file->fd);
    if (error != 0) {
        goto failed;
    }
    int locked = files->lock(files, file->fd);
    if (locked < 0) {
        error = error_from_errno(-locked);
        goto failed;
    }
    return 0;

failed:
    reading_file_close(file);
    return diagnostic_set(diagnostic, error, "cannot open %s: %s", path, error_text(error));
}

int
reading_file_empty(struct reading_file *file, struct diagnostic *diagnostic)
{
    int error = files_resize(file->files, file->fd, 0);
    if (error != 0) {
        return diagnostic_set(
            diagnostic, error, "cannot empty %s: %s", file->path, error_text(error));
    }
    return 0;
}

static int
room_of(const struct reading_file *file)
{
    return (int)((READING_FILE_BLOCK_SIZE - file->block_size) / READING_SIZE_MAX);
}

/* Takes disk space up to the end of the block. */
static int
reserve(struct reading_file *file)
{
    static const unsigned char zeros[READING_FILE_BLOCK_SIZE];
    const int64_t end = file->offset + READING_FILE_BLOCK_SIZE;
    if (file->reserved >= end) {
        return 0;
    }
    int error =
        files_write(file->files, file->fd, zeros, (size_t)(end - file->reserved), file->reserved);
    if (error == 0) {
        file->reserved = end;
    }
    return error;
}

int
reading_file_prepare(struct reading_file *file, int *room, struct diagnostic *diagnostic)
{
    if (room_of(file) == 0) {
        int error = reading_file_flush(file, diagnostic);
        if (error != 0) {
            return error;
        }
    }
    int error = reserve(file);
    if (error != 0) {
        return diagnostic_set(diagnostic, error, "cannot write %s beyond byte %lld: %s", file->path,
            (long long)file->offset, error_text(error));
    }
    *room = room_of(file);
    return 0;
}

void
reading_file_append(struct reading_file *file, const struct reading *reading)
{
    assert(READING_FILE_BLOCK_SIZE - file->block_size >= READING_SIZE_MAX);
    file->block_size += reading_pack(reading, file->block + file->block_size);
    file->pending++;
}

int
reading_file_flush(struct reading_file *file, struct diagnostic *diagnostic)
{
    if (file->pending == 0) {
        return 0;
    }
    int error = files_write(file->files, file->fd, file->block, file->block_size, file->offset);
    if (error == 0) {
        file->offset += (int64_t)file->block_size;
        atomic_fetch_add_explicit(&file->count, file->pending, memory_order_relaxed);
    } else {
        file->lost += file->pending;
        diagnostic_set(diagnostic, error, "cannot write %s at byte %lld, %llu reading%s lost: %s",
            file->path, (long long)file->offset, (unsigned long long)file->pending,
            file->pending == 1 ? " is" : "s are", error_text(error));
    }
    file->pending = 0;
    file->block_size = 0;
    return error;
}

int
reading_file_finish(struct reading_file *file, struct diagnostic *diagnostic)
{
    int error = reading_file_flush(file, diagnostic);
    int cut = files_resize(file->files, file->fd, file->offset);
    if (cut != 0 && error == 0) {
        error = diagnostic_set(diagnostic, cut, "cannot cut %s to its %lld bytes of readings: %s",
            file->path, (long long)file->offset, error_text(cut));
    }
    int sync = files_sync_data(file->files, file->fd);
    if (sync != 0 && error == 0) {
        error = diagnostic_set(
            diagnostic, sync, "cannot force %s to the disk: %s", file->path, error_text(sync));
    }
    return error;
}

void
reading_file_close(struct reading_file *file)
{
    files_close(file->files, &file->fd);
    free(file->block);
    free(file->path);
    file->block = NULL;
    file->path = NULL;
}
