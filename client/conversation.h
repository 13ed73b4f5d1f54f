/**
 * conversation.h: carries out a shopper's errand over a link, waiting and trying again.
 *
 * A request that gets no answer is sent again, the same bytes over a new socket, after a wait that
 * doubles each time and is never quite the same. A broker that says nothing for `timeout_ms` is
 * given up; one that answers that it is busy is asked for longer, 12 times as long in all.
 */
#ifndef STOCKBUS_CLIENT_CONVERSATION_H
#define STOCKBUS_CLIENT_CONVERSATION_H

#include "client/link.h"
#include "client/shopper.h"

enum {
    TIMEOUT_DEFAULT_MS = 5000,
    TIMEOUT_MAX_MS = 3600000,
    BUSY_TIMEOUT_FACTOR = 12
};

/** Who talks, and how patiently. */
struct conversation {
    struct link *link;       /**< to the broker */
    struct shopper *shopper; /**< says what to send */
    int64_t timeout_ms;      /**< for one reply */
    /** Called, at most once an errand, with a sentence when the broker lets itself be waited for.
     */
    void (*notice)(void *context, const char *text);
    void *context; /**< given to `notice` */
    bool *is_away; /**< set to whether the last request went without an answer; may be NULL */
};

/**
 * Goes on with the errand from `step` to its end and returns what came of it; shopper_result() has
 * the rest. Blocks; Ctrl-C gives up the wait. `link` may be NULL where `step` is SHOPPER_END; after
 * a login it is reset, for what was sent had the password in it.
 */
enum outcome
conversation_run(const struct conversation *conversation, enum shopper_step step);

#endif
