/** users_file.h: a users.conf of a test, what is said about it, and two hashes to put there. */
#ifndef STOCKBUS_TESTS_USERS_FILE_H
#define STOCKBUS_TESTS_USERS_FILE_H

#include "support/scratch.h"

#include "shared/error.h"
#include "shared/files.h"

/* Hashes that are checked in no time, of "apple" and of "banana". */
#define APPLE                                                      \
    "$argon2id$v=19$m=8,t=1,p=1$7LsxM6m+kmdlqIeEuhRCZA$/6YY6WJwR/" \
    "5aRJGx8vJDv0H1+YMQ8oBUoDofki+K5xw"
#define BANANA                                                     \
    "$argon2id$v=19$m=8,t=1,p=1$BbMq2CmG+8UQ3pQpIumxhA$aSZgXOXuj+" \
    "hHZZo4WAOVRn8nDYBsB7jYipqnkNeakso"

/* Path of the file, and the last sentence about it. */
static char path[512];
static struct diagnostic diagnostic;

/** Writes `text` into the users.conf of a scratch folder, the state of a test. */
static inline void
write_file(void **state, const char *text)
{
    assert_int_equal(files_join(path, sizeof path, *state, "users.conf"), 0);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    fputs(text, file);
    fclose(file);
    diagnostic.text[0] = '\0';
}

/** Sees that the sentence names the file and holds `words`. */
static inline void
expect_reason(const char *words)
{
    if (strncmp(diagnostic.text, path, strlen(path)) != 0 ||
        strstr(diagnostic.text, words) == NULL) {
        fail_msg("'%s' lacks '%s'", diagnostic.text, words);
    }
}

#endif
