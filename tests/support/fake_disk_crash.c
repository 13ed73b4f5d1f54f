#include "support/fake_disk_state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void *
fake_grow(void *rows, size_t count, size_t *count_max, size_t row_size)
{
    if (count < *count_max) {
        return rows;
    }
    *count_max = *count_max == 0 ? 4 : *count_max * 2;
    rows = realloc(rows, *count_max * row_size);
    if (rows == NULL) {
        abort();
    }
    return rows;
}

void
fake_content_reserve(struct content *content, int64_t size)
{
    if (size > content->room) {
        int64_t room = (size + size / 4 + SECTOR_SIZE - 1) / SECTOR_SIZE * SECTOR_SIZE;
        content->data = realloc(content->data, (size_t)room);
        if (content->data == NULL) {
            abort();
        }
        memset(content->data + content->room, 0, (size_t)(room - content->room));
        content->room = room;
    }
}

/* Names. */

struct entry *
fake_entries_find(const struct entries *entries, const char *name)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (strcmp(entries->rows[i].name, name) == 0) {
            return &entries->rows[i];
        }
    }
    return NULL;
}

static void
set_entry(struct entries *entries, const char *name, int node)
{
    struct entry *there = fake_entries_find(entries, name);
    if (there != NULL) {
        there->node = node;
        return;
    }
    entries->rows =
        fake_grow(entries->rows, entries->count, &entries->count_max, sizeof *entries->rows);
    size_t at = entries->count++;
    while (at > 0 && strcmp(entries->rows[at - 1].name, name) > 0) {
        entries->rows[at] = entries->rows[at - 1];
        at--;
    }
    entries->rows[at].node = node;
    memcpy(entries->rows[at].name, name, strlen(name) + 1);
}

void
fake_entries_change(struct entries *entries, const struct change *change)
{
    struct entry *from = change->from[0] == '\0' ? NULL : fake_entries_find(entries, change->from);
    if (from != NULL) {
        size_t behind = (size_t)(entries->rows + entries->count - from) - 1;
        memmove(from, from + 1, behind * sizeof *from);
        entries->count--;
    }
    if (change->to[0] != '\0') {
        set_entry(entries, change->to, change->node);
    }
}

void
fake_entries_copy(struct entries *to, const struct entries *from)
{
    to->count = 0;
    for (size_t i = 0; i < from->count; i++) {
        set_entry(to, from->rows[i].name, from->rows[i].node);
    }
}

/* The life of nodes. */

static void
free_node(struct node *node)
{
    free(node->content.data);
    free(node->synced.data);
    free(node->versions);
    free(node->resizes);
    free(node->entries.rows);
    free(node->synced_entries.rows);
    free(node->changes);
    *node = (struct node){.kind = NODE_NONE, .locked_by = -1};
}

static void
mark(const struct fake_disk *disk, int number, bool *marks)
{
    if (number == NO_NODE || marks[number]) {
        return;
    }
    const struct node *node = &disk->nodes[number];
    marks[number] = true;
    for (size_t i = 0; i < node->entries.count; i++) {
        mark(disk, node->entries.rows[i].node, marks);
    }
    for (size_t i = 0; i < node->synced_entries.count; i++) {
        mark(disk, node->synced_entries.rows[i].node, marks);
    }
    for (size_t i = 0; i < node->change_count; i++) {
        mark(disk, node->changes[i].node, marks);
    }
}

void
fake_collect(struct fake_disk *disk)
{
    bool *marks = calloc((size_t)disk->node_count, sizeof *marks);
    if (marks == NULL) {
        abort();
    }
    mark(disk, 0, marks);
    for (int fd = 0; fd < disk->descriptor_count; fd++) {
        mark(disk, disk->descriptors[fd], marks);
    }
    for (int i = 0; i < disk->node_count; i++) {
        if (!marks[i] && disk->nodes[i].kind != NODE_NONE) {
            free_node(&disk->nodes[i]);
        }
    }
    free(marks);
}

void
fake_disk_free(struct fake_disk **disk)
{
    if (*disk != NULL) {
        for (int i = 0; i < (*disk)->node_count; i++) {
            free_node(&(*disk)->nodes[i]);
        }
        free((*disk)->nodes);
        free((*disk)->descriptors);
        free((*disk)->old_bytes.data);
        free(*disk);
        *disk = NULL;
    }
}

static void *
copy(const void *rows, size_t size)
{
    if (rows == NULL || size == 0) {
        return NULL;
    }
    void *result = malloc(size);
    if (result == NULL) {
        abort();
    }
    return memcpy(result, rows, size);
}

static void
copy_node(struct node *to, const struct node *from)
{
    *to = *from;
    to->content.data = copy(from->content.data, (size_t)from->content.room);
    to->synced.data = copy(from->synced.data, (size_t)from->synced.room);
    to->versions = copy(from->versions, from->version_count * sizeof *from->versions);
    to->version_count_max = from->version_count;
    to->resizes = copy(from->resizes, from->resize_count * sizeof *from->resizes);
    to->resize_count_max = from->resize_count;
    to->entries.rows = copy(from->entries.rows, from->entries.count * sizeof(struct entry));
    to->entries.count_max = from->entries.count;
    to->synced_entries.rows =
        copy(from->synced_entries.rows, from->synced_entries.count * sizeof(struct entry));
    to->synced_entries.count_max = from->synced_entries.count;
    to->changes = copy(from->changes, from->change_count * sizeof *from->changes);
    to->change_count_max = from->change_count;
}

struct fake_disk *
fake_disk_clone(const struct fake_disk *disk)
{
    struct fake_disk *result = copy(disk, sizeof *disk);
    result->nodes = copy(disk->nodes, (size_t)disk->node_count * sizeof *disk->nodes);
    result->node_count_max = disk->node_count;
    for (int i = 0; i < disk->node_count; i++) {
        copy_node(&result->nodes[i], &disk->nodes[i]);
    }
    result->descriptors =
        copy(disk->descriptors, (size_t)disk->descriptor_count * sizeof *disk->descriptors);
    result->descriptor_count_max = disk->descriptor_count;
    result->old_bytes.data = copy(disk->old_bytes.data, (size_t)disk->old_bytes.room);
    fake_disk_set_hooks(result, NULL, NULL, NULL);
    return result;
}

void
fake_disk_set_hooks(
    struct fake_disk *disk, fake_disk_before_fn *before, fake_disk_after_fn *after, void *context)
{
    disk->before = before;
    disk->after = after;
    disk->context = context;
}

void
fake_disk_set_capacity(struct fake_disk *disk, int64_t capacity)
{
    disk->capacity = capacity;
}

int64_t
fake_disk_used(const struct fake_disk *disk)
{
    int64_t used = 0;
    bool *marks = calloc((size_t)disk->node_count, sizeof *marks);
    if (marks == NULL) {
        abort();
    }
    for (int fd = 0; fd < disk->descriptor_count; fd++) {
        if (disk->descriptors[fd] != NO_NODE) {
            marks[disk->descriptors[fd]] = true;
        }
    }
    for (int i = 0; i < disk->node_count; i++) {
        const struct entries *entries = &disk->nodes[i].entries;
        for (size_t n = 0; n < entries->count; n++) {
            marks[entries->rows[n].node] = true;
        }
    }
    for (int i = 0; i < disk->node_count; i++) {
        used += marks[i] ? disk->nodes[i].content.size : 0;
    }
    free(marks);
    return used;
}

uint64_t
fake_disk_calls(const struct fake_disk *disk)
{
    return disk->calls;
}

bool
fake_disk_is_down(const struct fake_disk *disk)
{
    return disk->is_down;
}

void
fake_disk_kill(struct fake_disk *disk)
{
    disk->is_down = false;
    disk->descriptor_count = 0;
    for (int i = 0; i < disk->node_count; i++) {
        disk->nodes[i].locked_by = -1;
    }
    fake_collect(disk);
}

/* Power loss. */

static size_t
count_shrinks(const struct node *node, size_t resizes)
{
    size_t shrinks = 0;
    for (size_t i = 0; i < resizes; i++) {
        shrinks += node->resizes[i].shrinks;
    }
    return shrinks;
}

/* Zeroes what the shrinking changes from the `first` to before the `end`th cut off `sector`. */
static void
cut_sector(const struct node *node, size_t first, size_t end, int64_t sector, unsigned char *bytes)
{
    size_t shrink = 0;
    for (size_t i = 0; i < node->resize_count; i++) {
        if (!node->resizes[i].shrinks) {
            continue;
        }
        int64_t left = node->resizes[i].size - sector * SECTOR_SIZE;
        if (shrink >= first && shrink < end && left < SECTOR_SIZE) {
            left = left < 0 ? 0 : left;
            memset(bytes + left, 0, (size_t)(SECTOR_SIZE - left));
        }
        shrink++;
    }
}

/* What a sector holds that was given to a file and never written: zeros, or old bytes. */
static void
fill_fresh(const struct fake_disk *disk, int64_t sector, bool stale, unsigned char *bytes)
{
    memset(bytes, stale ? 0xa5 : 0, SECTOR_SIZE);
    const struct content *old = &disk->old_bytes;
    int64_t offset = sector * SECTOR_SIZE;
    if (stale && offset < old->size) {
        int64_t left = old->size - offset;
        memcpy(bytes, old->data + offset, left < SECTOR_SIZE ? (size_t)left : SECTOR_SIZE);
    }
}

static int
compare_versions(const void *a, const void *b)
{
    const struct version *x = *(const struct version *const *)a;
    const struct version *y = *(const struct version *const *)b;
    if (x->sector != y->sector) {
        return x->sector < y->sector ? -1 : 1;
    }
    return (x > y) - (x < y);
}

/*
 * Picks what `sector` holds. `versions` are its `count` versions, oldest first; `shrinks` changes
 * that made the file smaller have reached the disk.
 */
static void
pick_sector(const struct fake_disk *disk, const struct node *node, struct choices *choices,
    const struct version *const *versions, size_t count, size_t shrinks, unsigned char *bytes)
{
    int64_t sector = versions[0]->sector;
    int64_t synced_size = node->synced.size;
    size_t shrink = 0;
    for (size_t i = 0; shrink < shrinks; i++) {
        if (node->resizes[i].shrinks) {
            shrink++;
            synced_size = node->resizes[i].size < synced_size ? node->resizes[i].size : synced_size;
        }
    }
    bool is_fresh = sector * SECTOR_SIZE >= synced_size;
    while (count > 0 && versions[count - 1]->shrinks > shrinks) {
        count--; /* written after a change of size that did not reach the disk */
    }
    size_t others = is_fresh ? 2 : 1;
    size_t choice = choices_pick(choices, count + others);
    if (choice >= others) {
        const struct version *version = versions[choice - others];
        memcpy(bytes, version->bytes, SECTOR_SIZE);
        cut_sector(node, version->shrinks, shrinks, sector, bytes);
    } else if (is_fresh) {
        fill_fresh(disk, sector, choice == 1, bytes);
    } /* else as it was synced */
}

static void
crash_file(struct fake_disk *disk, struct node *node, struct choices *choices)
{
    struct content result = {.data = NULL};
    size_t resizes = choices_pick(choices, node->resize_count + 1);
    size_t shrinks = count_shrinks(node, resizes);
    result.size = resizes == 0 ? node->synced.size : node->resizes[resizes - 1].size;
    fake_content_reserve(&result, result.size);
    int64_t sectors = (result.size + SECTOR_SIZE - 1) / SECTOR_SIZE;
    for (int64_t sector = 0; sector < sectors && sector * SECTOR_SIZE < node->synced.room;
         sector++) {
        unsigned char *bytes = result.data + sector * SECTOR_SIZE;
        memcpy(bytes, node->synced.data + sector * SECTOR_SIZE, SECTOR_SIZE);
        cut_sector(node, 0, shrinks, sector, bytes);
    }
    const struct version **versions = NULL;
    if (node->version_count > 0) {
        versions = malloc(node->version_count * sizeof *versions);
        if (versions == NULL) {
            abort();
        }
        for (size_t i = 0; i < node->version_count; i++) {
            versions[i] = &node->versions[i];
        }
        qsort(versions, node->version_count, sizeof *versions, compare_versions);
    }
    size_t count = 0;
    for (size_t i = 0; i < node->version_count; i += count) {
        int64_t sector = versions[i]->sector;
        count = 1;
        while (i + count < node->version_count && versions[i + count]->sector == sector) {
            count++;
        }
        if (sector < sectors) {
            pick_sector(disk, node, choices, versions + i, count, shrinks,
                result.data + sector * SECTOR_SIZE);
        }
    }
    free(versions);
    if (result.size < result.room) {
        memset(result.data + result.size, 0, (size_t)(result.room - result.size));
    }
    free(node->content.data);
    free(node->synced.data);
    node->content = result;
    node->synced = result;
    node->synced.data = copy(result.data, (size_t)result.room);
    node->version_count = 0;
    node->resize_count = 0;
}

static void
crash_directory(struct node *node, struct choices *choices)
{
    for (size_t i = 0; i < node->change_count; i++) {
        if (choices_pick(choices, 2) == 1) {
            fake_entries_change(&node->synced_entries, &node->changes[i]);
        }
    }
    node->change_count = 0;
    fake_entries_copy(&node->entries, &node->synced_entries);
}

static void
crash_below(struct fake_disk *disk, int number, struct choices *choices)
{
    struct node *node = &disk->nodes[number];
    if (node->kind == NODE_FILE) {
        if (node->version_count > 0 || node->resize_count > 0) {
            crash_file(disk, node, choices);
        }
        return;
    }
    crash_directory(node, choices);
    for (size_t i = 0; i < node->entries.count; i++) {
        crash_below(disk, node->entries.rows[i].node, choices);
    }
}

void
fake_disk_crash(struct fake_disk *disk, struct choices *choices)
{
    crash_below(disk, 0, choices);
    fake_disk_kill(disk);
}

static uint64_t
times(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

uint64_t
fake_disk_crash_states(const struct fake_disk *disk)
{
    uint64_t states = 1;
    for (int i = 0; i < disk->node_count; i++) {
        const struct node *node = &disk->nodes[i];
        states = times(states, node->resize_count + 1);
        for (size_t n = 0; n < node->change_count; n++) {
            states = times(states, 2);
        }
        for (size_t n = 0; n < node->version_count; n++) {
            states = times(states, 3);
        }
    }
    return states;
}

/* Looking at it. */

static bool
equal_below(const struct fake_disk *a, int a_number, const struct fake_disk *b, int b_number)
{
    const struct node *x = &a->nodes[a_number];
    const struct node *y = &b->nodes[b_number];
    if (x->kind != y->kind || x->content.size != y->content.size ||
        x->entries.count != y->entries.count) {
        return false;
    }
    if (x->content.size > 0 &&
        memcmp(x->content.data, y->content.data, (size_t)x->content.size) != 0) {
        return false;
    }
    for (size_t i = 0; i < x->entries.count; i++) {
        if (strcmp(x->entries.rows[i].name, y->entries.rows[i].name) != 0 ||
            !equal_below(a, x->entries.rows[i].node, b, y->entries.rows[i].node)) {
            return false;
        }
    }
    return true;
}

bool
fake_disk_equal(const struct fake_disk *a, const struct fake_disk *b)
{
    return equal_below(a, 0, b, 0);
}

static uint64_t
hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    while (size > 0) {
        uint64_t word = 0;
        size_t part = size < sizeof word ? size : sizeof word;
        memcpy(&word, bytes, part);
        struct random_stream mix = {hash ^ word};
        hash = random_next(&mix);
        bytes += part;
        size -= part;
    }
    return hash;
}

static uint64_t
hash_below(const struct fake_disk *disk, int number, uint64_t hash)
{
    const struct node *node = &disk->nodes[number];
    hash = hash_bytes(hash, &node->content.size, sizeof node->content.size);
    hash = hash_bytes(hash, node->content.data, (size_t)node->content.size);
    for (size_t i = 0; i < node->entries.count; i++) {
        const struct entry *entry = &node->entries.rows[i];
        hash = hash_bytes(hash, entry->name, strlen(entry->name));
        hash = hash_below(disk, entry->node, hash);
    }
    return hash;
}

uint64_t
fake_disk_hash(const struct fake_disk *disk)
{
    return hash_below(disk, 0, 0);
}

static void
dump_below(const struct fake_disk *disk, int number, const char *name, int depth, FILE *out)
{
    const struct node *node = &disk->nodes[number];
    if (node->kind == NODE_FILE) {
        fprintf(out,
            "%*s%s: %" PRId64 " bytes, %" PRId64 " synced, %zu sectors and %zu sizes are not\n",
            depth * 2, "", name, node->content.size, node->synced.size, node->version_count,
            node->resize_count);
        return;
    }
    fprintf(out, "%*s%s/: %zu names, %zu synced, %zu changes are not\n", depth * 2, "", name,
        node->entries.count, node->synced_entries.count, node->change_count);
    for (size_t i = 0; i < node->entries.count; i++) {
        dump_below(disk, node->entries.rows[i].node, node->entries.rows[i].name, depth + 1, out);
    }
}

void
fake_disk_dump(const struct fake_disk *disk, FILE *out)
{
    dump_below(disk, 0, "", 0, out);
}
