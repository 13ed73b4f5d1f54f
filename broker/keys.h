/**
 * keys.h: the clients that may connect where connections are encrypted, by their public keys.
 *
 * Each file of a folder is the public certificate of a client, but for those whose names begin with
 * a dot or end in "_secret". An empty folder lets nobody in. The same key in two files is allowed
 * until neither is there.
 *
 * Two threads ask: the authenticator at each handshake, and the loop at each request, because a
 * connection outlives the handshake. Only the loop reads the folder again. What is shared is under
 * a lock that is held for a search or an exchange of pointers, never while files are read.
 */
#ifndef STOCKBUS_BROKER_KEYS_H
#define STOCKBUS_BROKER_KEYS_H

#include <stdbool.h>

#include "shared/certificate.h"

struct keys;

/**
 * Reads the certificates in `folder`. Blocks; see settings_read().
 *
 * Returns 0 with `*keys`, or an error with a sentence that names the folder or the file, and the
 * reason: ERROR_PERMISSION where others than its owner may write to it.
 */
int
keys_open(struct keys **keys, const char *folder, struct diagnostic *diagnostic);

/** Called with a sentence that names a file which is left out, and the reason. */
typedef void
keys_bad_fn(void *context, const char *sentence);

/**
 * Reads the folder again, as keys_open(), but that a bad file lets nobody in and counts for nothing
 * else: it must not keep a key in force whose file is gone. Each is told to `bad`.
 *
 * Where the folder itself can't be read, others may write to it, or there is no memory, that is an
 * error, and the keys stay as they were.
 */
int
keys_reload(struct keys *keys, keys_bad_fn *bad, void *context, struct diagnostic *diagnostic);

/** May the client with the public key `text` (Z85) connect and ask? Any thread. */
bool
keys_allow(struct keys *keys, const char *text);

/** Returns how many keys are allowed. The loop's thread. */
size_t
keys_count(const struct keys *keys);

/** Frees the keys, which nobody asks any more, and makes `*keys` NULL; NULL already is fine. */
void
keys_close(struct keys **keys);

#endif
