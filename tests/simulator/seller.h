/**
 * seller.h: the machine of the broker: the real engine and codec on a simulated disk, and a loop
 * like that of server.c. Every reply is held against the model before it goes out, and after each
 * start the whole ledger is.
 *
 * Passwords are not hashed here: who may log in is decided by a stand-in for accounts.h, which is
 * busy at times, and forgets at each start what it has decided.
 */
#ifndef STOCKBUS_TESTS_SELLER_H
#define STOCKBUS_TESTS_SELLER_H

#include "simulator/disk.h"
#include "simulator/model.h"

/* No header of broker/: it has a struct outcome, and client/ has an enum outcome. */
struct engine;
struct exchange;

enum {
    SELLER_BATCH_MAX = 8,
    SELLER_ATTEMPTS_MAX = 64
};

/** A request that was taken and whose reply is due. */
struct taken {
    struct message message;
    struct exchange *exchange;
    bool is_for_engine;
    uint8_t token[TOKEN_SIZE]; /**< drawn for a login */
};

/** How a login stands. */
struct attempt {
    uint8_t nonce[NONCE_SIZE];
    unsigned busy_left; /**< how often it is still answered busy */
    uint64_t session;   /**< 0: not begun yet */
    uint8_t token[TOKEN_SIZE];
};

struct seller {
    struct stage *stage;
    struct disk disk;
    struct engine *engine; /**< NULL: the process is not there */
    struct exchange *exchanges[SELLER_BATCH_MAX];
    struct taken taken[SELLER_BATCH_MAX];
    size_t taken_count;
    bool is_in_doubt; /**< the process died over the requests that were taken */
    struct attempt attempts[SELLER_ATTEMPTS_MAX];
    size_t attempt_count;
    struct unpacked unpacked;
    struct reply_memory *memory;
    bool has_history;
    uint8_t history[HISTORY_SIZE];
    bool is_full;         /**< the disk has no room */
    uint64_t no_space_ms; /**< when it last had none */
    uint64_t requests;
    uint64_t starts;
};

/** Makes the machine, off. */
void
seller_init(struct seller *seller, struct stage *stage);

/** Frees it. */
void
seller_fini(struct seller *seller);

/** Starts the process. It may die over it. */
void
seller_start(struct seller *seller);

/** Serves one batch of requests from the network. */
void
seller_serve(struct seller *seller);

/** Does the upkeep, if there is any. */
void
seller_upkeep(struct seller *seller);

/** Stops the process in good order. */
void
seller_stop(struct seller *seller);

/** Returns the units on hand of all items together; the process must be there. */
uint64_t
seller_units(const struct seller *seller);

/** Kills the process. */
void
seller_kill(struct seller *seller);

/** Lets the disk fill up, or have room. */
void
seller_set_full(struct seller *seller, bool is_full);

#endif
