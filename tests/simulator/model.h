/**
 * model.h: what the broker has to answer, in the plainest way: arrays that are searched from one
 * end to the other, nothing on disk.
 *
 * It shares no code with the ledger. What it adds is whose purchase each unit was, and the bytes of
 * every outcome that was told.
 */
#ifndef STOCKBUS_TESTS_MODEL_H
#define STOCKBUS_TESTS_MODEL_H

#include "simulator/stage.h"

struct model_outcome {
    uint64_t order; /**< 0: none yet */
    uint64_t body;  /**< hash of operation and lines */
    enum operation operation;
    enum status status;
    uint64_t position;
    uint64_t units;
    uint64_t upc;
    uint64_t available;
    unsigned char *bytes; /**< of the reply, once it was told; NULL before */
    size_t size;
};

struct model_session {
    uint64_t number;
    int user;
    bool is_open;
    uint8_t token[TOKEN_SIZE];
    struct model_outcome last;
    enum status *ends; /**< of order N at N - 1 */
};

struct model {
    uint64_t units[STAGE_ITEMS_MAX]; /**< of the item with that number */
    uint64_t item_count;
    struct model_session *sessions; /**< all that ever were: session N stands at N - 1 */
    size_t session_count;
    uint64_t session_user_max;
    uint64_t position;
    uint64_t orders; /**< purchases and restocks that were made */
    uint64_t refusals;
    uint64_t repetitions; /**< outcomes that were told again */
    /** Units that each buyer bought as each user. */
    uint64_t bought[STAGE_BUYERS_MAX][STAGE_USERS][STAGE_ITEMS_MAX];
    uint64_t units_initial;
    uint64_t units_restocked;
};

/** What the reply to a request has to say. Zero: the reply must not have the member. */
struct expectation {
    enum status status;
    bool has_position; /**< its own; otherwise that of the broker */
    uint64_t position;
    uint64_t session;
    uint64_t order;
    uint64_t units;
    uint64_t upc;
    uint64_t available;
    bool is_page;
    bool is_whole_page; /**< the levels are those at the end of the batch */
    bool more;
    uint64_t item_first; /**< whole page: number of the first item */
    size_t item_count;
    uint64_t levels[ORDER_LINES_MAX]; /**< of the items that were asked for, in that order */
    bool changes;                     /**< it makes an event */
    bool is_outcome;                  /**< of an order: remembered byte for byte */
};

/** Returns a model with `item_count` items and no units yet. */
struct model *
model_new(uint64_t item_count, uint64_t session_user_max);

/** Frees `*model` and makes it NULL. */
void
model_free(struct model **model);

/** Returns session `number` if it was ever begun, or NULL. */
struct model_session *
model_session(const struct model *model, uint64_t number);

/** Returns the number of the item with `upc`, or -1. */
int
model_find_item(const struct model *model, uint64_t upc);

/**
 * Takes in a request of `buyer` in a batch whose record will have number `position`, and says what
 * has to be answered. `token` is what was drawn for a login.
 */
void
model_take(struct model *model, const struct request *request, int buyer, uint64_t position,
    const uint8_t *token, struct expectation *expected);

#endif
