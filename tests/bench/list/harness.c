#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef TAKE_MAX
#define TAKE_MAX 64
#endif

enum {
    PRODUCERS_MAX = 64
};

static uint64_t count; /* items a producer */

struct consumer {
    pthread_t thread;
    int number;
    uint64_t items;
    uint64_t checksum;
    bool ordered; /* within each producer */
};

struct producer {
    pthread_t thread;
    int number;
};

static void *
produce(void *context)
{
    const struct producer *producer = context;
    const uint64_t number = (uint64_t)producer->number;
    struct item item = {{number}};
    for (uint64_t i = 0; i < count; i++) {
        item.words[1] = i;
        item.words[7] = number * 1000003 + i;
        peer_put(producer->number, &item);
    }
    return NULL;
}

static void *
consume(void *context)
{
    struct consumer *consumer = context;
    uint64_t next[PRODUCERS_MAX] = {0};
    struct item items[TAKE_MAX];
    uint64_t checksum = 0;
    uint64_t total = 0;
    bool ordered = true;
    int got;
    while ((got = peer_take(consumer->number, items, TAKE_MAX)) > 0) {
        for (int i = 0; i < got; i++) {
            const uint64_t *words = items[i].words;
            checksum += words[7] ^ words[1];
            ordered = ordered && words[1] >= next[words[0]];
            next[words[0]] = words[1] + 1;
        }
        total += (uint64_t)got;
    }
    consumer->checksum = checksum;
    consumer->items = total;
    consumer->ordered = ordered;
    return NULL;
}

static void
start(pthread_t *thread, void *(*body)(void *), void *context)
{
    int error = pthread_create(thread, NULL, body, context);
    if (error != 0) {
        fprintf(stderr, "cannot start a thread: %s\n", strerror(error));
        exit(1);
    }
}

static double
seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int
number(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

/* Prints: items, seconds, checksum, and 1 if each consumer saw each producer's items in order. */
int
main(int argc, char *argv[])
{
    if (argc != 5 || number(argv[1]) > PRODUCERS_MAX) {
        fprintf(stderr, "usage: %s PRODUCERS CONSUMERS CAPACITY COUNT\n", argv[0]);
        return 2;
    }
    const int producer_count = number(argv[1]);
    const int consumer_count = number(argv[2]);
    count = strtoull(argv[4], NULL, 10);
    struct producer *producers = calloc((size_t)producer_count, sizeof *producers);
    struct consumer *consumers = calloc((size_t)consumer_count, sizeof *consumers);
    struct consumer sum = {.ordered = true};
    peer_open(producer_count, consumer_count, number(argv[3]));

    const double start_s = seconds();
    for (int i = 0; i < consumer_count; i++) {
        consumers[i].number = i;
        start(&consumers[i].thread, consume, &consumers[i]);
    }
    for (int i = 0; i < producer_count; i++) {
        producers[i].number = i;
        start(&producers[i].thread, produce, &producers[i]);
    }
    for (int i = 0; i < producer_count; i++) {
        pthread_join(producers[i].thread, NULL);
    }
    peer_end();
    for (int i = 0; i < consumer_count; i++) {
        pthread_join(consumers[i].thread, NULL);
        sum.items += consumers[i].items;
        sum.checksum += consumers[i].checksum;
        sum.ordered = sum.ordered && consumers[i].ordered;
    }
    printf("%llu %.6f %llu %d\n", (unsigned long long)sum.items, seconds() - start_s,
        (unsigned long long)sum.checksum, sum.ordered);
    free(consumers);
    free(producers);
    return 0;
}
