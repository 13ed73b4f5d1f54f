/**
 * harness.h: what every peer written in C or C++ is measured by.
 *
 * A peer defines the functions below; harness.c starts the threads, takes the time and checks that
 * every item arrived. Peers in other languages do the same by themselves and print the same line.
 */
#ifndef STOCKBUS_BENCH_LIST_HARNESS_H
#define STOCKBUS_BENCH_LIST_HARNESS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** 64 bytes. The words are producer, sequence, zeros, and at the end something of both. */
struct item {
    uint64_t words[8];
};

/** Makes the list; called once, before any thread. */
void
peer_open(int producers, int consumers, int capacity);

/** Puts one item; waits while there is no room. */
void
peer_put(int number, const struct item *item);

/** Takes up to `wanted` items, at least one; waits for it. Returns 0 at the end. */
int
peer_take(int number, struct item *items, int wanted);

/** Called when all producers are done: consumers are to end when they have taken all. */
void
peer_end(void);

#ifdef __cplusplus
}
#endif

#endif
