/** fake_disk_state.h: what a fake disk is made of. For its own sources alone. */
#ifndef STOCKBUS_TESTS_FAKE_DISK_STATE_H
#define STOCKBUS_TESTS_FAKE_DISK_STATE_H

#include "support/fake_disk.h"

enum {
    SECTOR_SIZE = 512,
    ENTRY_NAME_SIZE = 64,
    NO_NODE = -1
};

/** Bytes of a file. Beyond `size` the room holds zeros, but for what is synced ahead of a size. */
struct content {
    unsigned char *data;
    int64_t size;
    int64_t room; /**< a multiple of SECTOR_SIZE */
};

/** A sector as a write left it. */
struct version {
    int64_t sector;
    size_t shrinks; /**< shrinking changes of size before it, since the last sync */
    bool lost;      /**< by a sync that failed */
    unsigned char bytes[SECTOR_SIZE];
};

/** A change of size. */
struct resize {
    int64_t size;
    bool shrinks;
    bool lost;
};

struct entry {
    char name[ENTRY_NAME_SIZE];
    int node;
};

struct entries {
    struct entry *rows; /**< ascending by name */
    size_t count;
    size_t count_max;
};

/** A change of names: `from` goes (unless empty), `to` (unless empty) stands for `node`. */
struct change {
    char from[ENTRY_NAME_SIZE];
    char to[ENTRY_NAME_SIZE];
    int node;
};

enum node_kind {
    NODE_NONE,
    NODE_FILE,
    NODE_DIRECTORY
};

/** A file or a directory. */
struct node {
    enum node_kind kind;
    struct content content; /**< of a file: what is seen */
    struct content synced;
    struct version *versions;
    size_t version_count;
    size_t version_count_max;
    struct resize *resizes;
    size_t resize_count;
    size_t resize_count_max;
    struct entries entries; /**< of a directory: what is seen */
    struct entries synced_entries;
    struct change *changes;
    size_t change_count;
    size_t change_count_max;
    int locked_by; /**< descriptor, or -1 */
};

struct fake_disk {
    struct files files; /**< first: the table finds its disk by it */
    struct node *nodes; /**< 0 is the root */
    int node_count;
    int node_count_max;
    int *descriptors; /**< node of each, or NO_NODE */
    int descriptor_count;
    int descriptor_count_max;
    int64_t capacity;
    uint64_t calls;
    bool is_down;
    struct content old_bytes; /**< of a file that is gone, for stale sectors */
    fake_disk_before_fn *before;
    fake_disk_after_fn *after;
    void *context;
};

/** Makes room in an array for one more row; ends the program when memory is short. */
void *
fake_grow(void *rows, size_t count, size_t *count_max, size_t row_size);

/** Gives `content` room for `size` bytes, zeroed. */
void
fake_content_reserve(struct content *content, int64_t size);

/** Returns the row of `name`, or NULL. */
struct entry *
fake_entries_find(const struct entries *entries, const char *name);

/** Makes the change in `entries`. */
void
fake_entries_change(struct entries *entries, const struct change *change);

/** Copies `from` over `to`. */
void
fake_entries_copy(struct entries *to, const struct entries *from);

/** Follows `path`. Returns its node or NO_NODE; with `name`, the directory of its last part, which
 * goes there. */
int
fake_walk(const struct fake_disk *disk, const char *path, char name[ENTRY_NAME_SIZE]);

/** Makes a file or a directory. Returns its node or a negative errno value. */
int
fake_make_node(struct fake_disk *disk, const char *path, enum node_kind kind);

/** Returns the node that `fd` is open on, or NULL. */
struct node *
fake_node_of(struct fake_disk *disk, int fd);

/** Sees to it that bytes of the node that are not synced never will be: a sync has failed. */
void
fake_lose_unsynced(struct node *node);

/* The calls, each as it is when nothing is in its way. */

int
fake_do_open(struct fake_disk *disk, const char *path, int flags);

void
fake_do_close(struct fake_disk *disk, int fd);

ssize_t
fake_do_pread(struct fake_disk *disk, int fd, void *data, size_t size, int64_t offset);

ssize_t
fake_do_pwrite(struct fake_disk *disk, int fd, const void *data, size_t size, int64_t offset);

int
fake_do_sync(struct fake_disk *disk, int fd);

int
fake_do_ftruncate(struct fake_disk *disk, int fd, int64_t size);

int
fake_do_lock(struct fake_disk *disk, int fd);

int
fake_do_rename(struct fake_disk *disk, const char *from, const char *to);

int
fake_do_unlink(struct fake_disk *disk, const char *path);

int
fake_do_list(struct fake_disk *disk, const char *path, files_list_fn *each, void *context);

/** Frees nodes that nothing leads to any more. */
void
fake_collect(struct fake_disk *disk);

#endif
