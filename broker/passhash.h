/**
 * passhash.h: argon2id hashes of passwords, as users.conf has them.
 *
 * A hash is a text such as "$argon2id$v=19$m=65536,t=2,p=1$SALT$HASH". It is taken apart when it is
 * read, so that one which no password can ever match is told then, and so that a check which fails
 * for want of memory is not taken for a wrong password: crypto_pwhash_str_verify() of libsodium
 * 1.0.18 says the same, -1 with EINVAL, to both.
 *
 * Without state; any thread may call it once sodium_init() was called.
 */
#ifndef STOCKBUS_BROKER_PASSHASH_H
#define STOCKBUS_BROKER_PASSHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PASSHASH_TEXT_SIZE = 128, /**< room for the text of a hash, with the zero at its end */
    PASSHASH_SALT_SIZE = 16,
    PASSHASH_SIZE_MAX = 64
};

/** A hash, taken apart. */
struct passhash {
    uint64_t rounds;                  /**< passes over that memory */
    size_t memory;                    /**< that a check takes, in bytes */
    uint8_t salt[PASSHASH_SALT_SIZE]; /**< random, made with the hash */
    uint8_t bytes[PASSHASH_SIZE_MAX]; /**< the hash itself */
    size_t size;                      /**< of them */
};

/**
 * Takes `text` apart. Returns 0, or ERROR_INVALID when it is no argon2id hash that a password could
 * match here: of another form, with a salt of other than 16 bytes, or of more than one lane.
 */
int
passhash_parse(const char *text, struct passhash *hash);

/**
 * Is it the hash of `password`? The answer is in `*right`.
 *
 * Takes as long and as much memory as the hash says: about 80 ms and 64 MiB. Returns 0, or
 * ERROR_MEMORY when nothing was found out.
 */
int
passhash_check(const struct passhash *hash, const char *password, bool *right);

/** Makes the text of a new hash of `password`, of about 80 ms. Returns 0 or ERROR_MEMORY. */
int
passhash_make(const char *password, char text[PASSHASH_TEXT_SIZE]);

#endif
