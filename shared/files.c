#include "shared/files.h"

#include "shared/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The table of the operating system. */

static int
system_open(struct files *files, const char *path, int flags, mode_t mode)
{
    (void)files;
    int fd = open(path, flags, mode);
    /* cppcheck-suppress resourceLeak ; the caller gets it */
    return fd < 0 ? -errno : fd;
}

static int
system_close(struct files *files, int fd)
{
    (void)files;
    return close(fd) < 0 ? -errno : 0;
}

static ssize_t
system_pread(struct files *files, int fd, void *data, size_t size, int64_t offset)
{
    (void)files;
    ssize_t got = pread(fd, data, size, offset);
    return got < 0 ? -errno : got;
}

static ssize_t
system_pwrite(struct files *files, int fd, const void *data, size_t size, int64_t offset)
{
    (void)files;
    ssize_t put = pwrite(fd, data, size, offset);
    return put < 0 ? -errno : put;
}

static int
system_fdatasync(struct files *files, int fd)
{
    (void)files;
    return fdatasync(fd) < 0 ? -errno : 0;
}

static int
system_fsync(struct files *files, int fd)
{
    (void)files;
    return fsync(fd) < 0 ? -errno : 0;
}

static int
system_ftruncate(struct files *files, int fd, int64_t size)
{
    (void)files;
    return ftruncate(fd, size) < 0 ? -errno : 0;
}

static int64_t
system_size(struct files *files, int fd)
{
    (void)files;
    struct stat status;
    return fstat(fd, &status) < 0 ? -errno : status.st_size;
}

static int
system_lock(struct files *files, int fd)
{
    (void)files;
    return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

static int
system_rename(struct files *files, const char *from, const char *to)
{
    (void)files;
    return rename(from, to) < 0 ? -errno : 0;
}

static int
system_unlink(struct files *files, const char *path)
{
    (void)files;
    return unlink(path) < 0 ? -errno : 0;
}

static int
system_mkdir(struct files *files, const char *path, mode_t mode)
{
    (void)files;
    return mkdir(path, mode) < 0 ? -errno : 0;
}

static int
system_list(struct files *files, const char *path, files_list_fn *each, void *context)
{
    (void)files;
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return -errno;
    }
    int result = 0;
    for (;;) {
        errno = 0;
        /* cppcheck-suppress readdirCalled ; the stream is this call's own */
        struct dirent *entry = readdir(directory);
        if (entry == NULL) {
            result = -errno;
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        each(context, entry->d_name);
    }
    closedir(directory);
    return result;
}

struct files *
files_system(void)
{
    static struct files table = {
        .open = system_open,
        .close = system_close,
        .pread = system_pread,
        .pwrite = system_pwrite,
        .fdatasync = system_fdatasync,
        .fsync = system_fsync,
        .ftruncate = system_ftruncate,
        .size = system_size,
        .lock = system_lock,
        .rename = system_rename,
        .unlink = system_unlink,
        .mkdir = system_mkdir,
        .list = system_list,
    };
    return &table;
}

/* What the programs call. */

static int
code(int64_t result)
{
    return result < 0 ? error_from_errno((int)-result) : 0;
}

int
files_open(struct files *files, const char *path, int flags, int *fd)
{
    int result;
    do {
        result = files->open(files, path, flags | O_CLOEXEC, 0600);
    } while (result == -EINTR);
    if (result < 0) {
        return code(result);
    }
    *fd = result;
    return 0;
}

void
files_close(struct files *files, int *fd)
{
    if (*fd >= 0) {
        files->close(files, *fd);
        *fd = -1;
    }
}

int
files_write(struct files *files, int fd, const void *data, size_t size, int64_t offset)
{
    const unsigned char *rest = data;
    while (size > 0) {
        ssize_t put = files->pwrite(files, fd, rest, size, offset);
        if (put == -EINTR) {
            continue;
        }
        if (put < 0) {
            return code(put);
        }
        if (put == 0) {
            return ERROR_IO;
        }
        rest += put;
        size -= (size_t)put;
        offset += put;
    }
    return 0;
}

int
files_read(struct files *files, int fd, void *data, size_t size, int64_t offset, size_t *got)
{
    unsigned char *rest = data;
    size_t total = 0;
    while (total < size) {
        ssize_t count =
            files->pread(files, fd, rest + total, size - total, offset + (int64_t)total);
        if (count == -EINTR) {
            continue;
        }
        if (count < 0) {
            return code(count);
        }
        if (count == 0) {
            break;
        }
        total += (size_t)count;
    }
    *got = total;
    return 0;
}

int
files_sync_data(struct files *files, int fd)
{
    int result;
    do {
        result = files->fdatasync(files, fd);
    } while (result == -EINTR);
    return code(result);
}

int
files_sync(struct files *files, int fd)
{
    int result;
    do {
        result = files->fsync(files, fd);
    } while (result == -EINTR);
    return code(result);
}

int
files_resize(struct files *files, int fd, int64_t size)
{
    int result;
    do {
        result = files->ftruncate(files, fd, size);
    } while (result == -EINTR);
    return code(result);
}

int
files_size(struct files *files, int fd, int64_t *size)
{
    int64_t result = files->size(files, fd);
    if (result < 0) {
        return code(result);
    }
    *size = result;
    return 0;
}

int
files_read_all(
    struct files *files, const char *path, size_t size_max, unsigned char **data, size_t *size)
{
    int fd = -1;
    unsigned char *content = NULL;
    int64_t file_size = 0;
    size_t got = 0;

    int error = files_open(files, path, O_RDONLY, &fd);
    if (error != 0) {
        return error;
    }
    error = files_size(files, fd, &file_size);
    if (error != 0) {
        goto done;
    }
    if ((uint64_t)file_size > size_max) {
        error = ERROR_TOO_LARGE;
        goto done;
    }
    content = malloc((size_t)file_size + 1);
    if (content == NULL) {
        error = ERROR_MEMORY;
        goto done;
    }
    error = files_read(files, fd, content, (size_t)file_size, 0, &got);
    if (error != 0) {
        goto done;
    }
    content[got] = 0;
    *data = content;
    *size = got;
    content = NULL;
done:
    free(content);
    files_close(files, &fd);
    return error;
}

int
files_rename(struct files *files, const char *from, const char *to)
{
    return code(files->rename(files, from, to));
}

int
files_remove(struct files *files, const char *path)
{
    int result = files->unlink(files, path);
    return result == -ENOENT ? 0 : code(result);
}

int
files_sync_directory(struct files *files, const char *path)
{
    int fd = -1;
    int error = files_open(files, path, O_RDONLY | O_DIRECTORY, &fd);
    if (error == 0) {
        error = files_sync(files, fd);
        files_close(files, &fd);
    }
    return error;
}

/* Forces the name of `path` in its parent to the disk. */
static int
sync_parent(struct files *files, const char *path)
{
    char parent[FILES_PATH_SIZE];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash == NULL) {
        return files_sync_directory(files, ".");
    }
    slash[slash == parent ? 1 : 0] = '\0';
    return files_sync_directory(files, parent);
}

/* The same, but for one that this process may not even open: then it did not make `path`. */
static int
sync_parent_if_allowed(struct files *files, const char *path)
{
    int error = sync_parent(files, path);
    return error == ERROR_PERMISSION || error == ERROR_INVALID ? 0 : error;
}

/* Makes one directory whose parent is there. Returns 0 also when the directory is there already. */
static int
make_one(struct files *files, const char *path)
{
    int result = files->mkdir(files, path, 0700);
    if (result == -EEXIST) {
        return 0;
    }
    return result < 0 ? code(result) : sync_parent(files, path);
}

/* Calls `each` with every directory on the way to `path`, and with `path` itself, until one fails.
 */
static int
each_prefix(
    struct files *files, const char *path, int (*each)(struct files *files, const char *path))
{
    char prefix[FILES_PATH_SIZE];
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof prefix) {
        return ERROR_INVALID;
    }
    memcpy(prefix, path, size + 1);
    for (char *slash = strchr(prefix + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        if (slash[1] == '/' || slash[1] == '\0') {
            continue;
        }
        *slash = '\0';
        int error = each(files, prefix);
        if (error != 0) {
            return error;
        }
        *slash = '/';
    }
    while (size > 1 && prefix[size - 1] == '/') {
        prefix[--size] = '\0';
    }
    return each(files, prefix);
}

int
files_make_directory(struct files *files, const char *path)
{
    return each_prefix(files, path, make_one);
}

int
files_sync_parents(struct files *files, const char *path)
{
    return each_prefix(files, path, sync_parent_if_allowed);
}

int
files_list(struct files *files, const char *path, files_list_fn *each, void *context)
{
    return code(files->list(files, path, each, context));
}

int
files_lock_directory(struct files *files, const char *path, int *fd)
{
    char lock_path[FILES_PATH_SIZE];
    int lock_fd = -1;

    int error = files_join(lock_path, sizeof lock_path, path, "lock");
    if (error == 0) {
        error = files_open(files, lock_path, O_RDWR | O_CREAT, &lock_fd);
    }
    if (error != 0) {
        return error;
    }
    error = code(files->lock(files, lock_fd));
    if (error != 0) {
        files_close(files, &lock_fd);
        return error;
    }
    *fd = lock_fd;
    return 0;
}

int
files_join(char *path, size_t path_size, const char *directory, const char *name)
{
    int size = snprintf(path, path_size, "%s/%s", directory, name);
    return size < 0 || (size_t)size >= path_size ? ERROR_TOO_LARGE : 0;
}
