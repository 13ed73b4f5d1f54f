#include "broker/bouncer.h"

#include "shared/error.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum {
    GAP = 64,     /* so many closed descriptors in a row, above all that were open, end a look */
    NICENESS = 10 /* of the thread, as of the one that checks passwords */
};

/* A connection, as it was when a message was last taken from it and something sent on it. */
struct connection {
    uint64_t cookie; /* the kernel's name for it: a descriptor may be another one's by now */
    uint64_t received;
    uint32_t segments_sent;
    uint32_t messages;
};

struct bouncer {
    struct connection *connections; /* by descriptor, like the next */
    _Atomic uint32_t *messages;     /* that were taken from whatever connections it had */
    size_t fd_count;
    size_t fd_end; /* all descriptors that were open at the last look are below it */
    unsigned looks;

    bool has_thread;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended; /* signalled when `ending` becomes true */
    bool ending;          /* under the lock */
};

struct bouncer *
bouncer_new(void)
{
    struct rlimit limit;
    struct bouncer *bouncer = calloc(1, sizeof *bouncer);
    if (bouncer == NULL || getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        free(bouncer);
        return NULL;
    }
    bouncer->fd_count =
        limit.rlim_cur < BOUNCER_FD_COUNT_MAX ? (size_t)limit.rlim_cur : BOUNCER_FD_COUNT_MAX;
    /* Only the pages of descriptors that are used are ever touched. */
    bouncer->connections = calloc(bouncer->fd_count, sizeof *bouncer->connections);
    bouncer->messages = calloc(bouncer->fd_count, sizeof *bouncer->messages);
    if (bouncer->connections == NULL || bouncer->messages == NULL) {
        free(bouncer->connections);
        free(bouncer->messages);
        free(bouncer);
        return NULL;
    }
    pthread_condattr_t attributes;
    pthread_mutex_init(&bouncer->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&bouncer->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    return bouncer;
}

void
bouncer_took(struct bouncer *bouncer, int fd)
{
    if (fd >= 0 && (size_t)fd < bouncer->fd_count) {
        atomic_fetch_add_explicit(&bouncer->messages[fd], 1, memory_order_relaxed);
    }
}

/* Compares what a connection has brought with what it had. Returns whether it is too much. */
static bool
is_too_much(struct bouncer *bouncer, size_t fd, uint64_t cookie, const struct tcp_info *info)
{
    struct connection *connection = &bouncer->connections[fd];
    uint32_t messages = atomic_load_explicit(&bouncer->messages[fd], memory_order_relaxed);
    if (connection->cookie != cookie || info->tcpi_bytes_received < connection->received) {
        /* Messages that were taken since count: they may well have been this one's. */
        *connection = (struct connection){.cookie = cookie, .messages = connection->messages};
    }
    if (connection->messages != messages && connection->segments_sent != info->tcpi_data_segs_out) {
        connection->messages = messages;
        connection->segments_sent = info->tcpi_data_segs_out;
        connection->received = info->tcpi_bytes_received;
    }
    if (info->tcpi_bytes_received - connection->received >= BOUNCER_FORGIVEN) {
        connection->received += BOUNCER_FORGIVEN;
    }
    return info->tcpi_bytes_received - connection->received > BOUNCER_UNANSWERED_MAX;
}

/* Looks at one descriptor. Returns whether it is open, and in `*is_bad` whether to shut it down. */
static bool
look_at(struct bouncer *bouncer, size_t fd, bool *is_bad)
{
    uint64_t cookie = 0;
    struct tcp_info info;
    socklen_t cookie_size = sizeof cookie;
    socklen_t info_size = sizeof info;
    *is_bad = false;
    /* In this order: counters of another connection than the cookie's are those of a later one. */
    if (getsockopt((int)fd, SOL_SOCKET, SO_COOKIE, &cookie, &cookie_size) != 0) {
        return errno != EBADF;
    }
    if (getsockopt((int)fd, IPPROTO_TCP, TCP_INFO, &info, &info_size) == 0) {
        *is_bad = is_too_much(bouncer, fd, cookie, &info);
    }
    return true;
}

size_t
bouncer_look(struct bouncer *bouncer)
{
    size_t count = 0;
    size_t fd_end = 0;
    size_t end = bouncer->fd_end + GAP;
    if (bouncer->looks++ % BOUNCER_ALL_EVERY == 0) {
        end = bouncer->fd_count;
    }
    for (size_t fd = 0; fd < bouncer->fd_count && (fd < end || fd < fd_end + GAP); fd++) {
        bool is_bad;
        if (look_at(bouncer, fd, &is_bad)) {
            fd_end = fd + 1;
        }
        if (is_bad) {
            count += shutdown((int)fd, SHUT_RDWR) == 0;
        }
    }
    bouncer->fd_end = fd_end;
    return count;
}

/* Waits until it is time to look again. Returns false at the end. */
static bool
wait_a_while(struct bouncer *bouncer)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += BOUNCER_EVERY_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&bouncer->lock);
    while (
        !bouncer->ending && pthread_cond_timedwait(&bouncer->ended, &bouncer->lock, &until) == 0) {
    }
    bool going_on = !bouncer->ending;
    pthread_mutex_unlock(&bouncer->lock);
    return going_on;
}

static void *
look_and_look(void *context)
{
    /* On Linux this is of the calling thread alone. Where it fails, looking costs others more. */
    (void)setpriority(PRIO_PROCESS, 0, NICENESS);
    while (wait_a_while(context)) {
        (void)bouncer_look(context);
    }
    return NULL;
}

int
bouncer_start(struct bouncer **result)
{
    struct bouncer *bouncer = bouncer_new();
    if (bouncer == NULL) {
        return ERROR_MEMORY;
    }
    if (pthread_create(&bouncer->thread, NULL, look_and_look, bouncer) != 0) {
        bouncer_stop(&bouncer);
        return ERROR_MEMORY;
    }
    bouncer->has_thread = true;
    *result = bouncer;
    return 0;
}

void
bouncer_stop(struct bouncer **result)
{
    struct bouncer *bouncer = *result;
    if (bouncer == NULL) {
        return;
    }
    if (bouncer->has_thread) {
        pthread_mutex_lock(&bouncer->lock);
        bouncer->ending = true;
        pthread_cond_signal(&bouncer->ended);
        pthread_mutex_unlock(&bouncer->lock);
        pthread_join(bouncer->thread, NULL);
    }
    pthread_cond_destroy(&bouncer->ended);
    pthread_mutex_destroy(&bouncer->lock);
    free(bouncer->connections);
    free(bouncer->messages);
    free(bouncer);
    *result = NULL;
}
