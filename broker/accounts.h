/**
 * accounts.h: who may log in, and the checking of passwords off the loop.
 *
 * The accounts are those of users.conf (account_table.h).
 *
 * A check takes about 80 ms and 64 MiB, so one thread of its own makes them, one at a time, from a
 * bounded queue. Nobody waits: a login is asked about again and again, with the same nonce, until
 * its outcome is known. The outcome is kept for repetitions until its place is needed or the
 * accounts are read again. A check for which there is no memory is forgotten: asking again begins
 * it anew.
 *
 * Wrong passwords are slowed down, by name and in all (see throttle.h): a login is held until its
 * password may be checked, and again nobody waits but whoever asks again. Those whose source has
 * the smallest burden go first, and take the places of others; so a flood of wrong passwords for
 * somebody's name, from a few connections, does not keep the right one out. A login that is held
 * has no password here: it is in each request that asks.
 *
 * One login begins one session: that it is right is told once, to whoever asks first, and all
 * others wait until that one has said how it went, by accounts_began() or accounts_not_began().
 *
 * The functions are for one thread, the loop's. What it shares with the checking thread is under a
 * lock that is held for moments only, never during a check.
 */
#ifndef STOCKBUS_BROKER_ACCOUNTS_H
#define STOCKBUS_BROKER_ACCOUNTS_H

#include <stdbool.h>

#include "shared/error.h"
#include "shared/protocol.h"

/** What people are told where accounts_are_uneven(). */
#define ACCOUNTS_UNEVEN_TEXT                                                                     \
    "users: the hashes differ in what a check of them takes, and by the time of a login others " \
    "may tell whose names there are; make them anew with stockd --hash-password"

struct accounts;

/** How a login stands. */
enum login {
    LOGIN_WAITING,  /**< it is being checked or begun, or waits for it; ask again */
    LOGIN_SLOWED,   /**< too many were wrong lately, here or elsewhere; ask again */
    LOGIN_CROWDED,  /**< too many wait already; ask again */
    LOGIN_WRONG,    /**< no such user, or another password */
    LOGIN_RIGHT,    /**< begin a session; then accounts_began() or accounts_not_began() */
    LOGIN_REPEATED, /**< it was right before: the session that was begun then */
};

/** The session that was begun for a login. */
struct login_session {
    uint64_t number;           /**< 1 to NUMBER_MAX */
    uint8_t token[TOKEN_SIZE]; /**< its secret */
};

/** Called with each account. */
typedef void
accounts_fn(void *context, const char *name, bool may_restock);

/** What a file of accounts holds. */
struct accounts_found {
    size_t count;      /**< accounts that may log in */
    size_t demo_count; /**< those among them with the role "demo" */
    bool is_uneven;    /**< see accounts_are_uneven() */
};

/**
 * Reads the accounts from `path` to see whether they are good. Blocks for the file.
 *
 * Returns 0 with what was found; ERROR_PERMISSION where others than its owner may use the file and
 * not all accounts have the role "demo"; or another error. `diagnostic` names file, line and
 * reason.
 */
int
accounts_check(
    const char *path, bool demo, struct accounts_found *found, struct diagnostic *diagnostic);

/**
 * Reads the accounts from `path` and starts the checking thread. Accounts with the role "demo" are
 * left out unless `demo`.
 *
 * Returns 0 with `*accounts`, or an error as accounts_check().
 */
int
accounts_open(
    struct accounts **accounts, const char *path, bool demo, struct diagnostic *diagnostic);

/**
 * Reads the file again; on an error, as of accounts_check(), the accounts stay as they were. Blocks
 * for the file.
 *
 * What was found out about logins is forgotten, and what is being checked is checked again: their
 * passwords may have changed.
 */
int
accounts_reload(struct accounts *accounts, struct diagnostic *diagnostic);

/**
 * Do the hashes differ in what a check takes? A name that nobody has takes as long as the dearest,
 * so whoever measures can tell the names with cheaper ones.
 */
bool
accounts_are_uneven(const struct accounts *accounts);

/** Calls `each` with every account. */
void
accounts_each(struct accounts *accounts, accounts_fn *each, void *context);

/**
 * Asks how the login in `request` stands, beginning it where it is new. Does not block.
 *
 * `source` is a text that tells one peer from another; `now_ms` is of a clock that never goes back.
 * With LOGIN_REPEATED, `*session` is filled in. With LOGIN_WAITING, LOGIN_SLOWED and LOGIN_CROWDED,
 * `*retry_ms` says when it makes sense to ask again; who comes much later has lost its place.
 */
enum login
accounts_login(struct accounts *accounts, const struct request *request, const char *source,
    uint64_t now_ms, struct login_session *session, uint64_t *retry_ms);

/** Returns how many logins wait for their check, or are being checked. Does not block. */
size_t
accounts_queued(struct accounts *accounts);

/** Says which session was begun for a login that was LOGIN_RIGHT. */
void
accounts_began(
    struct accounts *accounts, const struct request *request, const struct login_session *session);

/** Says that no session could be begun for a login that was LOGIN_RIGHT: it may be tried again. */
void
accounts_not_began(struct accounts *accounts, const struct request *request);

/** Ends the thread, wipes what is secret, and makes `*accounts` NULL; NULL already is fine. */
void
accounts_close(struct accounts **accounts);

#endif
