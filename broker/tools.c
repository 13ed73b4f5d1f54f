#include "broker/tools.h"

#include "broker/log.h"
#include "broker/passhash.h"
#include "shared/certificate.h"
#include "shared/limits.h"
#include "shared/pack.h"
#include "shared/text.h"

#include <bsd/readpassphrase.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Reads a line: from the terminal without echo, where standard input is one, and otherwise from
 * standard input. readpassphrase() leaves the terminal as it was, also when Ctrl-C ends the
 * process.
 */
static bool
read_password(const char *prompt, char *password, size_t size)
{
    if (isatty(STDIN_FILENO) == 1) {
        return readpassphrase(prompt, password, size, RPP_REQUIRE_TTY) != NULL;
    }
    bool got = fgets(password, (int)size, stdin) != NULL;
    if (got) {
        password[strcspn(password, "\r\n")] = '\0';
    }
    return got;
}

/* Asks for the password once more, where it was typed: nobody has seen it. */
static bool
is_confirmed(const char *password)
{
    char again[PASSWORD_SIZE_MAX + 2];
    if (isatty(STDIN_FILENO) != 1) {
        return true;
    }
    bool is_same =
        read_password("The same again: ", again, sizeof again) && strcmp(again, password) == 0;
    sodium_memzero(again, sizeof again);
    return is_same;
}

int
tools_hash_password(void)
{
    char password[PASSWORD_SIZE_MAX + 2];
    char hash[PASSHASH_TEXT_SIZE];
    bool got = read_password("Password: ", password, sizeof password);
    size_t size = got ? strlen(password) : 0;
    if (size == 0 || size > PASSWORD_SIZE_MAX || !text_is_printable(password, size)) {
        sodium_memzero(password, sizeof password);
        log_line(LEVEL_ERROR, "a password has 1 to %d bytes of printable UTF-8", PASSWORD_SIZE_MAX);
        return ERROR_INVALID;
    }
    if (!is_confirmed(password)) {
        sodium_memzero(password, sizeof password);
        log_line(LEVEL_ERROR, "that was not the same password twice; try again");
        return ERROR_INVALID;
    }
    int error = passhash_make(password, hash);
    sodium_memzero(password, sizeof password);
    if (error != 0) {
        log_line(LEVEL_ERROR, "%s", error_text(error));
        return error;
    }
    puts(hash);
    return 0;
}

int
tools_make_certificate(const char *path)
{
    char key[CERTIFICATE_TEXT_SIZE];
    struct diagnostic diagnostic = {""};
    int error = certificate_make(path, key, &diagnostic);
    if (error != 0) {
        log_line(LEVEL_ERROR, "%s", diagnostic.text);
        return error;
    }
    printf("wrote %s, for the clients, and %s" CERTIFICATE_SECRET_SUFFIX ", which stays here\n"
           "public key: %s\n"
           "next: name %s as 'certificate' under 'curve' in broker.conf\n",
        path, path, key, path);
    return 0;
}
