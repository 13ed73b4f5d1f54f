#include "fuzz/records.h"

#include "fuzz/target.h"

#include <fcntl.h>
#include <string.h>

enum {
    COPY_RECORD_MAX = 128 * 1024
};

void
records_each_seal(const uint8_t *data, size_t size, records_fn *each)
{
    uint8_t *sealed = malloc(size + 1);
    uint8_t *before = malloc(size + 1);
    REQUIRE(sealed != NULL && before != NULL);
    if (size > 0) {
        memcpy(sealed, data, size);
    }
    for (enum seal seal = SEAL_NONE; seal < SEAL_COUNT; seal++) {
        memcpy(before, sealed, size);
        seal_records(sealed, size, seal);
        if (seal != SEAL_NONE && memcmp(before, sealed, size) == 0) {
            continue; /* these bytes were seen */
        }
        struct fake_disk *disk = fake_disk_new();
        fake_disk_put(disk, "input", sealed, size);
        each(disk);
        fake_disk_free(&disk);
    }
    free(before);
    free(sealed);
}

/* Every fourth change is one of whole records. */
size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
    return seed % 4 == 0 ? seal_shuffle(data, size, size_max, seed)
                         : LLVMFuzzerMutate(data, size, size_max);
}

static int
load_record(void *context, uint64_t number, const msgpack_object *body, int64_t offset,
    struct diagnostic *diagnostic)
{
    const struct store_fold *fold = context;
    (void)number;
    (void)offset;
    return fold->load(fold->state, body, diagnostic);
}

static void
save(struct fake_disk *disk, const char *name, const struct store_fold *fold)
{
    struct snapshot *snapshot = malloc(sizeof *snapshot);
    struct journal_header header = {.generation = 1, .first = 1};
    snprintf(header.kind, sizeof header.kind, "%s snapshot", fold->kind);
    REQUIRE(snapshot != NULL);
    REQUIRE(snapshot_create(snapshot, fake_disk_files(disk), ".", name, &header) == 0);
    REQUIRE(fold->save(fold->state, snapshot) == 0);
    REQUIRE(snapshot_commit(snapshot) == 0);
    free(snapshot);
}

bool
records_equal(const struct fake_disk *disk, const char *one, const char *other)
{
    size_t size = 0;
    size_t other_size = 0;
    const unsigned char *data = fake_disk_get(disk, one, &size);
    const unsigned char *other_data = fake_disk_get(disk, other, &other_size);
    REQUIRE(data != NULL && other_data != NULL);
    return size == other_size && memcmp(data, other_data, size) == 0;
}

void
records_check_state(struct fake_disk *disk, const char *name, const struct store_fold *fold,
    const struct store_fold *other)
{
    struct journal_header header;
    struct diagnostic diagnostic = {""};
    save(disk, name, fold);
    REQUIRE(snapshot_read(fake_disk_files(disk), name, load_record, (void *)(uintptr_t)other,
                &header, &diagnostic) == 0);
    save(disk, "again", other);
    REQUIRE(records_equal(disk, name, "again"));
}

/* Passes records on, and packs each into a copy of the journal. */
struct copier {
    journal_record_fn *each;
    void *context;
    const unsigned char *data; /* of the input */
    size_t size;
    struct journal journal;
    uint64_t count;
    bool is_canonical; /* every body so far is in its shortest form */
};

static int
copy_record(void *context, uint64_t number, const msgpack_object *body, int64_t offset,
    struct diagnostic *diagnostic)
{
    struct copier *copier = context;
    struct journal *journal = &copier->journal;
    int64_t start = journal->offset;
    REQUIRE(number == journal->next && offset >= 0 && (size_t)offset < copier->size);
    msgpack_pack_object(journal_begin(journal), *body);
    REQUIRE(journal_append(journal) == 0);
    copier->count++;
    size_t body_size = (size_t)(journal->offset - start) - 10 - 18;
    copier->is_canonical =
        copier->is_canonical && offset == start && body_size < copier->size - (size_t)offset - 10 &&
        memcmp(copier->data + offset + 10, journal->record.data + 10, body_size) == 0;
    return copier->each(copier->context, number, body, offset, diagnostic);
}

static int
count_record(void *context, uint64_t number, const msgpack_object *body, int64_t offset,
    struct diagnostic *diagnostic)
{
    uint64_t *count = context;
    (void)number;
    (void)body;
    (void)offset;
    (void)diagnostic;
    ++*count;
    return 0;
}

/* Holds the summary against the bytes of the file. */
static void
check_summary(const struct copier *copier, const struct journal_summary *summary)
{
    size_t end = (size_t)summary->end;
    size_t end_torn = (size_t)summary->end_torn;
    REQUIRE(summary->end > 0 && end <= end_torn && end_torn <= copier->size);
    REQUIRE(summary->next == summary->header.first + copier->count);
    REQUIRE((summary->tail == JOURNAL_TORN) == (end < end_torn));
    REQUIRE(end == end_torn || copier->data[end_torn - 1] != 0);
    for (size_t i = end_torn; i < copier->size; i++) {
        REQUIRE(copier->data[i] == 0);
    }
    REQUIRE(memcmp(summary->previous, copier->data + end - CHECKSUM_SIZE, CHECKSUM_SIZE) == 0 ||
            copier->count == 0);
}

/* Reads the copy: it has the same records, and, of records in shortest form, the same bytes. */
static void
check_copy(struct fake_disk *disk, const struct copier *copier, int64_t end)
{
    struct journal_summary summary;
    struct diagnostic diagnostic = {""};
    uint64_t count = 0;
    size_t size = 0;
    REQUIRE(journal_read(
                fake_disk_files(disk), "copy", count_record, &count, &summary, &diagnostic) == 0);
    REQUIRE(count == copier->count && summary.tail == JOURNAL_ENDS);
    const unsigned char *copy = fake_disk_get(disk, "copy", &size);
    if (copier->is_canonical) {
        REQUIRE(size == (size_t)end && memcmp(copy, copier->data, size) == 0);
    }
}

/* Begins the copy. Returns false when the header of the input is bad. */
static bool
begin_copy(struct fake_disk *disk, struct copier *copier)
{
    struct files *files = fake_disk_files(disk);
    struct journal_header header;
    struct diagnostic diagnostic = {""};
    int fd = -1;
    if (journal_read_header(files, "input", &header, &diagnostic) != 0) {
        REQUIRE(diagnostic.text[0] != '\0');
        return false;
    }
    REQUIRE(header.first >= 1 && header.first <= NUMBER_MAX);
    REQUIRE(files_open(files, "copy", O_RDWR | O_CREAT | O_TRUNC, &fd) == 0);
    REQUIRE(journal_start(&copier->journal, files, fd, 0, COPY_RECORD_MAX, &header) == 0);
    size_t size = (size_t)copier->journal.offset;
    copier->is_canonical =
        size <= copier->size && memcmp(copier->data, copier->journal.record.data, size) == 0;
    return true;
}

bool
records_check_journal(struct fake_disk *disk, journal_record_fn *each, void *context)
{
    struct copier copier = {.each = each, .context = context};
    struct journal_summary summary = {.next = 0};
    struct diagnostic diagnostic = {""};
    copier.data = fake_disk_get(disk, "input", &copier.size);
    bool has_header = begin_copy(disk, &copier);
    int error = journal_read(fake_disk_files(disk), "input", has_header ? copy_record : NULL,
        &copier, &summary, &diagnostic);
    REQUIRE(error == 0 || (error == ERROR_DAMAGED && diagnostic.text[0] != '\0'));
    REQUIRE(has_header || error != 0);
    if (has_header) {
        journal_close(&copier.journal, false);
    }
    if (error == 0) {
        check_summary(&copier, &summary);
        check_copy(disk, &copier, summary.end);
    }
    return error == 0;
}
