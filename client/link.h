/**
 * link.h: a REQ socket that gives up in time. The one module that knows ZeroMQ.
 *
 * A REQ socket whose reply did not come can neither send nor be trusted to drop the reply when it
 * comes late. So it is closed with what it still held (LINGER 0), and a new one is opened for the
 * next request.
 *
 * One thread uses a link.
 */
#ifndef STOCKBUS_CLIENT_LINK_H
#define STOCKBUS_CLIENT_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/certificate.h"
#include "shared/error.h"

struct link;

/** Where the broker is, unless something else is said. */
#define LINK_ENDPOINT_DEFAULT "tcp://127.0.0.1:5570"

/** What an encrypted link needs; wipe it after use. */
struct link_keys {
    uint8_t broker_key[CERTIFICATE_KEY_SIZE]; /**< the public one of the broker */
    struct certificate certificate;           /**< the client's own */
};

/**
 * Makes `keys` of the broker's public key and the client's secret one, each as text: 40 characters
 * of Z85, as certificates have them.
 *
 * Returns 0, or ERROR_INVALID with a `diagnostic` that says which is no key.
 */
int
link_keys_parse(struct link_keys *keys, const char *broker_key, const char *secret_key,
    struct diagnostic *diagnostic);

/**
 * Opens a link to `endpoint` ("tcp://HOST:PORT"). Does not wait for a connection. With `keys`,
 * which are copied, it is encrypted, and nobody but the broker of that key is spoken to; with NULL
 * it is not.
 *
 * Returns 0 with `*link`, the caller's to close; ERROR_INVALID when that is no endpoint;
 * ERROR_MEMORY or ERROR_NETWORK. `diagnostic` says why.
 */
int
link_open(struct link **link, const char *endpoint, const struct link_keys *keys,
    struct diagnostic *diagnostic);

/** Closes `*link` and makes it NULL; NULL already is fine. Does not wait for anything. */
void
link_close(struct link **link);

/** Returns the endpoint. Borrowed. */
const char *
link_endpoint(const struct link *link);

/** Is it encrypted? */
bool
link_is_encrypted(const struct link *link);

/** Sends a request, once it can be. Does not wait. After 0 comes link_receive() or link_reset(). */
int
link_send(struct link *link, const void *data, size_t size);

/**
 * Waits up to `timeout_ms` for the reply. Blocks; a signal as such does not end it.
 *
 * Returns 0 with its bytes, borrowed until the next call; ERROR_TIMEOUT; ERROR_INTERRUPTED when
 * `interrupt_fd` (-1: none) became readable; ERROR_DAMAGED for a reply of more than one frame; or
 * ERROR_NETWORK. After an error the link has to be reset.
 */
int
link_receive(
    struct link *link, int64_t timeout_ms, int interrupt_fd, const void **data, size_t *size);

/** Forgets the request that was sent: its reply will not be read. */
void
link_reset(struct link *link);

#endif
