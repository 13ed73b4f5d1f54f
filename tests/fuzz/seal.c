#include "fuzz/seal.h"

#include "fuzz/target.h"

#include "shared/guard.h"
#include "shared/journal.h"
#include "support/choices.h"

#include <sodium.h>
#include <string.h>

enum {
    BODY_AT = 10,
    TRAILER_SIZE = 2 + CHECKSUM_SIZE
};

static const struct guard_bounds bounds = {.depth_max = 16, .elements_max = RECORD_SIZE_MAX};

struct chain {
    uint8_t salt[CHECKSUM_SIZE];
    uint8_t previous[CHECKSUM_SIZE];
};

/* Returns the size of the record's body, or 0 when the bytes are not shaped like a record. */
static size_t
body_of(const uint8_t *data, size_t size)
{
    size_t body_size = 0;
    if (size < BODY_AT + 1 + TRAILER_SIZE || data[0] != 0x93 || data[1] != 0xcf ||
        guard_measure(data + BODY_AT, size - BODY_AT, &bounds, &body_size) != GUARD_OK ||
        size - BODY_AT - body_size < TRAILER_SIZE) {
        return 0;
    }
    return body_size;
}

static void
set_number(uint8_t *record, uint64_t number)
{
    for (int i = 0; i < 8; i++) {
        record[2 + i] = (uint8_t)(number >> (56 - 8 * i));
    }
}

static uint64_t
number_of(const uint8_t *record)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) {
        number = number << 8 | record[2 + i];
    }
    return number;
}

/* Writes the checksum behind `size` bytes of a record. */
static void
set_checksum(uint8_t *record, size_t size, const struct chain *chain)
{
    crypto_generichash_state state;
    uint8_t *sum = record + size + 2;
    crypto_generichash_init(&state, NULL, 0, CHECKSUM_SIZE);
    crypto_generichash_update(&state, chain->salt, CHECKSUM_SIZE);
    crypto_generichash_update(&state, chain->previous, CHECKSUM_SIZE);
    crypto_generichash_update(&state, record, size);
    record[size] = 0xc4;
    record[size + 1] = CHECKSUM_SIZE;
    crypto_generichash_final(&state, sum, CHECKSUM_SIZE);
}

void
seal_records(uint8_t *data, size_t size, enum seal seal)
{
    struct chain chain = {{0}, {0}};
    uint64_t count = 0;
    uint64_t first = 0;
    REQUIRE(sodium_init() >= 0);
    for (size_t at = 0; seal != SEAL_NONE; count++) {
        uint8_t *record = data + at;
        size_t body_size = body_of(record, size - at);
        if (body_size == 0) {
            return;
        }
        first = count == 0 ? number_of(record) : first;
        if (seal == SEAL_NUMBERS) {
            set_number(record, first + count);
            if (body_size == 1 && record[BODY_AT] < 0x80 && count >= 1 && count <= 0x80) {
                record[BODY_AT] = (uint8_t)(count - 1);
            }
        }
        set_checksum(record, BODY_AT + body_size, &chain);
        const uint8_t *sum = record + BODY_AT + body_size + 2;
        if (count == 0) {
            /* The last member of a header is the checksum that the next record is chained to. */
            memcpy(chain.salt, sum, CHECKSUM_SIZE);
            if (body_size >= CHECKSUM_SIZE) {
                memcpy(chain.previous, sum - TRAILER_SIZE, CHECKSUM_SIZE);
            }
        } else {
            memcpy(chain.previous, sum, CHECKSUM_SIZE);
        }
        at += BODY_AT + body_size + TRAILER_SIZE;
    }
}

enum {
    SHUFFLED_MAX = 64, /* records that are looked at */
    RECORD_MAX = 4096
};

/* Where records begin, and behind the last of them. */
struct places {
    size_t at[SHUFFLED_MAX + 1];
    size_t count;
};

static struct places
find_places(const uint8_t *data, size_t size)
{
    struct places places = {.count = 0};
    size_t at = 0;
    while (places.count < SHUFFLED_MAX) {
        size_t body_size = body_of(data + at, size - at);
        if (body_size == 0) {
            break;
        }
        places.at[places.count++] = at;
        at += BODY_AT + body_size + TRAILER_SIZE;
    }
    places.at[places.count] = at;
    return places;
}

size_t
seal_shuffle(uint8_t *data, size_t size, size_t size_max, uint64_t seed)
{
    struct random_stream stream = {seed};
    uint8_t record[RECORD_MAX];
    struct places places = find_places(data, size);
    if (places.count < 2) {
        return size;
    }
    size_t from = 1 + (size_t)random_below(&stream, places.count - 1);
    size_t to = 1 + (size_t)random_below(&stream, places.count);
    size_t record_size = places.at[from + 1] - places.at[from];
    bool stays = random_below(&stream, 3) == 0;
    bool goes = random_below(&stream, 3) == 0;
    if (record_size > RECORD_MAX || (stays && size + record_size > size_max)) {
        return size;
    }
    memcpy(record, data + places.at[from], record_size);
    if (!stays) {
        memmove(data + places.at[from], data + places.at[from + 1], size - places.at[from + 1]);
        size -= record_size;
        to = to > from ? to - 1 : to;
        places = find_places(data, size);
    }
    if (stays || !goes) {
        size_t at = places.at[to];
        memmove(data + at + record_size, data + at, size - at);
        memcpy(data + at, record, record_size);
        size += record_size;
    }
    return size;
}
