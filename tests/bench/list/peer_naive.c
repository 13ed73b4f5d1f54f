/* What one writes first: a mutex, two conditions, a signal for each item. */
#include "harness.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static struct item *items;
static int capacity;
static int first;
static int count;
static bool ended;

void
peer_open(int producers, int consumers, int wanted_capacity)
{
    (void)producers;
    (void)consumers;
    capacity = wanted_capacity;
    items = calloc((size_t)capacity, sizeof *items);
}

void
peer_put(int number, const struct item *item)
{
    (void)number;
    pthread_mutex_lock(&lock);
    while (count == capacity) {
        pthread_cond_wait(&not_full, &lock);
    }
    items[(first + count) % capacity] = *item;
    count++;
    pthread_cond_signal(&not_empty);
    pthread_mutex_unlock(&lock);
}

int
peer_take(int number, struct item *item, int wanted)
{
    (void)number;
    (void)wanted;
    pthread_mutex_lock(&lock);
    while (count == 0 && !ended) {
        pthread_cond_wait(&not_empty, &lock);
    }
    if (count == 0) {
        pthread_mutex_unlock(&lock);
        return 0;
    }
    *item = items[first];
    first = (first + 1) % capacity;
    count--;
    pthread_cond_signal(&not_full);
    pthread_mutex_unlock(&lock);
    return 1;
}

void
peer_end(void)
{
    pthread_mutex_lock(&lock);
    ended = true;
    pthread_cond_broadcast(&not_empty);
    pthread_mutex_unlock(&lock);
}
