/**
 * shopper_parts.h: what the files of the shopper share: shopper.c, which begins and ends errands,
 * and shopper_reply.c, which takes replies. For nobody else.
 */
#ifndef STOCKBUS_CLIENT_SHOPPER_PARTS_H
#define STOCKBUS_CLIENT_SHOPPER_PARTS_H

#include "client/shopper.h"
#include "client/view.h"

/** What the shopper was asked to do. */
enum errand {
    ERRAND_PING,
    ERRAND_LOGIN,
    ERRAND_VIEW,
    ERRAND_ORDER,
    ERRAND_RESOLVE,
    ERRAND_VOID,
    ERRAND_SET_ASIDE,
    ERRAND_LOGOUT,
    ERRAND_STATS,
    ERRAND_COUNT
};

/** How far it has come with it. */
enum phase {
    PHASE_END,
    PHASE_SETTLE, /* the order that was pending before the errand began */
    PHASE_LEAVE,  /* logging out the session that a login replaces, or that was being left */
    PHASE_ERRAND,
    PHASE_NAMES, /* asking what was bought is called */
};

/** The shopper itself. */
struct shopper {
    struct local_inventory *inventory; /**< borrowed */
    struct reply_memory *memory;       /**< of the reply that is being looked at */
    enum errand errand;                /**< asked for last */
    enum phase phase;                  /**< of it */
    struct request draft;              /**< what the errand asks for */
    struct request side;               /**< what has to be asked besides */
    struct view view;                  /**< the last view */
    struct view names;            /**< of items that were bought and whose names were not known */
    struct shopper_result result; /**< of the errand */
    bool awaits;                  /**< the bytes were given out and no reply has come since */
    bool in_doubt;   /**< a copy of the bytes may have reached the broker and got no reply */
    bool is_busy;    /**< the last reply said so */
    int64_t wait_ms; /**< how long to wait before the next request */
    size_t size;     /**< of `bytes` */
    unsigned char bytes[MESSAGE_SIZE_MAX]; /**< the request that is sent, as often as it takes */
};

/** Returns what the local inventory remembers. */
const struct local_state *
shopper_state(const struct shopper *shopper);

/** Is the reply that is awaited the outcome of the pending order? */
bool
shopper_is_about_order(const struct shopper *shopper);

/** Is that order what the errand is about, and not one that is in its way? */
bool
shopper_is_own_order(const struct shopper *shopper);

/** Returns what to add to the news of an order that is in the errand's way; may be empty. */
const char *
shopper_nothing_else(const struct shopper *shopper);

/** Begins the errand itself, when nothing is in its way any more. */
enum shopper_step
shopper_start(struct shopper *shopper);

/** Sends the request for the next page of `view`. */
enum shopper_step
shopper_send_view(struct shopper *shopper, enum phase phase, const struct view *view);

/** Copies the pending order into a result, and returns that. */
struct shopper_order *
shopper_note_order(struct shopper *shopper, struct shopper_order *noted);

/** Ends the errand well. */
enum shopper_step
shopper_end_well(struct shopper *shopper);

/** Ends the errand with `outcome`, a word for programs and a sentence for people. */
enum shopper_step
shopper_fail(struct shopper *shopper, enum outcome outcome, const char *word, const char *format,
    ...) __attribute__((format(printf, 4, 5)));

/** Ends the errand with what the broker said. */
enum shopper_step
shopper_refuse(struct shopper *shopper, enum status status);

/** Ends the errand with the outcome of the pending order open, for `reason`. */
enum shopper_step
shopper_leave_pending(struct shopper *shopper, const char *reason);

/** Ends the errand with an error of the disk, while nothing of an order is in doubt. */
enum shopper_step
shopper_fail_disk(struct shopper *shopper, const struct diagnostic *diagnostic);

/** Takes back the errand's order, which the broker has not made and will not make. */
enum shopper_step
shopper_release(struct shopper *shopper, enum status status);

#endif
