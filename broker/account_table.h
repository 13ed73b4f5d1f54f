/**
 * account_table.h: the accounts of users.conf.
 *
 * A line an account: name, roles, argon2id hash. The roles are words joined by commas: "buy", which
 * every account has; "restock", who may add units as well; "demo", who may log in on loopback
 * addresses only.
 */
#ifndef STOCKBUS_BROKER_ACCOUNT_TABLE_H
#define STOCKBUS_BROKER_ACCOUNT_TABLE_H

#include "broker/passhash.h"
#include "shared/error.h"
#include "shared/limits.h"

/** Somebody who may log in. */
struct account {
    char name[USER_SIZE_MAX + 1]; /**< with a zero at the end */
    struct passhash hash;         /**< of the password */
    bool may_restock;             /**< the role "restock" */
    bool is_demo;                 /**< the role "demo" */
};

/** Read with account_table_read(), freed with account_table_free(). */
struct account_table {
    struct account *rows; /**< at least one */
    size_t count;         /**< of accounts */
    size_t count_max;     /**< that there is room for */
    bool demo;            /**< accounts with that role are taken in */
    size_t demo_count;    /**< so many of them */
    size_t dearest;       /**< the row whose hash takes longest to check */
    bool is_uneven;       /**< not all take equally long */
};

/**
 * Reads the accounts from `path`; those with the role "demo" are left out unless `demo`. Blocks for
 * the file.
 *
 * Returns 0, or an error with a sentence that names file, line and reason.
 */
int
account_table_read(
    struct account_table *table, const char *path, bool demo, struct diagnostic *diagnostic);

/** Returns the account with this name, or NULL. */
const struct account *
account_table_find(const struct account_table *table, const char *name);

/** Frees the rows. */
void
account_table_free(struct account_table *table);

#endif
