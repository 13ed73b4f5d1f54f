/** scratch.h: a folder of its own for a test, gone when the test is over. */
#ifndef STOCKBUS_TESTS_SCRATCH_H
#define STOCKBUS_TESTS_SCRATCH_H

#include "support/cmocka_headers.h"

#include <dirent.h>
#include <fcntl.h>
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

/** Makes folder `to`, with copies of the files in folder `from`. */
static inline void
scratch_copy(const char *from, const char *to)
{
    DIR *directory = opendir(from);
    assert_non_null(directory);
    assert_int_equal(mkdir(to, 0700), 0);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char path[1024];
        char bytes[4096];
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", from, entry->d_name);
        int source = open(path, O_RDONLY);
        snprintf(path, sizeof path, "%s/%s", to, entry->d_name);
        int target = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        assert_true(source >= 0 && target >= 0);
        for (ssize_t size; (size = read(source, bytes, sizeof bytes)) != 0;) {
            assert_true(size > 0 && write(target, bytes, (size_t)size) == size);
        }
        close(source);
        close(target);
    }
    closedir(directory);
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

/** A test that has such a folder as its state. */
#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

#endif
