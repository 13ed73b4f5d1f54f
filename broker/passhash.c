#include "broker/passhash.h"

#include "shared/error.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static_assert(PASSHASH_TEXT_SIZE == crypto_pwhash_STRBYTES, "libsodium's size of a hash");
static_assert(PASSHASH_SALT_SIZE == crypto_pwhash_SALTBYTES, "libsodium's size of a salt");

/* Takes the base64 up to a '$' or the end apart. Returns what is behind it, or NULL. */
static const char *
take_bytes(const char *at, uint8_t *bytes, size_t size_max, size_t *size)
{
    size_t length = strcspn(at, "$");
    int failed = sodium_base642bin(
        bytes, size_max, at, length, NULL, size, NULL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    return failed != 0 ? NULL : at + length;
}

int
passhash_parse(const char *text, struct passhash *result)
{
    struct passhash hash = {.rounds = 0};
    char whole[PASSHASH_TEXT_SIZE] = "";
    unsigned long memory_kib = 0;
    unsigned long rounds = 0;
    size_t salt_size = 0;
    int end = 0;
    if (strlen(text) >= sizeof whole) {
        return ERROR_INVALID;
    }
    memcpy(whole, text, strlen(text) + 1);
    /* libsodium is strict about the form; behind it, sscanf has nothing to be lenient about. */
    if (crypto_pwhash_str_needs_rehash(
            whole, crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE) == -1 ||
        /* NOLINTNEXTLINE(cert-err34-c): needs_rehash has refused numbers that are too large */
        sscanf(whole, "$argon2id$v=19$m=%lu,t=%lu,p=1$%n", &memory_kib, &rounds, &end) != 2 ||
        end == 0) {
        return ERROR_INVALID;
    }
    const char *at = take_bytes(whole + end, hash.salt, sizeof hash.salt, &salt_size);
    if (at == NULL || salt_size != sizeof hash.salt || *at != '$') {
        return ERROR_INVALID;
    }
    at = take_bytes(at + 1, hash.bytes, sizeof hash.bytes, &hash.size);
    hash.rounds = rounds;
    hash.memory = (size_t)memory_kib * 1024;
    if (at == NULL || *at != '\0' || hash.size < crypto_pwhash_BYTES_MIN ||
        hash.rounds < crypto_pwhash_OPSLIMIT_MIN || hash.rounds > crypto_pwhash_OPSLIMIT_MAX ||
        hash.memory < crypto_pwhash_MEMLIMIT_MIN || hash.memory > crypto_pwhash_MEMLIMIT_MAX) {
        return ERROR_INVALID;
    }
    *result = hash;
    return 0;
}

int
passhash_check(const struct passhash *hash, const char *password, bool *right)
{
    uint8_t bytes[PASSHASH_SIZE_MAX];
    /* The bounds were checked when it was taken apart: what can still fail is memory. */
    if (crypto_pwhash(bytes, hash->size, password, strlen(password), hash->salt, hash->rounds,
            hash->memory, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return ERROR_MEMORY;
    }
    *right = sodium_memcmp(bytes, hash->bytes, hash->size) == 0;
    sodium_memzero(bytes, sizeof bytes);
    return 0;
}

int
passhash_make(const char *password, char text[PASSHASH_TEXT_SIZE])
{
    int failed = crypto_pwhash_str(text, password, strlen(password),
        crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE);
    return failed != 0 ? ERROR_MEMORY : 0;
}
