#include "broker/throttle.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static_assert(THROTTLE_KEY_SIZE == crypto_shorthash_KEYBYTES, "libsodium's size of a key");

/*
 * A bucket of tokens is the time at which it is full again. Each token that was taken moves that by
 * what it costs.
 */
static uint64_t
owed_ms(uint64_t full_ms, uint64_t now_ms)
{
    return full_ms > now_ms ? full_ms - now_ms : 0;
}

static uint64_t
wait_ms(uint64_t full_ms, uint64_t now_ms, uint64_t cost_ms, uint64_t burst)
{
    uint64_t owed = owed_ms(full_ms, now_ms);
    uint64_t free_ms = cost_ms * (burst - 1);
    return owed > free_ms ? owed - free_ms : 0;
}

static void
take(uint64_t *full_ms, uint64_t now_ms, uint64_t cost_ms)
{
    *full_ms = now_ms + owed_ms(*full_ms, now_ms) + cost_ms;
}

static void
give_back(uint64_t *full_ms, uint64_t cost_ms)
{
    *full_ms -= *full_ms > cost_ms ? cost_ms : *full_ms;
}

static uint64_t
hash(const struct throttle *throttle, const char *text)
{
    uint8_t bytes[crypto_shorthash_BYTES];
    uint64_t number;
    crypto_shorthash(bytes, (const unsigned char *)text, strlen(text), throttle->key);
    static_assert(sizeof number == sizeof bytes, "a hash is a number");
    memcpy(&number, bytes, sizeof number);
    return number;
}

static size_t
slot_of(const struct throttle *throttle, const char *user)
{
    return hash(throttle, user) % THROTTLE_SLOTS;
}

void
throttle_init(struct throttle *throttle)
{
    memset(throttle, 0, sizeof *throttle);
    randombytes_buf(throttle->key, sizeof throttle->key);
}

uint64_t
throttle_wait_ms(const struct throttle *throttle, const char *user, uint64_t now_ms)
{
    uint64_t of_user = wait_ms(throttle->user_ms[slot_of(throttle, user)], now_ms,
        THROTTLE_USER_COST_MS, THROTTLE_USER_BURST);
    uint64_t of_all = wait_ms(throttle->all_ms, now_ms, THROTTLE_ALL_COST_MS, THROTTLE_ALL_BURST);
    return of_user > of_all ? of_user : of_all;
}

void
throttle_take(struct throttle *throttle, const char *user, uint64_t now_ms)
{
    assert(throttle_wait_ms(throttle, user, now_ms) == 0);
    take(&throttle->user_ms[slot_of(throttle, user)], now_ms, THROTTLE_USER_COST_MS);
    take(&throttle->all_ms, now_ms, THROTTLE_ALL_COST_MS);
}

void
throttle_give_back(struct throttle *throttle, const char *user)
{
    give_back(&throttle->user_ms[slot_of(throttle, user)], THROTTLE_USER_COST_MS);
    give_back(&throttle->all_ms, THROTTLE_ALL_COST_MS);
}

/* A source has two places, and its burden is the smaller of theirs: both are seldom another's too.
 */
static void
slots_of(uint64_t source, size_t slots[2])
{
    slots[0] = (size_t)(source % THROTTLE_SLOTS);
    slots[1] = (size_t)(source / THROTTLE_SLOTS % THROTTLE_SLOTS);
}

uint64_t
throttle_burden(const struct throttle *throttle, uint64_t source, uint64_t now_ms)
{
    size_t slots[2];
    slots_of(source, slots);
    uint64_t one = owed_ms(throttle->source_ms[slots[0]], now_ms);
    uint64_t other = owed_ms(throttle->source_ms[slots[1]], now_ms);
    uint64_t owed = one < other ? one : other;
    return (owed + THROTTLE_SOURCE_COST_MS - 1) / THROTTLE_SOURCE_COST_MS;
}

void
throttle_add_burden(struct throttle *throttle, uint64_t source, uint64_t now_ms)
{
    const uint64_t most = (uint64_t)THROTTLE_SOURCE_BURDEN_MAX * THROTTLE_SOURCE_COST_MS;
    size_t slots[2];
    slots_of(source, slots);
    for (size_t i = 0; i < 2; i++) {
        uint64_t *free_ms = &throttle->source_ms[slots[i]];
        take(free_ms, now_ms, THROTTLE_SOURCE_COST_MS);
        *free_ms = *free_ms < now_ms + most ? *free_ms : now_ms + most;
    }
}

void
throttle_take_burden(struct throttle *throttle, uint64_t source)
{
    size_t slots[2];
    slots_of(source, slots);
    for (size_t i = 0; i < 2; i++) {
        give_back(&throttle->source_ms[slots[i]], THROTTLE_SOURCE_COST_MS);
    }
}

uint64_t
throttle_source(const struct throttle *throttle, const char *name)
{
    return hash(throttle, name);
}
