#include "support/fake_disk.h"

#include "support/fake_disk_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Bytes. */

static void
zero_behind(struct content *content, int64_t size)
{
    if (size < content->room) {
        memset(content->data + size, 0, (size_t)(content->room - size));
    }
}

static void
note_resize(struct node *node, int64_t size)
{
    node->resizes = fake_grow(
        node->resizes, node->resize_count, &node->resize_count_max, sizeof *node->resizes);
    node->resizes[node->resize_count++] =
        (struct resize){.size = size, .shrinks = size < node->content.size};
}

static void
note_sectors(struct node *node, int64_t offset, int64_t end)
{
    size_t shrinks = 0;
    for (size_t i = 0; i < node->resize_count; i++) {
        shrinks += node->resizes[i].shrinks;
    }
    for (int64_t sector = offset / SECTOR_SIZE; sector * SECTOR_SIZE < end; sector++) {
        node->versions = fake_grow(
            node->versions, node->version_count, &node->version_count_max, sizeof *node->versions);
        struct version *version = &node->versions[node->version_count++];
        version->sector = sector;
        version->shrinks = shrinks;
        version->lost = false;
        memcpy(version->bytes, node->content.data + sector * SECTOR_SIZE, SECTOR_SIZE);
    }
}

static void
write_bytes(struct node *node, const void *data, size_t size, int64_t offset)
{
    int64_t end = offset + (int64_t)size;
    fake_content_reserve(&node->content, end);
    memcpy(node->content.data + offset, data, size);
    note_sectors(node, offset, end);
    if (end > node->content.size) {
        note_resize(node, end);
        node->content.size = end;
    }
}

/* Keeps the bytes of a file that loses them, if there are any but zeros at its start. */
static void
bury(struct fake_disk *disk, const struct content *content)
{
    if (content->size > 0 && content->data[0] != 0) {
        fake_content_reserve(&disk->old_bytes, content->size);
        memcpy(disk->old_bytes.data, content->data, (size_t)content->size);
        disk->old_bytes.size = content->size;
    }
}

static void
resize(struct fake_disk *disk, struct node *node, int64_t size)
{
    if (size == node->content.size) {
        return;
    }
    note_resize(node, size);
    if (size < node->content.size) {
        bury(disk, &node->content);
        zero_behind(&node->content, size);
    } else {
        fake_content_reserve(&node->content, size);
    }
    node->content.size = size;
}

/* Makes the sector of a version as it is seen now, and drops all versions of it. */
static void
sync_sector(struct node *node, int64_t sector)
{
    int64_t offset = sector * SECTOR_SIZE;
    if (offset < node->content.room) {
        fake_content_reserve(&node->synced, offset + SECTOR_SIZE);
        memcpy(node->synced.data + offset, node->content.data + offset, SECTOR_SIZE);
    }
}

/* Was the sector of version `number`, which a failed sync has lost, written again since? */
static bool
is_written_again(const struct node *node, size_t number)
{
    for (size_t i = number + 1; i < node->version_count; i++) {
        if (node->versions[i].sector == node->versions[number].sector && !node->versions[i].lost) {
            return true;
        }
    }
    return false;
}

/* Was anything written behind the size that is synced? What is synced can be read again, so the
 * size becomes durable with it, whatever a sync has lost before. */
static bool
is_written_behind(const struct node *node)
{
    for (size_t i = 0; i < node->version_count; i++) {
        if (!node->versions[i].lost &&
            (node->versions[i].sector + 1) * SECTOR_SIZE > node->synced.size) {
            return node->content.size > node->synced.size;
        }
    }
    return false;
}

static void
sync_file(struct node *node)
{
    size_t kept = 0;
    bool resized = is_written_behind(node);
    for (size_t i = 0; i < node->resize_count; i++) {
        if (node->resizes[i].lost) {
            node->resizes[kept++] = node->resizes[i];
        } else {
            resized = true;
            if (node->resizes[i].shrinks) {
                zero_behind(&node->synced, node->resizes[i].size);
            }
        }
    }
    node->resize_count = resized ? 0 : kept;
    kept = 0;
    for (size_t i = 0; i < node->version_count; i++) {
        if (!node->versions[i].lost) {
            sync_sector(node, node->versions[i].sector);
        } else if (!is_written_again(node, i)) {
            memmove(&node->versions[kept++], &node->versions[i], sizeof node->versions[i]);
        }
    }
    node->version_count = kept;
    if (resized) {
        fake_content_reserve(&node->synced, node->content.size);
        node->synced.size = node->content.size;
    }
}

static void
sync_directory(struct node *node)
{
    for (size_t i = 0; i < node->change_count; i++) {
        fake_entries_change(&node->synced_entries, &node->changes[i]);
    }
    node->change_count = 0;
}

void
fake_lose_unsynced(struct node *node)
{
    for (size_t i = 0; i < node->version_count; i++) {
        node->versions[i].lost = true;
    }
    for (size_t i = 0; i < node->resize_count; i++) {
        node->resizes[i].lost = true;
    }
}

/* Names. */

int
fake_walk(const struct fake_disk *disk, const char *path, char name[ENTRY_NAME_SIZE])
{
    int at = 0;
    char part[ENTRY_NAME_SIZE] = "";
    if (name != NULL) {
        name[0] = '\0';
    }
    while (*path != '\0') {
        size_t size = strcspn(path, "/");
        if (size >= sizeof part) {
            return NO_NODE;
        }
        memcpy(part, path, size);
        part[size] = '\0';
        path += size + strspn(path + size, "/");
        if (size == 0 || strcmp(part, ".") == 0) {
            continue;
        }
        if (disk->nodes[at].kind != NODE_DIRECTORY) {
            return NO_NODE;
        }
        if (*path == '\0' && name != NULL) {
            memcpy(name, part, sizeof part);
            return at;
        }
        const struct entry *entry = fake_entries_find(&disk->nodes[at].entries, part);
        if (entry == NULL) {
            return NO_NODE;
        }
        at = entry->node;
    }
    return at;
}

static void
change_names(struct fake_disk *disk, int directory, const char *from, const char *to, int node)
{
    struct node *parent = &disk->nodes[directory];
    struct change change = {.node = node};
    memcpy(change.from, from, strlen(from) + 1);
    memcpy(change.to, to, strlen(to) + 1);
    parent->changes = fake_grow(
        parent->changes, parent->change_count, &parent->change_count_max, sizeof *parent->changes);
    parent->changes[parent->change_count++] = change;
    fake_entries_change(&parent->entries, &change);
}

static int
add_node(struct fake_disk *disk, enum node_kind kind)
{
    int number = 1;
    while (number < disk->node_count && disk->nodes[number].kind != NODE_NONE) {
        number++;
    }
    if (number >= disk->node_count) {
        size_t count_max = (size_t)disk->node_count_max;
        disk->nodes =
            fake_grow(disk->nodes, (size_t)disk->node_count, &count_max, sizeof *disk->nodes);
        disk->node_count_max = (int)count_max;
        number = disk->node_count++;
    }
    disk->nodes[number] = (struct node){.kind = kind, .locked_by = -1};
    return number;
}

static bool
is_full(const struct fake_disk *disk)
{
    return disk->capacity != INT64_MAX && fake_disk_used(disk) >= disk->capacity;
}

int
fake_make_node(struct fake_disk *disk, const char *path, enum node_kind kind)
{
    char name[ENTRY_NAME_SIZE];
    int parent = fake_walk(disk, path, name);
    if (parent == NO_NODE) {
        return -ENOENT;
    }
    if (is_full(disk)) {
        return -ENOSPC;
    }
    int number = add_node(disk, kind);
    change_names(disk, parent, "", name, number);
    return number;
}

static int
add_descriptor(struct fake_disk *disk, int node)
{
    int fd = 0;
    while (fd < disk->descriptor_count && disk->descriptors[fd] != NO_NODE) {
        fd++;
    }
    if (fd == disk->descriptor_count) {
        size_t count_max = (size_t)disk->descriptor_count_max;
        disk->descriptors =
            fake_grow(disk->descriptors, (size_t)fd, &count_max, sizeof *disk->descriptors);
        disk->descriptor_count_max = (int)count_max;
        disk->descriptor_count++;
    }
    disk->descriptors[fd] = node;
    return fd;
}

struct node *
fake_node_of(struct fake_disk *disk, int fd)
{
    if (fd < 0 || fd >= disk->descriptor_count || disk->descriptors[fd] == NO_NODE) {
        return NULL;
    }
    return &disk->nodes[disk->descriptors[fd]];
}

/* The calls, each as it is when nothing is in its way. */

int
fake_do_open(struct fake_disk *disk, const char *path, int flags)
{
    int number = fake_walk(disk, path, NULL);
    if (number == NO_NODE) {
        number = (flags & O_CREAT) != 0 ? fake_make_node(disk, path, NODE_FILE) : -ENOENT;
        if (number < 0) {
            return number;
        }
    } else if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) {
        return -EEXIST;
    }
    struct node *node = &disk->nodes[number];
    if ((flags & O_DIRECTORY) != 0 && node->kind != NODE_DIRECTORY) {
        return -ENOTDIR;
    }
    if ((flags & O_ACCMODE) != O_RDONLY && node->kind != NODE_FILE) {
        return -EISDIR;
    }
    if ((flags & O_TRUNC) != 0) {
        resize(disk, node, 0);
    }
    return add_descriptor(disk, number);
}

void
fake_do_close(struct fake_disk *disk, int fd)
{
    struct node *node = fake_node_of(disk, fd);
    if (node != NULL) {
        if (node->locked_by == fd) {
            node->locked_by = -1;
        }
        disk->descriptors[fd] = NO_NODE;
        fake_collect(disk);
    }
}

ssize_t
fake_do_pread(struct fake_disk *disk, int fd, void *data, size_t size, int64_t offset)
{
    const struct node *node = fake_node_of(disk, fd);
    if (node == NULL || node->kind != NODE_FILE) {
        return node == NULL ? -EBADF : -EISDIR;
    }
    int64_t left = node->content.size - offset;
    if (left <= 0 || size == 0) {
        return 0;
    }
    size_t got = (int64_t)size < left ? size : (size_t)left;
    memcpy(data, node->content.data + offset, got);
    return (ssize_t)got;
}

ssize_t
fake_do_pwrite(struct fake_disk *disk, int fd, const void *data, size_t size, int64_t offset)
{
    struct node *node = fake_node_of(disk, fd);
    if (node == NULL || node->kind != NODE_FILE) {
        return -EBADF;
    }
    if (disk->capacity != INT64_MAX) {
        int64_t end_max = node->content.size + disk->capacity - fake_disk_used(disk);
        end_max = end_max < node->content.size ? node->content.size : end_max;
        int64_t room = end_max - offset;
        if (room <= 0) {
            return -ENOSPC;
        }
        size = (int64_t)size < room ? size : (size_t)room;
    }
    if (size > 0) {
        write_bytes(node, data, size, offset);
    }
    return (ssize_t)size;
}

int
fake_do_sync(struct fake_disk *disk, int fd)
{
    struct node *node = fake_node_of(disk, fd);
    if (node == NULL) {
        return -EBADF;
    }
    if (node->kind == NODE_FILE) {
        sync_file(node);
    } else {
        sync_directory(node);
        fake_collect(disk);
    }
    return 0;
}

int
fake_do_ftruncate(struct fake_disk *disk, int fd, int64_t size)
{
    struct node *node = fake_node_of(disk, fd);
    if (node == NULL || node->kind != NODE_FILE) {
        return -EBADF;
    }
    if (size > node->content.size && disk->capacity != INT64_MAX &&
        size - node->content.size > disk->capacity - fake_disk_used(disk)) {
        return -ENOSPC;
    }
    resize(disk, node, size);
    return 0;
}

int
fake_do_lock(struct fake_disk *disk, int fd)
{
    struct node *node = fake_node_of(disk, fd);
    if (node == NULL) {
        return -EBADF;
    }
    if (node->locked_by >= 0 && node->locked_by != fd) {
        return -EWOULDBLOCK;
    }
    node->locked_by = fd;
    return 0;
}

int
fake_do_rename(struct fake_disk *disk, const char *from, const char *to)
{
    char from_name[ENTRY_NAME_SIZE];
    char to_name[ENTRY_NAME_SIZE];
    int parent = fake_walk(disk, from, from_name);
    int number = fake_walk(disk, from, NULL);
    if (number == NO_NODE || fake_walk(disk, to, to_name) == NO_NODE) {
        return -ENOENT;
    }
    if (fake_walk(disk, to, to_name) != parent) {
        return -EXDEV;
    }
    const struct entry *old = fake_entries_find(&disk->nodes[parent].entries, to_name);
    if (old != NULL && disk->nodes[old->node].kind == NODE_FILE) {
        bury(disk, &disk->nodes[old->node].content);
    }
    change_names(disk, parent, from_name, to_name, number);
    return 0;
}

int
fake_do_unlink(struct fake_disk *disk, const char *path)
{
    char name[ENTRY_NAME_SIZE];
    int number = fake_walk(disk, path, NULL);
    if (number == NO_NODE) {
        return -ENOENT;
    }
    if (disk->nodes[number].kind != NODE_FILE) {
        return -EISDIR;
    }
    bury(disk, &disk->nodes[number].content);
    change_names(disk, fake_walk(disk, path, name), name, "", NO_NODE);
    return 0;
}

int
fake_do_list(struct fake_disk *disk, const char *path, files_list_fn *each, void *context)
{
    int number = fake_walk(disk, path, NULL);
    if (number == NO_NODE) {
        return -ENOENT;
    }
    if (disk->nodes[number].kind != NODE_DIRECTORY) {
        return -ENOTDIR;
    }
    const struct entries *entries = &disk->nodes[number].entries;
    for (size_t i = 0; i < entries->count; i++) {
        each(context, entries->rows[i].name);
    }
    return 0;
}

const unsigned char *
fake_disk_get(const struct fake_disk *disk, const char *path, size_t *size)
{
    int number = fake_walk(disk, path, NULL);
    if (number == NO_NODE || disk->nodes[number].kind != NODE_FILE) {
        return NULL;
    }
    *size = (size_t)disk->nodes[number].content.size;
    return disk->nodes[number].content.data != NULL ? disk->nodes[number].content.data
                                                    : (const unsigned char *)"";
}

void
fake_disk_put(struct fake_disk *disk, const char *path, const void *data, size_t size)
{
    char name[ENTRY_NAME_SIZE];
    int fd = fake_do_open(disk, path, O_RDWR | O_CREAT);
    struct node *node = fake_node_of(disk, fd);
    if (node == NULL) {
        abort();
    }
    resize(disk, node, 0);
    if (size > 0) {
        write_bytes(node, data, size, 0);
    }
    sync_file(node);
    sync_directory(&disk->nodes[fake_walk(disk, path, name)]);
    fake_do_close(disk, fd);
}
