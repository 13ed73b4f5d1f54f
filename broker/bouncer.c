#include "broker/bouncer.h"

#include "broker/connection.h"
#include "broker/log.h"
#include "shared/error.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum {
    GAP = 64,        /* so many closed descriptors in a row, above all that were open, end a look */
    ALERT_MS = 1000, /* so long after the last peer of that kind the thread is on the alert */
    /* Between two looks it sleeps so many times as long as one takes, at least. */
    ALERT_SHARE = 10,
    BUSY_SHARE = 50
};

/* What is known of a connection. */
struct watched {
    uint64_t cookie;
    uint64_t answered;      /* bytes that came and were taken, and something was sent since */
    uint64_t taken;         /* the descriptor's count, when something had last been sent */
    uint32_t segments_sent; /* then */
    uint64_t slow_at;       /* bytes received at the last look since it was slowed; 0: it was not */
};

struct bouncer {
    struct watched *watched; /* by descriptor, like the next */
    /* Bytes that were taken from whatever connections it had, and BOUNCER_SPARE of each message. */
    _Atomic uint64_t *taken;
    size_t fd_count;
    size_t fd_end;           /* all descriptors that were open at the last look are below it */
    uint64_t unanswered_max; /* bytes that a connection may have without an answer */
    atomic_bool is_alerted;  /* since the thread last asked, as is the next */
    atomic_bool has_taken;   /* a message */

    bool has_thread;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended; /* signalled when `ending` becomes true */
    bool ending;          /* under the lock */
};

struct bouncer *
bouncer_new(void)
{
    struct bouncer *bouncer = calloc(1, sizeof *bouncer);
    if (bouncer == NULL) {
        return NULL;
    }
    bouncer->fd_count = connection_fd_count();
    bouncer->unanswered_max = BOUNCER_UNANSWERED_MAX;
    /* Only the pages of descriptors that are used are ever touched. */
    bouncer->watched = calloc(bouncer->fd_count, sizeof *bouncer->watched);
    bouncer->taken = calloc(bouncer->fd_count, sizeof *bouncer->taken);
    if (bouncer->watched == NULL || bouncer->taken == NULL) {
        free(bouncer->watched);
        free(bouncer->taken);
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
bouncer_took(struct bouncer *bouncer, int fd, size_t bytes)
{
    if (fd >= 0 && (size_t)fd < bouncer->fd_count) {
        atomic_fetch_add_explicit(&bouncer->taken[fd], bytes + BOUNCER_SPARE, memory_order_relaxed);
        atomic_store_explicit(&bouncer->has_taken, true, memory_order_relaxed);
    }
}

void
bouncer_alert(struct bouncer *bouncer)
{
    atomic_store(&bouncer->is_alerted, true);
}

/*
 * Compares what a connection has brought with what was taken from it. Returns how many bytes have
 * come without an answer.
 */
static uint64_t
count_unanswered(struct bouncer *bouncer, int fd, const struct connection *now)
{
    struct watched *watched = &bouncer->watched[fd];
    uint64_t taken = atomic_load_explicit(&bouncer->taken[fd], memory_order_relaxed);
    if (watched->cookie != now->cookie || now->bytes_received < watched->answered) {
        /* What was taken since the last look counts: it may well have been this one's. */
        *watched = (struct watched){.cookie = now->cookie, .taken = watched->taken};
    }
    if (watched->taken != taken && watched->segments_sent != now->segments_sent) {
        uint64_t answered = watched->answered + (taken - watched->taken);
        /* More than came was another one's, which had the descriptor before. */
        watched->answered = answered < now->bytes_received ? answered : now->bytes_received;
        watched->taken = taken;
        watched->segments_sent = now->segments_sent;
    }
    return now->bytes_received - watched->answered;
}

/*
 * Slows a connection. Returns false where that was done before and nothing has come since the last
 * look.
 */
static bool
slow_down(struct watched *watched, int fd, uint64_t received)
{
    bool goes_on = watched->slow_at != received;
    if (watched->slow_at == 0) {
        (void)connection_bound_unread(fd, 0);
    }
    watched->slow_at = received;
    return goes_on;
}

/* What a look has come to so far. */
struct sight {
    size_t count;        /* connections about which something was done */
    uint64_t unanswered; /* bytes, of all */
};

/* Looks at one descriptor. Returns whether it is open. */
static bool
look_at(struct bouncer *bouncer, int fd, const struct bouncer_terms *terms, struct sight *sight)
{
    struct connection now;
    if (!connection_know(fd, &now)) {
        return errno != EBADF;
    }
    uint64_t unanswered = count_unanswered(bouncer, fd, &now);
    struct watched *watched = &bouncer->watched[fd];
    uint64_t forgiven = unanswered < terms->forgiven ? unanswered : terms->forgiven;
    watched->answered += forgiven;
    unanswered -= forgiven;
    if (unanswered > bouncer->unanswered_max && connection_cut(fd)) {
        log_line(
            LEVEL_DEBUG, "ended a connection: %" PRIu64 " bytes without an answer", unanswered);
        sight->count++;
        return true;
    }
    sight->unanswered += unanswered;
    if (unanswered > terms->slow_from) {
        sight->count += slow_down(watched, fd, now.bytes_received);
    } else if (watched->slow_at != 0 && unanswered <= BOUNCER_SLOW_FROM_ON_ALERT) {
        watched->slow_at = 0;
        (void)connection_bound_unread(fd, CONNECTION_UNREAD_MAX);
    }
    return true;
}

/* Lets a connection have less at the next look while all together have too much, or else more. */
static void
adapt(struct bouncer *bouncer, bool is_too_much)
{
    uint64_t max = is_too_much ? bouncer->unanswered_max / 2 : bouncer->unanswered_max * 2;
    max = max > BOUNCER_UNANSWERED_LEAST ? max : BOUNCER_UNANSWERED_LEAST;
    bouncer->unanswered_max = max < BOUNCER_UNANSWERED_MAX ? max : BOUNCER_UNANSWERED_MAX;
}

size_t
bouncer_look(struct bouncer *bouncer, const struct bouncer_terms *terms)
{
    struct sight sight = {0};
    size_t fd_end = 0;
    size_t end = terms->is_thorough ? bouncer->fd_count : bouncer->fd_end + GAP;
    for (size_t fd = 0; fd < bouncer->fd_count && (fd < end || fd < fd_end + GAP); fd++) {
        if (look_at(bouncer, (int)fd, terms, &sight)) {
            fd_end = fd + 1;
        }
    }
    bouncer->fd_end = fd_end;
    bool is_too_much = sight.unanswered > BOUNCER_ALL_UNANSWERED_MAX;
    adapt(bouncer, is_too_much);
    return sight.count + is_too_much;
}

/* Microseconds of a clock that never goes back. */
static int64_t
now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Waits until that time. Returns false at the end. */
static bool
wait_until(struct bouncer *bouncer, int64_t time_us)
{
    const struct timespec until = {time_us / 1000000, time_us % 1000000 * 1000};
    pthread_mutex_lock(&bouncer->lock);
    while (
        !bouncer->ending && pthread_cond_timedwait(&bouncer->ended, &bouncer->lock, &until) == 0) {
    }
    bool going_on = !bouncer->ending;
    pthread_mutex_unlock(&bouncer->lock);
    return going_on;
}

/*
 * Looks regularly every BOUNCER_EVERY_MS, and in between more often while clients are served, and
 * most often on the alert; but all of that less often where looking takes long.
 */
static void *
look_and_look(void *context)
{
    struct bouncer *bouncer = context;
    int64_t last = now_us(); /* regular look */
    int64_t regular = last + BOUNCER_EVERY_MS * 1000;
    int64_t next = regular;
    int64_t alert_until = 0;
    unsigned looks = 0; /* regular ones */
    while (wait_until(bouncer, next)) {
        int64_t begin = now_us();
        bool is_regular = begin >= regular;
        const struct bouncer_terms terms = {
            .forgiven = is_regular ? (uint64_t)(begin - last) * BOUNCER_FORGIVEN / 1000000 : 0,
            .slow_from = begin < alert_until ? BOUNCER_SLOW_FROM_ON_ALERT : BOUNCER_SLOW_FROM,
            .is_thorough = is_regular && looks % BOUNCER_ALL_EVERY == 0,
        };
        size_t count = bouncer_look(bouncer, &terms);
        int64_t end = now_us();
        int64_t took = end - begin;
        if (is_regular) {
            looks++;
            last = begin;
            regular = end + BOUNCER_EVERY_MS * 1000 + took * ALERT_SHARE;
        }
        if (atomic_exchange(&bouncer->is_alerted, false) || count > 0) {
            alert_until = end + ALERT_MS * 1000;
        }
        next = regular;
        if (end < alert_until) {
            next = end + BOUNCER_ALERT_MS * 1000 + took * ALERT_SHARE;
        } else if (atomic_exchange(&bouncer->has_taken, false)) {
            next = end + BOUNCER_BUSY_MS * 1000 + took * BUSY_SHARE;
        }
        next = next < regular ? next : regular;
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
    free(bouncer->watched);
    free(bouncer->taken);
    free(bouncer);
    *result = NULL;
}
