#include "broker/keys.h"

#include "shared/array.h"
#include "shared/files.h"
#include "shared/secret.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

struct key {
    char text[CERTIFICATE_TEXT_SIZE];
};

struct key_table {
    struct key *rows; /* in ascending order */
    size_t count;
    size_t count_max;
};

struct keys {
    char folder[FILES_PATH_SIZE];
    pthread_mutex_t lock;
    struct key_table table; /* under the lock; only the loop's thread changes it */
};

/* A folder that is being read. */
struct folder {
    const char *path;
    struct key_table table;
    keys_bad_fn *bad; /* NULL: a bad file is an error */
    void *bad_context;
    struct diagnostic *diagnostic;
    int error;
};

static int
compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool
is_certificate(const char *name)
{
    size_t size = strlen(name);
    size_t suffix_size = strlen(CERTIFICATE_SECRET_SUFFIX);
    bool is_secret =
        size >= suffix_size && strcmp(name + size - suffix_size, CERTIFICATE_SECRET_SUFFIX) == 0;
    return name[0] != '.' && !is_secret;
}

static int
read_key(const char *folder, const char *name, uint8_t bytes[CERTIFICATE_KEY_SIZE],
    struct diagnostic *diagnostic)
{
    char path[FILES_PATH_SIZE];
    int error = files_join(path, sizeof path, folder, name);
    return error == 0
               ? certificate_read_public(path, bytes, diagnostic)
               : diagnostic_set(diagnostic, error, "%s/%s: %s", folder, name, error_text(error));
}

static void
take_file(void *context, const char *name)
{
    struct folder *folder = context;
    struct key_table *table = &folder->table;
    uint8_t bytes[CERTIFICATE_KEY_SIZE];
    if (folder->error != 0 || !is_certificate(name)) {
        return;
    }
    int error = read_key(folder->path, name, bytes, folder->diagnostic);
    if (error != 0 && error != ERROR_MEMORY && folder->bad != NULL) {
        folder->bad(folder->bad_context, folder->diagnostic->text);
        return;
    }
    if (error != 0) {
        folder->error = error;
        return;
    }
    struct key *rows =
        array_grow(table->rows, table->count, &table->count_max, sizeof *table->rows);
    if (rows == NULL) {
        folder->error = diagnostic_set(
            folder->diagnostic, ERROR_MEMORY, "%s: %s", folder->path, error_text(ERROR_MEMORY));
        return;
    }
    table->rows = rows;
    zmq_z85_encode(rows[table->count++].text, bytes, sizeof bytes);
}

/* Reads the certificates in `folder->path` into its table. */
static int
read_folder(struct folder *folder)
{
    int error = secret_check_writers(folder->path, folder->diagnostic);
    if (error != 0) {
        return error;
    }
    error = files_list(files_system(), folder->path, take_file, folder);
    if (error != 0) {
        diagnostic_set(folder->diagnostic, error, "%s: %s", folder->path, error_text(error));
    } else {
        error = folder->error;
    }
    if (error != 0) {
        free(folder->table.rows);
        return error;
    }
    if (folder->table.count > 0) {
        qsort(folder->table.rows, folder->table.count, sizeof *folder->table.rows, compare);
    }
    return 0;
}

int
keys_open(struct keys **result, const char *path, struct diagnostic *diagnostic)
{
    struct folder folder = {.path = path, .diagnostic = diagnostic};
    struct keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL) {
        return diagnostic_set(diagnostic, ERROR_MEMORY, "%s", error_text(ERROR_MEMORY));
    }
    int error = read_folder(&folder);
    if (error != 0) {
        free(keys);
        return error;
    }
    snprintf(keys->folder, sizeof keys->folder, "%s", path);
    keys->table = folder.table;
    pthread_mutex_init(&keys->lock, NULL);
    *result = keys;
    return 0;
}

int
keys_reload(struct keys *keys, keys_bad_fn *bad, void *context, struct diagnostic *diagnostic)
{
    struct folder folder = {
        .path = keys->folder, .bad = bad, .bad_context = context, .diagnostic = diagnostic};
    int error = read_folder(&folder);
    if (error != 0) {
        return error;
    }
    pthread_mutex_lock(&keys->lock);
    struct key_table old = keys->table;
    keys->table = folder.table;
    pthread_mutex_unlock(&keys->lock);
    free(old.rows);
    return 0;
}

bool
keys_allow(struct keys *keys, const char *text)
{
    pthread_mutex_lock(&keys->lock);
    bool is_allowed = keys->table.count > 0 && bsearch(text, keys->table.rows, keys->table.count,
                                                   sizeof *keys->table.rows, compare) != NULL;
    pthread_mutex_unlock(&keys->lock);
    return is_allowed;
}

size_t
keys_count(const struct keys *keys)
{
    /* Only this thread changes the table, so it may read without the lock. */
    return keys->table.count;
}

void
keys_close(struct keys **keys)
{
    if (*keys != NULL) {
        pthread_mutex_destroy(&(*keys)->lock);
        free((*keys)->table.rows);
        free(*keys);
        *keys = NULL;
    }
}
