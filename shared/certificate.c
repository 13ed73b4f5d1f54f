#include "shared/certificate.h"

#include "shared/files.h"
#include "shared/secret.h"
#include "shared/settings.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

static const char public_note[] =
    "#   Public certificate of Stockbus, for ZeroMQ's CURVE (as czmq's zcert reads it).\n"
    "#   Others may have it; see to it that nobody changes it on the way.\n";
static const char secret_note[] =
    "#   SECRET certificate of Stockbus, for ZeroMQ's CURVE (as czmq's zcert reads it).\n"
    "#   Give it to nobody, and leave its mode as it is.\n";

/* Names the file of the secret key. */
static int
name_secret(const char *path, char secret[FILES_PATH_SIZE], struct diagnostic *diagnostic)
{
    int size = snprintf(secret, FILES_PATH_SIZE, "%s%s", path, CERTIFICATE_SECRET_SUFFIX);
    return size < FILES_PATH_SIZE
               ? 0
               : diagnostic_set(diagnostic, ERROR_TOO_LARGE, "%s: too long a path", path);
}

/* Writes a file that is not there yet. */
static int
write_new(const char *path, mode_t mode, const char *text, struct diagnostic *diagnostic)
{
    struct files *files = files_system();
    int fd = -1;
    int error = files_open(files, path, O_WRONLY | O_CREAT | O_EXCL, &fd);
    bool is_ours = error == 0;
    if (error == 0 && fchmod(fd, mode) < 0) {
        error = error_from_errno(errno);
    }
    if (error == 0) {
        error = files_write(files, fd, text, strlen(text), 0);
    }
    if (error == 0) {
        error = files_sync(files, fd);
    }
    files_close(files, &fd);
    if (error != 0 && is_ours) {
        (void)files_remove(files, path);
    }
    return error == 0 ? 0 : diagnostic_set(diagnostic, error, "%s: %s", path, error_text(error));
}

int
certificate_make(const char *path, char text[CERTIFICATE_TEXT_SIZE], struct diagnostic *diagnostic)
{
    char public_text[CERTIFICATE_TEXT_SIZE];
    char secret_text[CERTIFICATE_TEXT_SIZE];
    char secret_path[FILES_PATH_SIZE];
    char content[1024];
    int error = name_secret(path, secret_path, diagnostic);
    if (error != 0) {
        return error;
    }
    int failed = zmq_curve_keypair(public_text, secret_text);
    assert(failed == 0); /* libzmq has CURVE on every Debian */
    snprintf(content, sizeof content,
        "%s\nmetadata\ncurve\n    public-key = \"%s\"\n    secret-key = \"%s\"\n", secret_note,
        public_text, secret_text);
    error = write_new(secret_path, 0600, content, diagnostic);
    if (error == 0) {
        snprintf(content, sizeof content, "%s\nmetadata\ncurve\n    public-key = \"%s\"\n",
            public_note, public_text);
        error = write_new(path, 0644, content, diagnostic);
        if (error != 0) {
            (void)files_remove(files_system(), secret_path);
        }
    }
    explicit_bzero(content, sizeof content);
    explicit_bzero(secret_text, sizeof secret_text);
    if (error == 0) {
        memcpy(text, public_text, sizeof public_text);
    }
    return error;
}

/* Turns a key that was read from `path` into bytes. */
static int
decode_key(const char *path, const char *name, const char *text, uint8_t key[CERTIFICATE_KEY_SIZE],
    struct diagnostic *diagnostic)
{
    uint8_t bytes[CERTIFICATE_KEY_SIZE];
    char again[CERTIFICATE_TEXT_SIZE];
    if (text[0] == '\0') {
        return diagnostic_set(diagnostic, ERROR_INVALID, "%s: %s is missing", path, name);
    }
    /* libzmq is lenient about characters that Z85 does not have. */
    if (zmq_z85_decode(bytes, text) == NULL || zmq_z85_encode(again, bytes, sizeof bytes) == NULL ||
        strcmp(again, text) != 0) {
        return diagnostic_set(
            diagnostic, ERROR_INVALID, "%s: %s is no key of 40 characters of Z85", path, name);
    }
    memcpy(key, bytes, sizeof bytes);
    explicit_bzero(bytes, sizeof bytes);
    explicit_bzero(again, sizeof again);
    return 0;
}

static const char public_name[] = "curve/public-key";
static const char secret_name[] = "curve/secret-key";

/* Reads a file of which nothing is known yet; one without a public key is told to be something
 * else.
 */
static int
read_settings(const char *path, const struct setting *settings, size_t count,
    const char *public_text, struct diagnostic *diagnostic)
{
    struct diagnostic why = {""};
    int error = settings_read(path, settings, count, &why);
    if (error == 0 && public_text[0] == '\0') {
        error = diagnostic_set(&why, ERROR_INVALID, "%s: %s is missing", path, public_name);
    }
    if (error != ERROR_INVALID || public_text[0] != '\0') {
        return error == 0 ? 0 : diagnostic_set(diagnostic, error, "%s", why.text);
    }
    size_t path_size = strlen(path);
    bool is_named = strncmp(why.text, path, path_size) == 0;
    return diagnostic_set(
        diagnostic, error, "%s: is no certificate%s", path, is_named ? &why.text[path_size] : "");
}

int
certificate_read_public(
    const char *path, uint8_t public_key[CERTIFICATE_KEY_SIZE], struct diagnostic *diagnostic)
{
    char text[CERTIFICATE_TEXT_SIZE] = "";
    char secret_text[CERTIFICATE_TEXT_SIZE] = "";
    const struct setting settings[] = {
        {"metadata", SETTING_IGNORED, 0, 0, NULL},
        {public_name, SETTING_TEXT, sizeof text - 1, sizeof text, text},
        {secret_name, SETTING_TEXT, 1, sizeof secret_text, secret_text},
    };
    int error =
        read_settings(path, settings, sizeof settings / sizeof settings[0], text, diagnostic);
    bool has_secret = secret_text[0] != '\0';
    explicit_bzero(secret_text, sizeof secret_text);
    if (has_secret) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "%s: this is the secret half of a certificate, and the public half is wanted here; if "
            "anybody else was given it, make a new certificate",
            path);
    }
    if (error == 0) {
        error = secret_check_writers(path, diagnostic);
    }
    return error != 0 ? error : decode_key(path, public_name, text, public_key, diagnostic);
}

int
certificate_read_secret(
    const char *path, struct certificate *certificate, struct diagnostic *diagnostic)
{
    char public_text[CERTIFICATE_TEXT_SIZE] = "";
    char secret_text[CERTIFICATE_TEXT_SIZE] = "";
    char derived[CERTIFICATE_TEXT_SIZE];
    char file[FILES_PATH_SIZE];
    const struct setting settings[] = {
        {"metadata", SETTING_IGNORED, 0, 0, NULL},
        {public_name, SETTING_TEXT, sizeof public_text - 1, sizeof public_text, public_text},
        {secret_name, SETTING_TEXT, sizeof secret_text - 1, sizeof secret_text, secret_text},
    };
    struct certificate result = {.public_key = {0}};
    int error = name_secret(path, file, diagnostic);
    if (error == 0) {
        error = secret_check(file, diagnostic);
    }
    if (error == 0) {
        error = read_settings(
            file, settings, sizeof settings / sizeof settings[0], public_text, diagnostic);
    }
    if (error == 0) {
        error = decode_key(file, public_name, public_text, result.public_key, diagnostic);
    }
    if (error == 0) {
        error = decode_key(file, secret_name, secret_text, result.secret_key, diagnostic);
    }
    if (error == 0 &&
        (zmq_curve_public(derived, secret_text) != 0 || strcmp(derived, public_text) != 0)) {
        error = diagnostic_set(
            diagnostic, ERROR_INVALID, "%s: %s and %s are no pair", file, public_name, secret_name);
    }
    if (error == 0) {
        *certificate = result;
    }
    explicit_bzero(&result, sizeof result);
    explicit_bzero(secret_text, sizeof secret_text);
    return error;
}
