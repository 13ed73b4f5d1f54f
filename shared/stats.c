#include "shared/stats.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *word;
    const char *text;
} numbers[STATS_NUMBER_COUNT] =
    {
#define NUMBER_ENTRY(name, word, text) {word, text},
        STATS_NUMBER_LIST(NUMBER_ENTRY)
#undef NUMBER_ENTRY
},
  tallies[STATS_TALLY_COUNT] = {
#define TALLY_ENTRY(name, word, text) {word, text},
      STATS_TALLY_LIST(TALLY_ENTRY)
#undef TALLY_ENTRY
};

static const char version_word[] = "version";
static const char requests_word[] = "requests";
static const char none_word[] = "none";

static unsigned
find_bucket(uint64_t value)
{
    unsigned bucket = value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
    return bucket < TALLY_BUCKETS ? bucket : TALLY_BUCKETS - 1;
}

void
tally_add(struct tally *tally, uint64_t value)
{
    tally->count++;
    tally->total += value;
    tally->max = value > tally->max ? value : tally->max;
    tally->buckets[find_bucket(value)]++;
}

uint64_t
tally_percentile(const struct tally *tally, unsigned percent)
{
    assert(percent >= 1 && percent <= 100);
    uint64_t passed = 0;
    for (unsigned i = 0; i < TALLY_BUCKETS - 1; i++) {
        uint64_t end = ((uint64_t)1 << i) - 1;
        passed += tally->buckets[i];
        if ((double)passed * 100 >= (double)tally->count * percent) {
            return end < tally->max ? end : tally->max;
        }
    }
    return tally->max;
}

/* unreached: the tests of the programs read it */
const char *
stats_number_word(enum stats_number number)
{
    assert(number < STATS_NUMBER_COUNT);
    return numbers[number].word;
}

/* unreached: the tests of the programs read it */
const char *
stats_number_text(enum stats_number number)
{
    assert(number < STATS_NUMBER_COUNT);
    return numbers[number].text;
}

/* unreached: the tests of the programs read it */
const char *
stats_tally_word(enum stats_tally tally)
{
    assert(tally < STATS_TALLY_COUNT);
    return tallies[tally].word;
}

/* unreached: the tests of the programs read it */
const char *
stats_tally_text(enum stats_tally tally)
{
    assert(tally < STATS_TALLY_COUNT);
    return tallies[tally].text;
}

const char *
stats_row_word(size_t row)
{
    return row < OPERATION_COUNT ? operation_word((enum operation)row) : none_word;
}

/* Packs [count, total, max, [bucket, ...]], without the empty buckets at the end. */
static void
pack_tally(msgpack_packer *packer, const struct tally *tally)
{
    size_t count = TALLY_BUCKETS;
    while (count > 0 && tally->buckets[count - 1] == 0) {
        count--;
    }
    msgpack_pack_array(packer, 4);
    msgpack_pack_uint64(packer, tally->count);
    msgpack_pack_uint64(packer, tally->total);
    msgpack_pack_uint64(packer, tally->max);
    msgpack_pack_array(packer, count);
    for (size_t i = 0; i < count; i++) {
        msgpack_pack_uint64(packer, tally->buckets[i]);
    }
}

/* Packs [[operation, status, count], ...] of what there was at all. */
static void
pack_requests(msgpack_packer *packer, const struct stats *stats)
{
    size_t count = 0;
    for (size_t row = 0; row <= OPERATION_COUNT; row++) {
        for (size_t status = 0; status < STATUS_COUNT; status++) {
            count += stats->requests[row][status] > 0 ? 1 : 0;
        }
    }
    msgpack_pack_array(packer, count);
    for (size_t row = 0; row <= OPERATION_COUNT; row++) {
        for (size_t status = 0; status < STATUS_COUNT; status++) {
            if (stats->requests[row][status] > 0) {
                msgpack_pack_array(packer, 3);
                pack_text(packer, stats_row_word(row));
                pack_text(packer, status_word((enum status)status));
                msgpack_pack_uint64(packer, stats->requests[row][status]);
            }
        }
    }
}

void
stats_pack(msgpack_packer *packer, const struct stats *stats)
{
    msgpack_pack_map(packer, 2 + STATS_NUMBER_COUNT + STATS_TALLY_COUNT);
    pack_text(packer, version_word);
    pack_text(packer, stats->version);
    for (int i = 0; i < STATS_NUMBER_COUNT; i++) {
        pack_uint_member(packer, numbers[i].word, stats->numbers[i]);
    }
    for (int i = 0; i < STATS_TALLY_COUNT; i++) {
        pack_text(packer, tallies[i].word);
        pack_tally(packer, &stats->tallies[i]);
    }
    pack_text(packer, requests_word);
    pack_requests(packer, stats);
}

static bool
take_tally(const msgpack_object *value, struct tally *tally)
{
    if (!object_array(value, 4) || !object_array(&value->via.array.ptr[3], 0)) {
        return false;
    }
    const msgpack_object *parts = value->via.array.ptr;
    const msgpack_object_array *buckets = &parts[3].via.array;
    bool good = object_uint(&parts[0], 0, NUMBER_MAX, &tally->count) &&
                object_uint(&parts[1], 0, NUMBER_MAX, &tally->total) &&
                object_uint(&parts[2], 0, NUMBER_MAX, &tally->max) &&
                buckets->size <= TALLY_BUCKETS;
    for (uint32_t i = 0; good && i < buckets->size; i++) {
        good = object_uint(&buckets->ptr[i], 0, NUMBER_MAX, &tally->buckets[i]);
    }
    return good;
}

/* Takes one of the requests' rows; words of a later version are passed over. */
static bool
take_request(const msgpack_object *value, struct stats *stats)
{
    uint64_t count;
    enum status status;
    if (!object_array(value, 3) || !object_uint(&value->via.array.ptr[2], 0, NUMBER_MAX, &count)) {
        return false;
    }
    size_t row = 0;
    while (
        row <= OPERATION_COUNT && !object_is_text(&value->via.array.ptr[0], stats_row_word(row))) {
        row++;
    }
    if (row <= OPERATION_COUNT && status_parse(&value->via.array.ptr[1], &status)) {
        stats->requests[row][status] = count;
    }
    return true;
}

static bool
take_requests(const msgpack_object *value, struct stats *stats)
{
    bool good = object_array(value, 0);
    for (uint32_t i = 0; good && i < value->via.array.size; i++) {
        good = take_request(&value->via.array.ptr[i], stats);
    }
    return good;
}

static bool
take_member(const msgpack_object *key, const msgpack_object *value, struct stats *stats)
{
    if (object_is_text(key, version_word)) {
        return object_copy_text(value, sizeof stats->version - 1, stats->version);
    }
    if (object_is_text(key, requests_word)) {
        return take_requests(value, stats);
    }
    for (int i = 0; i < STATS_NUMBER_COUNT; i++) {
        if (object_is_text(key, numbers[i].word)) {
            return object_uint(value, 0, NUMBER_MAX, &stats->numbers[i]);
        }
    }
    for (int i = 0; i < STATS_TALLY_COUNT; i++) {
        if (object_is_text(key, tallies[i].word)) {
            return take_tally(value, &stats->tallies[i]);
        }
    }
    return true;
}

bool
stats_take(const msgpack_object *object, struct stats *stats)
{
    bool good = object->type == MSGPACK_OBJECT_MAP;
    memset(stats, 0, sizeof *stats);
    for (uint32_t i = 0; good && i < object->via.map.size; i++) {
        good = take_member(&object->via.map.ptr[i].key, &object->via.map.ptr[i].val, stats);
    }
    return good;
}
