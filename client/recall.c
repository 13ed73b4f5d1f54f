#include "client/recall.h"

#include "client/commands.h"
#include "client/words.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_SIZE_MAX = 1024 * 1024 /* larger files are begun anew */
};

bool
recall_may_keep(const char *line)
{
    static char *words[WORDS_MAX + 1];
    size_t count = 0;
    char *copy = strdup(line);
    bool keep = copy != NULL && words_split(copy, words, WORDS_MAX, &count, NULL) == 0 && count > 0;
    const struct command *command = keep ? commands_find(words[0]) : NULL;
    keep = command != NULL;
    if (keep && strcmp(command->name, "login") == 0) {
        /* A word behind the user is a password that was typed in the wrong place. */
        keep = count <= 2 || (count <= 4 && (strcmp(words[1], "--password-file") == 0 ||
                                                strcmp(words[2], "--password-file") == 0));
    }
    free(copy);
    return keep;
}

static int
open_private(const char *path, int flags)
{
    struct stat status;
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    bool good = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    if (good && (status.st_mode & 077) != 0) {
        good = fchmod(fd, 0600) == 0;
    }
    if (fd >= 0 && !good) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Writes the lines behind the first `skip` into a new file. */
static void
cut(const char *path, FILE *file, unsigned long skip)
{
    char name[4096 + 8];
    char *line = NULL;
    size_t room = 0;
    snprintf(name, sizeof name, "%s.new", path);
    int fd = open_private(name, O_WRONLY | O_CREAT | O_TRUNC);
    FILE *shorter = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (shorter == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    rewind(file);
    for (unsigned long i = 0; getline(&line, &room, file) >= 0; i++) {
        if (i >= skip) {
            fputs(line, shorter);
        }
    }
    free(line);
    if (fclose(shorter) != 0 || rename(name, path) != 0) {
        unlink(name);
    }
}

void
recall_load(const char *path, void (*add)(void *context, const char *line), void *context)
{
    char *line = NULL;
    size_t room = 0;
    struct stat status;
    int fd = open_private(path, O_RDONLY);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (file == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    if (fstat(fd, &status) == 0 && status.st_size > FILE_SIZE_MAX) {
        unlink(path);
    } else {
        unsigned long count = 0;
        while (getline(&line, &room, file) >= 0) {
            count++;
            line[strcspn(line, "\r\n")] = '\0';
            if (recall_may_keep(line)) {
                add(context, line);
            }
        }
        if (count > 2 * RECALL_LINES_MAX) {
            cut(path, file, count - RECALL_LINES_MAX);
        }
    }
    free(line);
    (void)fclose(file); /* it was only read */
}

void
recall_append(const char *path, const char *line)
{
    int fd = recall_may_keep(line) ? open_private(path, O_WRONLY | O_CREAT | O_APPEND) : -1;
    if (fd >= 0) {
        dprintf(fd, "%s\n", line);
        close(fd);
    }
}
