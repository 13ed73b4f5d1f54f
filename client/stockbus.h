/**
 * stockbus.h: buying from a Stockbus broker, for programs in C. See stockbus(3).
 *
 * A `struct stockbus` is a client with a state directory of its own. An order is written down there
 * before it is sent, and its outcome before it is told: a program that is killed in between goes on
 * where it was, and the order is made once or not at all.
 *
 * Every function that asks the broker blocks, for each request at most for the time set in the
 * configuration, or 12 times that in all while the broker answers that it is busy; a call may take
 * several requests. They return one of `enum
 * stockbus_result`; stockbus_error() and stockbus_message() then say more. An order that was
 * pending from before is settled by whatever is asked next; stockbus_order_before() tells of it.
 *
 * Texts are UTF-8. What is returned as a pointer is the client's, and stands until the next call
 * with it. One thread at a time uses a client; open it after fork(), not before.
 */
#ifndef STOCKBUS_CLIENT_STOCKBUS_H
#define STOCKBUS_CLIENT_STOCKBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the library offers; nothing else of it can be linked. */
#define STOCKBUS_PUBLIC __attribute__((visibility("default")))

struct stockbus;

/** How a call ended: the same numbers as the exit status of stockctl(1). */
enum stockbus_result {
    STOCKBUS_DONE = 0,
    STOCKBUS_REFUSED = 1,     /**< by the broker; stockbus_error() is its word for it */
    STOCKBUS_USAGE = 2,       /**< an argument is wrong, or the state directory is in use */
    STOCKBUS_DAMAGED = 3,     /**< damaged data, no memory or disk, or not the broker known */
    STOCKBUS_UNREACHABLE = 4, /**< no answer; no new order is in doubt: stockbus_is_pending() */
    STOCKBUS_PENDING = 5,     /**< the outcome of an order is not known yet: stockbus_resolve() */
    STOCKBUS_LOGGED_OUT = 6   /**< not logged in, or wrong user name or password */
};

/**
 * Begin with STOCKBUS_CONFIG_INIT: then a program goes on with a later library, whose further
 * members it does not know, and with an earlier one, as long as it sets none that is not known
 * there.
 */
struct stockbus_config {
    size_t size;          /**< of this struct */
    const char *endpoint; /**< "tcp://HOST:PORT"; NULL: "tcp://127.0.0.1:5570" */
    const char *state;    /**< the state directory; made where it is missing */
    int64_t timeout_ms;   /**< how long each request waits for a silent broker; 0: 5000 */
    /* For an encrypted connection, 40 characters each, as certificates have them; copied. NULL:
     * plain text, which a broker serves on loopback addresses only unless it is told otherwise. */
    const char *broker_key; /**< the public key of the broker */
    const char *secret_key; /**< the secret key of this client: stockctl keygen makes one */
};

/** The defaults. */
#define STOCKBUS_CONFIG_INIT                                      \
    {                                                             \
        sizeof(struct stockbus_config), NULL, NULL, 0, NULL, NULL \
    }

/** Units of one item. */
struct stockbus_line {
    uint64_t upc;   /**< of the item, 0 to 999,999,999,999 */
    uint64_t units; /**< in an order 1 to 1,000,000,000 */
};

/** An item, and how many units of it there are. */
struct stockbus_item {
    uint64_t upc;     /**< 0 to 999,999,999,999 */
    uint64_t units;   /**< at the broker, or here */
    const char *name; /**< NULL: not known here */
};

/** How an order came to an end. */
enum stockbus_ending {
    STOCKBUS_MADE,     /**< all of it */
    STOCKBUS_NOT_MADE, /**< it was refused or given up, and never will be */
    STOCKBUS_UNKNOWN   /**< it was set aside, and may have been made */
};

/** An order that came to an end. */
struct stockbus_order {
    uint64_t number;             /**< 1, 2, 3 … in its session */
    bool is_restock;             /**< otherwise a purchase */
    enum stockbus_ending ending; /**< was it made? */
    const char *error; /**< what the broker said, as stockbus_error(); NULL: it was made */
    const struct stockbus_line *lines; /**< what it asked for */
    size_t line_count;                 /**< at least 1 */
};

/** What to do about a pending order. */
enum stockbus_doubt {
    STOCKBUS_SETTLE,   /**< ask for its outcome, by sending it again */
    STOCKBUS_VOID,     /**< if it was not made yet, it never will be */
    STOCKBUS_SET_ASIDE /**< ask; if the broker cannot know its outcome, forget it */
};

/**
 * Opens a client. Does not wait for the broker.
 *
 * `*client` is the caller's to close, also after an error, so that it can be asked what was wrong;
 * it is NULL only where there is no memory for it. What `config` points to is copied.
 */
STOCKBUS_PUBLIC int
stockbus_open(struct stockbus **client, const struct stockbus_config *config);

/** Closes `*client` and makes it NULL; NULL already is fine. The login stays for the next time. */
STOCKBUS_PUBLIC void
stockbus_close(struct stockbus **client);

/** Logs in, after logging out whoever is logged in. */
STOCKBUS_PUBLIC int
stockbus_login(struct stockbus *client, const char *user, const char *password);

/** Logs out. */
STOCKBUS_PUBLIC int
stockbus_logout(struct stockbus *client);

/** Returns who is logged in, or NULL. Asks nobody. */
STOCKBUS_PUBLIC const char *
stockbus_user(const struct stockbus *client);

/**
 * Asks for the broker's stock: for the `count` items of `upcs` (at most 1000), or for all when that
 * is 0. `*items` is in ascending order of UPC.
 */
STOCKBUS_PUBLIC int
stockbus_inventory(struct stockbus *client, const uint64_t *upcs, size_t count,
    const struct stockbus_item **items, size_t *item_count);

/** Buys all of `count` lines (1 to 1000), or nothing. */
STOCKBUS_PUBLIC int
stockbus_buy(struct stockbus *client, const struct stockbus_line *lines, size_t count);

/** Adds the units of `count` lines (1 to 1000), for users who may. */
STOCKBUS_PUBLIC int
stockbus_restock(struct stockbus *client, const struct stockbus_line *lines, size_t count);

/** Puts an end to the pending order, if there is one; stockbus_order() tells which. */
STOCKBUS_PUBLIC int
stockbus_resolve(struct stockbus *client, enum stockbus_doubt doubt);

/** Is an order pending? Asks nobody. */
STOCKBUS_PUBLIC bool
stockbus_is_pending(const struct stockbus *client);

/**
 * Gives what `user` has bought, NULL being who is or was last logged in, from the disk. Asks
 * nobody.
 */
STOCKBUS_PUBLIC int
stockbus_local(struct stockbus *client, const char *user, const struct stockbus_item **items,
    size_t *item_count);

/** Returns the order that the last call made or resolved, or NULL. */
STOCKBUS_PUBLIC const struct stockbus_order *
stockbus_order(const struct stockbus *client);

/** Returns the order pending from before that the last call settled on its way, or NULL. */
STOCKBUS_PUBLIC const struct stockbus_order *
stockbus_order_before(const struct stockbus *client);

/** Returns a word for programs, as "insufficient_stock", or NULL when the last call went well. */
STOCKBUS_PUBLIC const char *
stockbus_error(const struct stockbus *client);

/** Returns a sentence for a person; empty when the last call went well. NULL may be asked too. */
STOCKBUS_PUBLIC const char *
stockbus_message(const struct stockbus *client);

/**
 * Returns a sentence about what was set aside when the state directory was opened, as the rest of a
 * record that was cut off; mostly empty. NULL may be asked too.
 */
STOCKBUS_PUBLIC const char *
stockbus_warning(const struct stockbus *client);

#ifdef __cplusplus
}
#endif

#endif
