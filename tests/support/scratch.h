/** scratch.h: a folder of its own for a test, gone when the test is over. */
#ifndef STOCKBUS_TESTS_SCRATCH_H
#define STOCKBUS_TESTS_SCRATCH_H

#include "support/cmocka_headers.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline int
scratch_remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

/** Removes `path` and all below it. */
static inline void
scratch_remove(const char *path)
{
    (void)nftw(path, scratch_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/** A cmocka setup: makes a folder below TMPDIR; its path, on the heap, becomes the state. */
static inline int
scratch_setup(void **state)
{
    const char *parent = getenv("TMPDIR");
    char path[256];
    snprintf(path, sizeof path, "%s/stockbus-test-XXXXXX", parent != NULL ? parent : "/tmp");
    if (mkdtemp(path) == NULL) {
        return -1;
    }
    *state = strdup(path);
    return *state == NULL ? -1 : 0;
}

/** The cmocka teardown for it. */
static inline int
scratch_teardown(void **state)
{
    scratch_remove(*state);
    free(*state);
    return 0;
}

#endif
