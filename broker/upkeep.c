#include "broker/upkeep.h"

#include "broker/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    RETRY_S = 1
};

struct upkeep {
    struct engine *engine;
    int failed_fd;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* signalled when one of these two becomes true */
    bool woken;             /* under the lock */
    bool ending;            /* under the lock */
};

/* Waits until there may be work; after a failure for a second at least. Returns false at the end.
 */
static bool
wait_for_work(struct upkeep *upkeep, bool failed)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += RETRY_S;
    pthread_mutex_lock(&upkeep->lock);
    if (failed) {
        while (!upkeep->ending &&
               pthread_cond_timedwait(&upkeep->changed, &upkeep->lock, &until) == 0) {
        }
    } else {
        while (!upkeep->ending && !upkeep->woken) {
            pthread_cond_wait(&upkeep->changed, &upkeep->lock);
        }
    }
    upkeep->woken = false;
    bool going_on = !upkeep->ending;
    pthread_mutex_unlock(&upkeep->lock);
    return going_on;
}

static void *
work(void *context)
{
    struct upkeep *upkeep = context;
    bool failed = false;
    while (wait_for_work(upkeep, failed)) {
        struct diagnostic diagnostic = {""};
        int error = engine_upkeep(upkeep->engine, &diagnostic);
        if (error != 0 && (!failed || !error_may_pass(error))) {
            log_line(error_may_pass(error) ? LEVEL_WARNING : LEVEL_ERROR, "%s", diagnostic.text);
        }
        if (error != 0 && !error_may_pass(error)) {
            const uint64_t one = 1;
            ssize_t put = write(upkeep->failed_fd, &one, sizeof one);
            (void)put;
            return NULL;
        }
        failed = error != 0;
    }
    return NULL;
}

int
upkeep_start(struct upkeep **result, struct engine *engine, int failed_fd)
{
    struct upkeep *upkeep = calloc(1, sizeof *upkeep);
    if (upkeep == NULL) {
        return ERROR_MEMORY;
    }
    pthread_condattr_t attributes;
    upkeep->engine = engine;
    upkeep->failed_fd = failed_fd;
    upkeep->woken = true;
    pthread_mutex_init(&upkeep->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&upkeep->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&upkeep->thread, NULL, work, upkeep) != 0) {
        free(upkeep);
        return ERROR_MEMORY;
    }
    *result = upkeep;
    return 0;
}

void
upkeep_wake(struct upkeep *upkeep)
{
    pthread_mutex_lock(&upkeep->lock);
    upkeep->woken = true;
    pthread_cond_signal(&upkeep->changed);
    pthread_mutex_unlock(&upkeep->lock);
}

void
upkeep_stop(struct upkeep **result)
{
    struct upkeep *upkeep = *result;
    if (upkeep == NULL) {
        return;
    }
    pthread_mutex_lock(&upkeep->lock);
    upkeep->ending = true;
    pthread_cond_signal(&upkeep->changed);
    pthread_mutex_unlock(&upkeep->lock);
    pthread_join(upkeep->thread, NULL);
    pthread_cond_destroy(&upkeep->changed);
    pthread_mutex_destroy(&upkeep->lock);
    free(upkeep);
    *result = NULL;
}
