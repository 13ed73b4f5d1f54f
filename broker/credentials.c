#include "broker/credentials.h"

#include "broker/passhash.h"
#include "shared/certificate.h"
#include "shared/limits.h"
#include "shared/pack.h"

#include <bsd/readpassphrase.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Reads a line: from the terminal without echo, where standard input is one, and otherwise from
 * standard input. readpassphrase() leaves the terminal as it was, also when Ctrl-C ends the
 * process.
 */
static bool
read_password(char *password, size_t size)
{
    if (isatty(STDIN_FILENO) == 1) {
        return readpassphrase("Password: ", password, size, RPP_REQUIRE_TTY) != NULL;
    }
    bool got = fgets(password, (int)size, stdin) != NULL;
    if (got) {
        password[strcspn(password, "\r\n")] = '\0';
    }
    return got;
}

int
credentials_print_hash(struct diagnostic *diagnostic)
{
    char password[PASSWORD_SIZE_MAX + 2];
    char hash[PASSHASH_TEXT_SIZE];
    bool got = read_password(password, sizeof password);
    size_t size = got ? strlen(password) : 0;
    if (size == 0 || size > PASSWORD_SIZE_MAX || !text_is_printable(password, size)) {
        sodium_memzero(password, sizeof password);
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "a password has 1 to %d bytes of printable UTF-8", PASSWORD_SIZE_MAX);
    }
    int error = passhash_make(password, hash);
    sodium_memzero(password, sizeof password);
    if (error != 0) {
        return diagnostic_set(diagnostic, error, "%s", error_text(error));
    }
    puts(hash);
    return 0;
}

int
credentials_make_certificate(const char *path, struct diagnostic *diagnostic)
{
    char key[CERTIFICATE_TEXT_SIZE];
    int error = certificate_make(path, key, diagnostic);
    if (error != 0) {
        return error;
    }
    printf("wrote %s, for the clients, and %s" CERTIFICATE_SECRET_SUFFIX ", which stays here\n"
           "public key: %s\n"
           "next: name %s as 'certificate' under 'curve' in broker.conf\n",
        path, path, key, path);
    return 0;
}
