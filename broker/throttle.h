/**
 * throttle.h: how fast passwords are checked: slows those who guess, and keeps nobody out for long.
 *
 * A check takes a token of its user's name and one of all checks; tokens come back with time, and
 * at once where the password was right. So wrong passwords of one name are checked five at a time,
 * then one a second; of all names together 20 at a time, then five a second. A token is never
 * further away than that, however many were taken.
 *
 * Who gets the token that many wait for is decided by the burden of where they come from: the
 * logins that were begun there lately and were not right. Whoever has begun none comes first.
 *
 * One fixed table of times, found by a keyed hash: there is nothing to allocate, to forget or to
 * fill up. Two names, or two sources, may share a place of it; nobody can tell which. A name that
 * no user has is treated as any other. It reads no clock: `now_ms` is of one that never goes back.
 */
#ifndef STOCKBUS_BROKER_THROTTLE_H
#define STOCKBUS_BROKER_THROTTLE_H

#include <stdint.h>

enum {
    THROTTLE_SLOTS = 4096,
    THROTTLE_KEY_SIZE = 16,
    THROTTLE_USER_COST_MS = 1000, /**< until a token of one name comes back */
    THROTTLE_USER_BURST = 5,      /**< tokens of one name */
    THROTTLE_ALL_COST_MS = 200,
    THROTTLE_ALL_BURST = 20,
    THROTTLE_SOURCE_COST_MS = 300000, /**< until a login that was begun is no burden any more */
    THROTTLE_SOURCE_BURDEN_MAX = 4
};

/** Place it anywhere; nothing needs to be freed. */
struct throttle {
    uint8_t key[THROTTLE_KEY_SIZE];     /**< random, of the hashes that choose a place */
    uint64_t all_ms;                    /**< when all tokens are back */
    uint64_t user_ms[THROTTLE_SLOTS];   /**< likewise, of the names in this place */
    uint64_t source_ms[THROTTLE_SLOTS]; /**< when the sources in this place have no burden */
};

/** Makes one with all its tokens. Takes a random key. */
void
throttle_init(struct throttle *throttle);

/** Returns in how many milliseconds a password of `user` may be checked; 0: now. */
uint64_t
throttle_wait_ms(const struct throttle *throttle, const char *user, uint64_t now_ms);

/** Takes the tokens for a check of a password of `user`, which may be made now. */
void
throttle_take(struct throttle *throttle, const char *user, uint64_t now_ms);

/** Gives the tokens of a check back: it found the password right, or found nothing out. */
void
throttle_give_back(struct throttle *throttle, const char *user);

/** Returns how many logins were begun at `source` lately that were not right. */
uint64_t
throttle_burden(const struct throttle *throttle, uint64_t source, uint64_t now_ms);

/** Adds a login that begins to the burden of `source`. */
void
throttle_add_burden(struct throttle *throttle, uint64_t source, uint64_t now_ms);

/** Takes a login from the burden of `source` again: it was right. */
void
throttle_take_burden(struct throttle *throttle, uint64_t source);

/** Returns the number that stands for the source with this name (an address, a connection). */
uint64_t
throttle_source(const struct throttle *throttle, const char *name);

#endif
