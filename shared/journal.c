#include "shared/journal.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBER_PACKED = 9,                   /* 0xcf and eight bytes */
    BODY_AT = 1 + NUMBER_PACKED,         /* behind the array's header and the number */
    CHECKSUM_PACKED = 2 + CHECKSUM_SIZE, /* bin 8 header and the bytes */
    RECORD_SIZE_MIN = BODY_AT + 1 + CHECKSUM_PACKED,
    PREFIX_SIZE = 2 * CHECKSUM_SIZE, /* salt and previous checksum, hashed before a record */
    ZERO_CHUNK_SIZE = 256 * 1024,
    HEADER_SIZE_MAX = 512,
    BODY_DEPTH_MAX = 16,
};

static const uint8_t no_checksum[CHECKSUM_SIZE];
static const struct guard_bounds body_bounds = {
    .depth_max = BODY_DEPTH_MAX, .elements_max = RECORD_SIZE_MAX};

/* Hashes a record that has the prefix of PREFIX_SIZE bytes right before it. */
static void
checksum(uint8_t *result, const unsigned char *prefix, size_t record_size)
{
    int failed =
        crypto_generichash(result, CHECKSUM_SIZE, prefix, PREFIX_SIZE + record_size, NULL, 0);
    assert(failed == 0);
}

static int
zero(struct files *files, const char *path, int64_t size, bool gently, int *fd)
{
    static const unsigned char zeros[ZERO_CHUNK_SIZE];
    int new_fd = -1;
    int error = files_open(files, path, O_RDWR | O_CREAT | O_TRUNC, &new_fd);
    if (error != 0) {
        return error;
    }
    for (int64_t offset = 0; error == 0 && offset < size; offset += ZERO_CHUNK_SIZE) {
        int64_t left = size - offset;
        size_t chunk = left < ZERO_CHUNK_SIZE ? (size_t)left : ZERO_CHUNK_SIZE;
        error = files_write(files, new_fd, zeros, chunk, offset);
        if (error == 0 && gently) {
            error = files_sync_data(files, new_fd);
        }
    }
    if (error == 0) {
        error = files_sync(files, new_fd);
    }
    if (error != 0) {
        files_close(files, &new_fd);
        (void)files_remove(files, path);
        return error;
    }
    *fd = new_fd;
    return 0;
}

int
journal_zero(struct files *files, const char *path, int64_t size, int *fd)
{
    return zero(files, path, size, false, fd);
}

int
journal_zero_gently(struct files *files, const char *path, int64_t size, int *fd)
{
    return zero(files, path, size, true, fd);
}

static void
pack_header(msgpack_packer *packer, const struct journal_header *header)
{
    msgpack_pack_map(packer, 5);
    pack_text(packer, "stockbus");
    pack_text(packer, header->kind);
    pack_uint_member(packer, "version", JOURNAL_VERSION);
    pack_text(packer, "history");
    pack_bytes(packer, header->history, sizeof header->history);
    pack_uint_member(packer, "generation", header->generation);
    pack_text(packer, "previous");
    pack_bytes(packer, header->previous, sizeof header->previous);
}

int
journal_start(struct journal *journal, struct files *files, int fd, int64_t size_zeroed,
    size_t record_size_max, const struct journal_header *header)
{
    assert(header->first >= 1 && record_size_max <= RECORD_SIZE_MAX);
    *journal = (struct journal){
        .files = files, .fd = fd, .next = header->first - 1, .size_zeroed = size_zeroed};
    journal->room = malloc(PREFIX_SIZE + record_size_max);
    if (journal->room == NULL || sodium_init() < 0) {
        journal_close(journal, false);
        return ERROR_MEMORY;
    }
    memset(journal->room, 0, PREFIX_SIZE);
    buffer_init(&journal->record, journal->room + PREFIX_SIZE, record_size_max);
    pack_into(&journal->packer, &journal->record);

    pack_header(journal_begin(journal), header);
    int error = journal_append(journal);
    if (error != 0) {
        journal_close(journal, false);
        return error;
    }
    memcpy(journal->room, journal->previous, CHECKSUM_SIZE);
    memcpy(journal->previous, header->previous, CHECKSUM_SIZE);
    return 0;
}

void
journal_close(struct journal *journal, bool cut)
{
    if (cut && journal->fd >= 0 && journal->offset < journal->size_zeroed) {
        /* Only saves space: the zeros say the same as the end of the file. */
        (void)files_resize(journal->files, journal->fd, journal->offset);
    }
    files_close(journal->files, &journal->fd);
    free(journal->room);
    journal->room = NULL;
}

size_t
journal_room(const struct journal *journal)
{
    size_t room = journal->record.size_max;
    if (journal->size_zeroed != 0) {
        size_t left = (size_t)(journal->size_zeroed - journal->offset);
        room = left < room ? left : room;
    }
    return room < RECORD_SIZE_MIN ? 0 : room - (RECORD_SIZE_MIN - 1);
}

msgpack_packer *
journal_begin(struct journal *journal)
{
    journal->record.size = 0;
    journal->record.overflow = false;
    msgpack_pack_array(&journal->packer, 3);
    msgpack_pack_fix_uint64(&journal->packer, journal->next);
    return &journal->packer;
}

int
journal_append(struct journal *journal)
{
    struct buffer *record = &journal->record;
    uint8_t sum[CHECKSUM_SIZE];

    memcpy(journal->room + CHECKSUM_SIZE, journal->previous, CHECKSUM_SIZE);
    checksum(sum, journal->room, record->size);
    pack_bytes(&journal->packer, sum, sizeof sum);
    if (record->overflow || (journal->size_zeroed != 0 &&
                                (int64_t)record->size > journal->size_zeroed - journal->offset)) {
        return ERROR_TOO_LARGE;
    }
    int error =
        files_write(journal->files, journal->fd, record->data, record->size, journal->offset);
    if (error != 0) {
        return error;
    }
    journal->offset += (int64_t)record->size;
    journal->next++;
    memcpy(journal->previous, sum, sizeof sum);
    return 0;
}

int
journal_sync(struct journal *journal)
{
    return files_sync_data(journal->files, journal->fd);
}

/* A file in memory and what was understood of it so far. */
struct reader {
    const char *path;
    unsigned char *data;
    size_t size;
    size_t at;
    uint64_t next;
    uint8_t salt[CHECKSUM_SIZE];
    uint8_t previous[CHECKSUM_SIZE];
    unsigned char *scratch; /* a prefix and a copy of one record, to hash them in one run */
    struct unpacked unpacked;
};

static uint64_t
number_at(const unsigned char *record)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) {
        number = number << 8 | record[2 + i];
    }
    return number;
}

static bool
begins_record(const unsigned char *data, size_t size)
{
    return size >= RECORD_SIZE_MIN && data[0] == 0x93 && data[1] == 0xcf;
}

/* A record in the file, as far as its bytes make one. */
struct found {
    size_t size;                /* in bytes, checksum and all */
    bool good;                  /* the checksum in the file is the one it should have */
    uint8_t sum[CHECKSUM_SIZE]; /* the one it should have */
};

/*
 * Measures the record at `at` and holds its checksum against one chained to `previous`. Returns
 * false when the bytes are not even shaped like a record.
 */
static bool
find_record(const struct reader *reader, size_t at, const uint8_t *previous, struct found *found)
{
    const unsigned char *data = reader->data + at;
    size_t size = reader->size - at;
    if (!begins_record(data, size)) {
        return false;
    }
    size_t body_size = 0;
    size_t body_room = size - BODY_AT < RECORD_SIZE_MAX ? size - BODY_AT : RECORD_SIZE_MAX;
    if (guard_measure(data + BODY_AT, body_room, &body_bounds, &body_size) != GUARD_OK) {
        return false;
    }
    size_t sum_at = BODY_AT + body_size;
    if (size - sum_at < CHECKSUM_PACKED) {
        return false;
    }
    memcpy(reader->scratch, reader->salt, CHECKSUM_SIZE);
    memcpy(reader->scratch + CHECKSUM_SIZE, previous, CHECKSUM_SIZE);
    memcpy(reader->scratch + PREFIX_SIZE, data, sum_at);
    checksum(found->sum, reader->scratch, sum_at);
    found->size = sum_at + CHECKSUM_PACKED;
    found->good = data[sum_at] == 0xc4 && data[sum_at + 1] == CHECKSUM_SIZE &&
                  memcmp(found->sum, data + sum_at + 2, CHECKSUM_SIZE) == 0;
    return true;
}

/* Returns the size of the record at `at` if it is good and chained to `previous`, otherwise 0. */
static size_t
good_record(const struct reader *reader, size_t at, const uint8_t *previous)
{
    struct found found;
    return find_record(reader, at, previous, &found) && found.good ? found.size : 0;
}

/* Unpacks the body of a record of `size` bytes that was checked. */
static int
unpack_body(struct reader *reader, size_t size)
{
    size_t used;
    enum guard_verdict verdict;
    return unpack(&reader->unpacked, reader->data + reader->at + BODY_AT,
        size - BODY_AT - CHECKSUM_PACKED, &body_bounds, &used, &verdict);
}

/* Steps over a record of `size` bytes that was checked. */
static void
step(struct reader *reader, size_t size)
{
    reader->at += size;
    reader->next++;
    memcpy(reader->previous, reader->data + reader->at - CHECKSUM_SIZE, CHECKSUM_SIZE);
}

static bool
decode_header(const msgpack_object *body, struct journal_header *header)
{
    if (body->type != MSGPACK_OBJECT_MAP || body->via.map.size != 5) {
        return false;
    }
    const msgpack_object_kv *members = body->via.map.ptr;
    const char *kind;
    size_t kind_size;
    uint64_t version;
    if (!object_is_text(&members[0].key, "stockbus") ||
        !object_text(&members[0].val, sizeof header->kind - 1, &kind, &kind_size) ||
        !object_is_text(&members[1].key, "version") ||
        !object_uint(&members[1].val, JOURNAL_VERSION, JOURNAL_VERSION, &version) ||
        !object_is_text(&members[2].key, "history") ||
        !object_bytes(&members[2].val, header->history, sizeof header->history) ||
        !object_is_text(&members[3].key, "generation") ||
        !object_uint(&members[3].val, 1, NUMBER_MAX, &header->generation) ||
        !object_is_text(&members[4].key, "previous") ||
        !object_bytes(&members[4].val, header->previous, sizeof header->previous)) {
        return false;
    }
    memset(header->kind, 0, sizeof header->kind);
    memcpy(header->kind, kind, kind_size);
    return true;
}

static int
read_header(struct reader *reader, struct journal_header *header, struct diagnostic *diagnostic)
{
    size_t size = good_record(reader, 0, no_checksum);
    if (size == 0) {
        return diagnostic_set(
            diagnostic, ERROR_DAMAGED, "%s: offset 0: the header is damaged", reader->path);
    }
    int error = unpack_body(reader, size);
    if (error != 0) {
        /* unreached: no memory for the first record of a file; what is tried has room by then */
        return diagnostic_set(diagnostic, error, "%s: %s", reader->path, error_text(error));
    }
    if (!decode_header(&reader->unpacked.object, header) || number_at(reader->data) >= NUMBER_MAX) {
        return diagnostic_set(diagnostic, ERROR_DAMAGED,
            "%s: offset 0: the header is not that of a version %d file", reader->path,
            JOURNAL_VERSION);
    }
    reader->next = number_at(reader->data);
    step(reader, size);
    header->first = reader->next;
    memcpy(reader->salt, reader->previous, CHECKSUM_SIZE);
    memcpy(reader->previous, header->previous, CHECKSUM_SIZE);
    return 0;
}

/*
 * Looks for a good record behind the bad one at `reader->at`.
 *
 * The checksum that a record is chained to stands in the file right before it, so it can be checked
 * without what is missing. Where it is just the checksum of the bad record that is bad, the next is
 * chained to what that should have been.
 */
static bool
find_record_behind(const struct reader *reader, size_t *found_at)
{
    struct found bad;
    if (find_record(reader, reader->at, reader->previous, &bad) &&
        good_record(reader, reader->at + bad.size, bad.sum) != 0) {
        *found_at = reader->at + bad.size;
        return true;
    }
    for (size_t at = reader->at + RECORD_SIZE_MIN; at + RECORD_SIZE_MIN <= reader->size; at++) {
        const unsigned char *candidate = memchr(reader->data + at, 0x93, reader->size - at);
        if (candidate == NULL) {
            return false;
        }
        at = (size_t)(candidate - reader->data);
        if (begins_record(candidate, reader->size - at) && number_at(candidate) > reader->next &&
            good_record(reader, at, candidate - CHECKSUM_SIZE) != 0) {
            *found_at = at;
            return true;
        }
    }
    return false;
}

static size_t
trailing_end(const struct reader *reader)
{
    size_t end = reader->size;
    while (end > reader->at && reader->data[end - 1] == 0) {
        end--;
    }
    return end;
}

/* Reads records until the first that is none. */
static int
read_records(
    struct reader *reader, journal_record_fn *each, void *context, struct diagnostic *diagnostic)
{
    for (;;) {
        size_t size = good_record(reader, reader->at, reader->previous);
        if (size == 0 || number_at(reader->data + reader->at) != reader->next) {
            return 0;
        }
        if (each != NULL) {
            int error = unpack_body(reader, size);
            if (error != 0) {
                return diagnostic_set(diagnostic, error, "%s: %s", reader->path, error_text(error));
            }
            struct diagnostic reason = {""};
            error =
                each(context, reader->next, &reader->unpacked.object, (int64_t)reader->at, &reason);
            if (error != 0) {
                return diagnostic_set(diagnostic, error, "%s: offset %zu: record %" PRIu64 ": %s",
                    reader->path, reader->at, reader->next, reason.text);
            }
        }
        step(reader, size);
    }
}

static int
read_all(struct reader *reader, journal_record_fn *each, void *context,
    struct journal_summary *summary, struct diagnostic *diagnostic)
{
    struct journal_header header;
    int error = read_header(reader, &header, diagnostic);
    if (error == 0) {
        error = read_records(reader, each, context, diagnostic);
    }
    if (error != 0) {
        return error;
    }
    size_t found = 0;
    if (find_record_behind(reader, &found)) {
        return diagnostic_set(diagnostic, ERROR_DAMAGED,
            "%s: offset %zu: record %" PRIu64 " is damaged (record %" PRIu64
            " at offset %zu is good)",
            reader->path, reader->at, reader->next, number_at(reader->data + found), found);
    }
    *summary = (struct journal_summary){
        .header = header,
        .next = reader->next,
        .end = (int64_t)reader->at,
        .end_torn = (int64_t)trailing_end(reader),
    };
    summary->tail = summary->end_torn == summary->end ? JOURNAL_ENDS : JOURNAL_TORN;
    memcpy(summary->previous, reader->previous, CHECKSUM_SIZE);
    return 0;
}

int
journal_read_header(struct files *files, const char *path, struct journal_header *header,
    struct diagnostic *diagnostic)
{
    unsigned char data[HEADER_SIZE_MAX];
    unsigned char scratch[PREFIX_SIZE + HEADER_SIZE_MAX];
    struct reader reader = {.path = path, .data = data, .scratch = scratch};
    int fd = -1;
    int error = sodium_init() < 0 ? ERROR_MEMORY : unpacked_init(&reader.unpacked);
    if (error == 0) {
        error = files_open(files, path, O_RDONLY, &fd);
        if (error == 0) {
            error = files_read(files, fd, data, sizeof data, 0, &reader.size);
        }
        files_close(files, &fd);
        if (error == 0) {
            error = read_header(&reader, header, diagnostic);
        } else {
            diagnostic_set(diagnostic, error, "%s: %s", path, error_text(error));
        }
        unpacked_fini(&reader.unpacked);
    }
    return error;
}

int
journal_read(struct files *files, const char *path, journal_record_fn *each, void *context,
    struct journal_summary *summary, struct diagnostic *diagnostic)
{
    struct reader reader = {.path = path};
    int error = sodium_init() < 0 ? ERROR_MEMORY : unpacked_init(&reader.unpacked);
    if (error != 0) {
        return diagnostic_set(diagnostic, error, "%s: %s", path, error_text(error));
    }
    error = files_read_all(files, path, SIZE_MAX / 2, &reader.data, &reader.size);
    if (error == 0) {
        reader.scratch = malloc(PREFIX_SIZE + BODY_AT +
                                (reader.size < RECORD_SIZE_MAX ? reader.size : RECORD_SIZE_MAX));
        error = reader.scratch == NULL ? ERROR_MEMORY : 0;
    }
    if (error != 0) {
        diagnostic_set(diagnostic, error, "%s: %s", path, error_text(error));
    } else {
        error = read_all(&reader, each, context, summary, diagnostic);
    }
    free(reader.scratch);
    free(reader.data);
    unpacked_fini(&reader.unpacked);
    return error;
}
