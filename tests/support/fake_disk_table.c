#include "support/fake_disk_state.h"

#include <errno.h>
#include <stdlib.h>

static const char *const call_words[FAKE_CALL_COUNT] = {
#define FAKE_CALL_WORD(name, word) [name] = word,
    FAKE_CALL_LIST(FAKE_CALL_WORD)
#undef FAKE_CALL_WORD
};

const char *
fake_call_word(enum fake_call call)
{
    return call_words[call];
}

/* The table: asks the hook, then makes the call. */

static int
enter(struct fake_disk *disk, enum fake_call call)
{
    disk->calls++;
    int verdict = FAKE_GO;
    if (disk->before != NULL) {
        verdict = disk->before(disk->context, call, disk->calls);
    }
    if (verdict == FAKE_LOSE_POWER) {
        disk->is_down = true;
    }
    return disk->is_down ? -EIO : verdict;
}

static int64_t
leave(struct fake_disk *disk, int64_t result)
{
    if (disk->after != NULL) {
        disk->after(disk->context);
    }
    return result;
}

/* Is there nothing to do, because the call fails or lies? Both have their result in the verdict. */
#define IS_OVER(verdict)     ((verdict) < 0 || (verdict) == FAKE_LIE)
#define RESULT_OVER(verdict) ((verdict) < 0 ? (verdict) : 0)

static int
table_open(struct files *files, const char *path, int flags, mode_t mode)
{
    struct fake_disk *disk = (struct fake_disk *)files;
    (void)mode;
    int verdict = enter(disk, FAKE_OPEN);
    return (int)leave(disk, verdict < 0 ? verdict : fake_do_open(disk, path, flags));
}

static int
table_close(struct files *files, int fd)
{
    struct fake_disk *disk = (struct fake_disk *)files;
    int verdict = enter(disk, FAKE_CLOSE);
    if (!disk->is_down) {
        fake_do_close(disk, fd); /* also where it is said to fail */
    }
    return (int)leave(disk, RESULT_OVER(verdict));
}

static size_t
half(int verdict, size_t size)
{
    return verdict == FAKE_SHORT ? (size + 1) / 2 : size;
}

static ssize_t
table_pread(struct files *files, int fd, void *data, size_t size, int64_t offset)
{
    struct fake_disk *disk = (struct fake_disk *)files;
    int verdict = enter(disk, FAKE_PREAD);
    return leave(
        disk, verdict < 0 ? verdict : fake_do_pread(disk, fd, data, half(verdict, size), offset));
}

static ssize_t
table_pwrite(struct files *files, int fd, const void *data, size_t size, int64_t offset)
{
    struct fake_disk *disk = (struct fake_disk *)files;
    int verdict = enter(disk, FAKE_PWRITE);
    if (verdict == FAKE_LIE) {
        return leave(disk, (ssize_t)size);
    }
    return leave(
        disk, verdict < 0 ? verdict : fake_do_pwrite(disk, fd, data, half(verdict, size), offset));
}

static int
sync_call(struct files *files, enum fake_call call, int fd)
{
    struct fake_disk *disk = (struct fake_disk *)files;
    int verdict = enter(disk, call);
    struct node *node = fake_node_of(disk, fd);
    if (verdict < 0 && verdict != -EINTR && !disk->is_down && node != NULL) {
        fake_lose_unsynced(node);
    }
    return (int)leave(disk, IS_OVER(verdict) ? RESULT_OVER(verdict) : fake_do_sync(disk, fd));
}

static int
table_fdatasync(struct files *files, int fd)
{
    return sync_call(files, FAKE_FDATASYNC, fd);
}

static int
table_fsync(struct files *files, int fd)
{
    const struct node *node = fake_node_of((struct fake_disk *)files, fd);
    bool is_directory = node != NULL && node->kind == NODE_DIRECTORY;
    return sync_call(files, is_directory ? FAKE_FSYNC_DIRECTORY : FAKE_FSYNC, fd);
}

static int
table_ftruncate(struct files *files, int fd, int64_t size)
{
    struct fake_disk *disk = (struct fake_disk *)files;
    int verdict = enter(disk, FAKE_FTRUNCATE);
    return (int)leave(
        disk, IS_OVER(verdict) ? RESULT_OVER(verdict) : fake_do_ftruncate(disk, fd, size));
}

static int64_t
table_size(struct files *files, int fd)
{
    struct fake_disk *disk = (struct fake_disk *)files;
    int verdict = enter(disk, FAKE_SIZE);
    const struct node *node = fake_node_of(disk, fd);
    return leave(disk, verdict < 0 ? verdict : node == NULL ? -EBADF : node->content.size);
}

static int
table_lock(struct files *files, int fd)
{
    struct fake_disk *disk = (struct fake_disk *)files;
    int verdict = enter(disk, FAKE_LOCK);
    return (int)leave(disk, IS_OVER(verdict) ? RESULT_OVER(verdict) : fake_do_lock(disk, fd));
}

static int
table_rename(struct files *files, const char *from, const char *to)
{
    struct fake_disk *disk = (struct fake_disk *)files;
    int verdict = enter(disk, FAKE_RENAME);
    return (int)leave(
        disk, IS_OVER(verdict) ? RESULT_OVER(verdict) : fake_do_rename(disk, from, to));
}

static int
table_unlink(struct files *files, const char *path)
{
    struct fake_disk *disk = (struct fake_disk *)files;
    int verdict = enter(disk, FAKE_UNLINK);
    return (int)leave(disk, IS_OVER(verdict) ? RESULT_OVER(verdict) : fake_do_unlink(disk, path));
}

static int
table_mkdir(struct files *files, const char *path, mode_t mode)
{
    struct fake_disk *disk = (struct fake_disk *)files;
    (void)mode;
    int verdict = enter(disk, FAKE_MKDIR);
    if (IS_OVER(verdict)) {
        return (int)leave(disk, RESULT_OVER(verdict));
    }
    int result = fake_walk(disk, path, NULL) != NO_NODE
                     ? -EEXIST
                     : fake_make_node(disk, path, NODE_DIRECTORY);
    return (int)leave(disk, result < 0 ? result : 0);
}

static int
table_list(struct files *files, const char *path, files_list_fn *each, void *context)
{
    struct fake_disk *disk = (struct fake_disk *)files;
    int verdict = enter(disk, FAKE_LIST_DIRECTORY);
    if (!IS_OVER(verdict) && disk->after != NULL) {
        disk->after(disk->context); /* `each` is the caller's */
        return fake_do_list(disk, path, each, context);
    }
    return (int)leave(
        disk, IS_OVER(verdict) ? RESULT_OVER(verdict) : fake_do_list(disk, path, each, context));
}

static const struct files table = {
    .open = table_open,
    .close = table_close,
    .pread = table_pread,
    .pwrite = table_pwrite,
    .fdatasync = table_fdatasync,
    .fsync = table_fsync,
    .ftruncate = table_ftruncate,
    .size = table_size,
    .lock = table_lock,
    .rename = table_rename,
    .unlink = table_unlink,
    .mkdir = table_mkdir,
    .list = table_list,
};

struct fake_disk *
fake_disk_new(void)
{
    struct fake_disk *disk = malloc(sizeof *disk);
    size_t count_max = 0;
    if (disk == NULL) {
        abort();
    }
    *disk = (struct fake_disk){.files = table, .capacity = INT64_MAX};
    disk->nodes = fake_grow(NULL, 0, &count_max, sizeof *disk->nodes);
    disk->node_count_max = (int)count_max;
    disk->nodes[0] = (struct node){.kind = NODE_DIRECTORY, .locked_by = -1};
    disk->node_count = 1;
    return disk;
}

struct files *
fake_disk_files(struct fake_disk *disk)
{
    return &disk->files;
}
