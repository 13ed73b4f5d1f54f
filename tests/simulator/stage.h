/**
 * stage.h: what all parts of one simulation share.
 */
#ifndef STOCKBUS_TESTS_SIMULATOR_STAGE_H
#define STOCKBUS_TESTS_SIMULATOR_STAGE_H

#include "shared/protocol.h"
#include "simulator/chance.h"
#include "simulator/network.h"
#include "simulator/trace.h"

enum {
    STAGE_USERS = 3,
    STAGE_BUYERS_MAX = 8,
    STAGE_ITEMS_MAX = 900,
    STAGE_CATALOG_UPC = 1000, /* UPC of the first item; the others follow in steps of 7 */
    STAGE_CATALOG_STEP = 7
};

/** The users; the last one may restock. */
extern const char *const stage_users[STAGE_USERS];

/** How rough this simulation is: chances of 1,000, and bounds. */
struct roughness {
    unsigned loss;           /**< of a message */
    unsigned disorder;       /**< that not the oldest message is delivered */
    unsigned doubling;       /**< that a reply is delivered twice, that a request is sent twice */
    unsigned delay;          /**< that a message is held up for long */
    unsigned impatience;     /**< that a buyer sends again, each time it is asked */
    unsigned login_busy;     /**< that a login is answered busy */
    unsigned large_orders;   /**< that an order is large */
    uint64_t buyer_calls;    /**< file calls up to a buyer's next fault, at most; 0: none comes */
    uint64_t seller_calls;   /**< the same for the broker */
    unsigned power_loss;     /**< that a crash is one of the whole machine */
    unsigned full_disk;      /**< that the broker's disk fills up or has room again, a turn */
    uint64_t batch_max;      /**< requests of one batch */
    uint64_t segment_factor; /**< size of a segment, in smallest sizes */
    uint64_t sessions_user_max;
};

struct stage {
    struct chance chance;
    struct trace trace;
    struct network network;
    struct roughness rough;
    struct model *model;
    bool is_calm;    /**< the last phase: nothing goes wrong any more */
    uint64_t now_ms; /**< the step */
    uint64_t crashes_seller;
    uint64_t crashes_buyer;
    uint64_t faults; /**< file calls that failed without a crash */
};

/** Sends a message, which chance may hold up. */
void
stage_send(struct stage *stage, struct message message);

/** May message `number` be delivered now? The order in which messages may pass each other is left
 * to chance. */
bool
stage_may_deliver(struct stage *stage, size_t number);

/** Returns the number of user `name`, or -1. */
int
stage_find_user(const char *name);

/** Returns the UPC of item `number`, and its name in `name` (32 bytes) unless that is NULL. */
uint64_t
stage_item(uint64_t number, char *name);

#endif
