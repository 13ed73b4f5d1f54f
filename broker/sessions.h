/**
 * sessions.h: the sessions that are open, whose they are, and the outcome of each one's last order.
 */
#ifndef STOCKBUS_BROKER_SESSIONS_H
#define STOCKBUS_BROKER_SESSIONS_H

#include <stdbool.h>

#include "broker/index.h"
#include "shared/protocol.h"

enum {
    TOKEN_HASH_SIZE = 16
};

/** What is remembered of an order, so that its reply can be given again byte for byte. */
struct outcome {
    uint64_t order;     /**< its number; 0: the session has made none yet */
    uint64_t body;      /**< hash of what was ordered */
    uint64_t position;  /**< of the record that holds it */
    uint64_t units;     /**< filled: units in all */
    uint64_t upc;       /**< refused for an item: which */
    uint64_t available; /**< refused for its level: which that was */
    enum status status; /**< what its reply says */
};

/** One open session. */
struct session {
    uint64_t number;                     /**< 1 to NUMBER_MAX, in no other one */
    uint32_t user;                       /**< row of the user */
    uint8_t token_hash[TOKEN_HASH_SIZE]; /**< of its secret, which is not kept */
    struct outcome last;                 /**< of its last order */
};

/** A user who has a session, or an account. */
struct user {
    char name[USER_SIZE_MAX + 1]; /**< with a zero at the end */
    uint32_t session_count;       /**< open now */
    bool has_account;             /**< may use the broker now */
    bool may_restock;             /**< an order of the kind restock */
};

/** All of them, found by their number. */
struct sessions {
    struct session *rows;  /**< in no order */
    size_t count;          /**< of sessions */
    size_t count_max;      /**< room in `rows` */
    struct index index;    /**< number to row */
    struct user *users;    /**< never fewer; rows keep their numbers */
    size_t user_count;     /**< of users */
    size_t user_count_max; /**< room in `users` */
    uint64_t last;         /**< the largest session number ever given out */
};

/** Makes an empty table. */
void
sessions_init(struct sessions *sessions);

/** Frees everything; the table is empty again. */
void
sessions_clear(struct sessions *sessions);

/** Returns the row of user `name`, added where it is new, or INDEX_NONE when memory is short. */
uint32_t
sessions_user(struct sessions *sessions, const char *name);

/** Makes room for one more session. Returns 0 or ERROR_MEMORY. */
int
sessions_reserve(struct sessions *sessions);

/** Adds a session, for which room was made and whose number is in no other. */
void
sessions_add(struct sessions *sessions, const struct session *session);

/** Returns the session with `number`, or NULL. It moves when another one is removed. */
struct session *
sessions_find(const struct sessions *sessions, uint64_t number);

/** Removes a session that sessions_find() returned. */
void
sessions_remove(struct sessions *sessions, struct session *session);

#endif
