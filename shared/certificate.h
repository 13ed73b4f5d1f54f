/**
 * certificate.h: the keys of an encrypted connection (CURVE, rfc.zeromq.org/spec/26), kept in files
 * as czmq's zcert keeps them.
 *
 * A certificate is two files in ZPL: FILE has the public key and may be given to anybody;
 * FILE_secret has both keys, and nobody but its owner may read it. Keys are Z85 texts in files, and
 * bytes elsewhere.
 */
#ifndef STOCKBUS_SHARED_CERTIFICATE_H
#define STOCKBUS_SHARED_CERTIFICATE_H

#include <stdint.h>

#include "shared/error.h"

enum {
    CERTIFICATE_KEY_SIZE = 32,
    CERTIFICATE_TEXT_SIZE = 41 /**< room for a key as text, with the zero at its end */
};

/** Both keys; wipe it after use. */
struct certificate {
    uint8_t public_key[CERTIFICATE_KEY_SIZE]; /**< may be known to all */
    uint8_t secret_key[CERTIFICATE_KEY_SIZE]; /**< must not */
};

/** What the name of the file with the secret key has at its end. */
#define CERTIFICATE_SECRET_SUFFIX "_secret"

/**
 * Makes a certificate: writes `path`, which anybody may read, and `path`_secret, which nobody but
 * its owner may, and gives the public key in `text`. Blocks.
 *
 * Returns 0; ERROR_EXISTS when either is there already, which then stays as it is; or a file error.
 * `diagnostic` names the file. After an error neither was made.
 */
int
certificate_make(const char *path, char text[CERTIFICATE_TEXT_SIZE], struct diagnostic *diagnostic);

/**
 * Reads the public key of certificate `path`. Metadata in it is not looked at.
 *
 * Returns 0; ERROR_PERMISSION when others than its owner may write to the file; or ERROR_INVALID or
 * a file error. `diagnostic` names the file and what is wrong: it may also be no certificate, or
 * the half that is to be kept secret. Blocks; see settings_read().
 */
int
certificate_read_public(
    const char *path, uint8_t public_key[CERTIFICATE_KEY_SIZE], struct diagnostic *diagnostic);

/**
 * Reads both keys of certificate `path` from `path`_secret.
 *
 * Returns 0; ERROR_PERMISSION when others may use the file; ERROR_INVALID, also when the keys are
 * no pair; or a file error. `diagnostic` names the file and what is wrong. Blocks; see
 * settings_read().
 */
int
certificate_read_secret(
    const char *path, struct certificate *certificate, struct diagnostic *diagnostic);

#endif
