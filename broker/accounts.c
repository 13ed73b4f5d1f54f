#include "broker/accounts.h"

#include "broker/lines.h"
#include "broker/passhash.h"
#include "shared/array.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ATTEMPTS_MAX = 64,
    ID_SIZE = 16,
    CHECK_MS = 80,
    ASK_AGAIN_MS = 20
};

struct account {
    char name[USER_SIZE_MAX + 1];
    struct passhash hash;
    bool may_restock;
    bool is_demo;
};

struct account_table {
    struct account *rows;
    size_t count;
    size_t count_max;
    bool demo; /* take accounts with that role in */
};

enum attempt_state {
    ATTEMPT_FREE,
    ATTEMPT_QUEUED,
    ATTEMPT_CHECKING,
    ATTEMPT_WRONG,
    ATTEMPT_RIGHT,     /* nobody was told yet */
    ATTEMPT_BEGINNING, /* one was told to begin a session, and has not said yet how that went */
    ATTEMPT_BEGUN,
};

/* One login, from its first request until its place is needed for another. */
struct attempt {
    enum attempt_state state;
    uint64_t turn;       /* grows with each attempt: the queue's order */
    uint8_t id[ID_SIZE]; /* keyed hash of nonce, user and password */
    char user[USER_SIZE_MAX + 1];
    char password[PASSWORD_SIZE_MAX + 1]; /* wiped when it was checked */
    struct login_session session;         /* ATTEMPT_BEGUN */
};

struct accounts {
    char path[4096];
    uint8_t key[crypto_generichash_KEYBYTES]; /* of the ids; random */
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t queued;      /* signalled when there is an attempt to check, or the end */
    struct account_table table; /* under the lock */
    struct attempt attempts[ATTEMPTS_MAX]; /* under the lock */
    uint64_t turns;                        /* under the lock */
    uint64_t reloads;                      /* under the lock */
    bool ending;                           /* under the lock */
};

/* Reading users.conf. */

static bool
has_role(const char *roles, const char *role)
{
    size_t size = strlen(role);
    for (const char *at = roles; *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (length == size && memcmp(at, role, size) == 0) {
            return true;
        }
        at += length + (at[length] == ',');
    }
    return false;
}

/* Are all roles known, and is "buy" among them? Nobody is kept from buying, so it may not lack. */
static bool
roles_are_valid(const char *roles)
{
    for (const char *at = roles; *at != '\0';) {
        size_t length = strcspn(at, ",");
        char role[16];
        snprintf(role, sizeof role, "%.*s", (int)length, at);
        if (length >= sizeof role || (strcmp(role, "buy") != 0 && strcmp(role, "restock") != 0 &&
                                         strcmp(role, "demo") != 0)) {
            return false;
        }
        at += length + (at[length] == ',');
    }
    return has_role(roles, "buy");
}

static int
add_account(struct account_table *table, const struct account *account)
{
    struct account *rows = array_grow(table->rows, table->count, &table->count_max, sizeof *rows);
    if (rows == NULL) {
        return ERROR_MEMORY;
    }
    table->rows = rows;
    table->rows[table->count++] = *account;
    return 0;
}

static const struct account *
find_account(const struct account_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->rows[i].name, name) == 0) {
            return &table->rows[i];
        }
    }
    return NULL;
}

static int
take_line(void *context, char *line, long number, struct diagnostic *diagnostic)
{
    struct account_table *table = context;
    struct account account = {.may_restock = false};
    char *rest = line;
    const char *name = lines_word(&rest);
    const char *roles = lines_word(&rest);
    (void)number;
    if (strlen(name) > USER_SIZE_MAX || !text_is_printable(name, strlen(name))) {
        return diagnostic_set(
            diagnostic, ERROR_INVALID, "a user name has 1 to 32 bytes of printable UTF-8");
    }
    if (!roles_are_valid(roles)) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "user '%s': '%.40s' are not roles out of buy, restock, demo, with buy among them", name,
            roles);
    }
    if (strncmp(rest, "$argon2id$", 10) != 0 || strpbrk(rest, " \t") != NULL) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "user '%s': an argon2id hash is expected (make one with stockd --hash-password)", name);
    }
    if (passhash_parse(rest, &account.hash) != 0) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "user '%s': no password can match this hash (make one with stockd --hash-password)",
            name);
    }
    if (find_account(table, name) != NULL) {
        return diagnostic_set(diagnostic, ERROR_INVALID, "user '%s' stands twice", name);
    }
    snprintf(account.name, sizeof account.name, "%s", name);
    account.may_restock = has_role(roles, "restock");
    account.is_demo = has_role(roles, "demo");
    int error = add_account(table, &account);
    return error == 0 ? 0 : diagnostic_set(diagnostic, error, "%s", error_text(error));
}

/* Not before all are read: a name that stands twice is told wherever the broker serves. */
static void
leave_out_demo(struct account_table *table)
{
    size_t kept = 0;
    for (size_t i = 0; i < table->count; i++) {
        if (!table->rows[i].is_demo) {
            table->rows[kept++] = table->rows[i];
        }
    }
    table->count = kept;
}

static int
read_table(const char *path, bool demo, struct account_table *table, struct diagnostic *diagnostic)
{
    struct account_table fresh = {.demo = demo};
    int error = lines_read(path, take_line, &fresh, diagnostic);
    if (!demo) {
        leave_out_demo(&fresh);
    }
    if (error == 0 && fresh.count == 0) {
        error = diagnostic_set(diagnostic, ERROR_INVALID, "%s: holds no account%s", path,
            demo ? "" : " that may log in beyond loopback");
    }
    if (error != 0) {
        free(fresh.rows);
        return error;
    }
    *table = fresh;
    return 0;
}

/* Checking. */

/* Returns the attempt that waits longest, or NULL. Under the lock. */
static struct attempt *
next_queued(struct accounts *accounts)
{
    struct attempt *next = NULL;
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        struct attempt *attempt = &accounts->attempts[i];
        if (attempt->state == ATTEMPT_QUEUED && (next == NULL || attempt->turn < next->turn)) {
            next = attempt;
        }
    }
    return next;
}

/*
 * Checks the password of an attempt. Under the lock at entry and exit, not in between: the attempt
 * is this thread's alone while its state is ATTEMPT_CHECKING.
 *
 * Without memory nothing is known: the attempt is forgotten, and whoever asks again begins it anew.
 * When the accounts were read again meanwhile, it is checked again.
 */
static void
check(struct accounts *accounts, struct attempt *attempt)
{
    const struct account *account = find_account(&accounts->table, attempt->user);
    bool known = account != NULL;
    /* A name that nobody has costs the same time: it is held against somebody's hash. */
    struct passhash hash = known ? account->hash : accounts->table.rows[0].hash;
    uint64_t reloads = accounts->reloads;
    attempt->state = ATTEMPT_CHECKING;
    pthread_mutex_unlock(&accounts->lock);

    bool matches = false;
    int error = passhash_check(&hash, attempt->password, &matches);
    sodium_memzero(&hash, sizeof hash);

    pthread_mutex_lock(&accounts->lock);
    if (error != 0) {
        sodium_memzero(attempt, sizeof *attempt);
    } else if (accounts->reloads != reloads) {
        attempt->state = ATTEMPT_QUEUED;
    } else {
        sodium_memzero(attempt->password, sizeof attempt->password);
        attempt->state = matches && known ? ATTEMPT_RIGHT : ATTEMPT_WRONG;
    }
}

static void *
check_all(void *context)
{
    struct accounts *accounts = context;
    pthread_mutex_lock(&accounts->lock);
    while (!accounts->ending) {
        struct attempt *attempt = next_queued(accounts);
        if (attempt != NULL) {
            check(accounts, attempt);
        } else {
            pthread_cond_wait(&accounts->queued, &accounts->lock);
        }
    }
    pthread_mutex_unlock(&accounts->lock);
    return NULL;
}

int
accounts_check(const char *path, bool demo, struct diagnostic *diagnostic)
{
    struct account_table table;
    int error = read_table(path, demo, &table, diagnostic);
    if (error == 0) {
        free(table.rows);
    }
    return error;
}

int
accounts_open(struct accounts **result, const char *path, bool demo, struct diagnostic *diagnostic)
{
    struct accounts *accounts = calloc(1, sizeof *accounts);
    if (accounts == NULL || sodium_init() < 0) {
        free(accounts);
        return diagnostic_set(diagnostic, ERROR_MEMORY, "out of memory");
    }
    int error = read_table(path, demo, &accounts->table, diagnostic);
    if (error != 0) {
        free(accounts);
        return error;
    }
    snprintf(accounts->path, sizeof accounts->path, "%s", path);
    randombytes_buf(accounts->key, sizeof accounts->key);
    pthread_mutex_init(&accounts->lock, NULL);
    pthread_cond_init(&accounts->queued, NULL);
    if (pthread_create(&accounts->thread, NULL, check_all, accounts) != 0) {
        free(accounts->table.rows);
        free(accounts);
        return diagnostic_set(diagnostic, ERROR_MEMORY, "no thread for checking passwords");
    }
    *result = accounts;
    return 0;
}

/* Forgets what was found out with the accounts of before. Under the lock. */
static void
forget_outcomes(struct accounts *accounts)
{
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        struct attempt *attempt = &accounts->attempts[i];
        if (attempt->state != ATTEMPT_QUEUED && attempt->state != ATTEMPT_CHECKING) {
            sodium_memzero(attempt, sizeof *attempt);
        }
    }
    accounts->reloads++;
}

int
accounts_reload(struct accounts *accounts, struct diagnostic *diagnostic)
{
    struct account_table fresh;
    int error = read_table(accounts->path, accounts->table.demo, &fresh, diagnostic);
    if (error == 0) {
        pthread_mutex_lock(&accounts->lock);
        free(accounts->table.rows);
        accounts->table = fresh;
        forget_outcomes(accounts);
        pthread_mutex_unlock(&accounts->lock);
    }
    return error;
}

void
accounts_each(struct accounts *accounts, accounts_fn *each, void *context)
{
    /* Only this thread changes the table, so it may read without the lock. */
    for (size_t i = 0; i < accounts->table.count; i++) {
        each(context, accounts->table.rows[i].name, accounts->table.rows[i].may_restock);
    }
}

/* Hashes what makes a login the same as another. */
static void
identify(const struct accounts *accounts, const struct request *request, uint8_t id[ID_SIZE])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, accounts->key, sizeof accounts->key, ID_SIZE);
    crypto_generichash_update(&state, request->nonce, sizeof request->nonce);
    crypto_generichash_update(
        &state, (const unsigned char *)request->user, strlen(request->user) + 1);
    crypto_generichash_update(
        &state, (const unsigned char *)request->password, strlen(request->password));
    crypto_generichash_final(&state, id, ID_SIZE);
    sodium_memzero(&state, sizeof state);
}

/* Returns the attempt with this id, or NULL. Under the lock. */
static struct attempt *
find_attempt(struct accounts *accounts, const uint8_t id[ID_SIZE])
{
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        struct attempt *attempt = &accounts->attempts[i];
        if (attempt->state != ATTEMPT_FREE && sodium_memcmp(attempt->id, id, ID_SIZE) == 0) {
            return attempt;
        }
    }
    return NULL;
}

/*
 * How soon an attempt's place may be taken by another; 0 where it may not. A session that was begun
 * can be begun anew; who was right has waited long, and was not told.
 */
static const int readiness_to_go[] = {
    [ATTEMPT_FREE] = 4,
    [ATTEMPT_BEGUN] = 3,
    [ATTEMPT_WRONG] = 2,
    [ATTEMPT_RIGHT] = 1,
    [ATTEMPT_QUEUED] = 0,
    [ATTEMPT_CHECKING] = 0,
    [ATTEMPT_BEGINNING] = 0,
};

/* Returns the place for a new attempt, the oldest of those that may go soonest, or NULL. */
static struct attempt *
find_place(struct accounts *accounts)
{
    struct attempt *place = NULL;
    int best = 1;
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        struct attempt *attempt = &accounts->attempts[i];
        int readiness = readiness_to_go[attempt->state];
        bool is_older = place == NULL || attempt->turn < place->turn;
        if (readiness > best || (readiness == best && is_older)) {
            place = attempt;
            best = readiness;
        }
    }
    return place;
}

static uint64_t
count_ahead(const struct accounts *accounts, const struct attempt *attempt)
{
    uint64_t ahead = 0;
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        const struct attempt *other = &accounts->attempts[i];
        ahead += other->state == ATTEMPT_QUEUED && other->turn < attempt->turn;
    }
    return ahead;
}

static enum login
begin_attempt(struct accounts *accounts, const struct request *request, const uint8_t id[ID_SIZE],
    uint64_t *retry_ms)
{
    struct attempt *attempt = find_place(accounts);
    if (attempt == NULL) {
        *retry_ms = ATTEMPTS_MAX * CHECK_MS;
        return LOGIN_CROWDED;
    }
    sodium_memzero(attempt, sizeof *attempt);
    attempt->state = ATTEMPT_QUEUED;
    attempt->turn = ++accounts->turns;
    memcpy(attempt->id, id, ID_SIZE);
    memcpy(attempt->user, request->user, sizeof attempt->user);
    memcpy(attempt->password, request->password, sizeof attempt->password);
    pthread_cond_signal(&accounts->queued);
    *retry_ms = CHECK_MS * (1 + count_ahead(accounts, attempt));
    return LOGIN_WAITING;
}

/* Tells how an attempt stands; that it is right, to one only. Under the lock. */
static enum login
tell_attempt(const struct accounts *accounts, struct attempt *attempt,
    struct login_session *session, uint64_t *retry_ms)
{
    switch (attempt->state) {
    case ATTEMPT_WRONG:
        return LOGIN_WRONG;
    case ATTEMPT_RIGHT:
        attempt->state = ATTEMPT_BEGINNING;
        return LOGIN_RIGHT;
    case ATTEMPT_BEGUN:
        *session = attempt->session;
        return LOGIN_REPEATED;
    case ATTEMPT_FREE:
    case ATTEMPT_QUEUED:
    case ATTEMPT_CHECKING:
    case ATTEMPT_BEGINNING:
        break;
    }
    *retry_ms = ASK_AGAIN_MS + CHECK_MS * count_ahead(accounts, attempt);
    return LOGIN_WAITING;
}

enum login
accounts_login(struct accounts *accounts, const struct request *request,
    struct login_session *session, uint64_t *retry_ms)
{
    uint8_t id[ID_SIZE];
    identify(accounts, request, id);
    pthread_mutex_lock(&accounts->lock);
    struct attempt *attempt = find_attempt(accounts, id);
    enum login login = attempt == NULL ? begin_attempt(accounts, request, id, retry_ms)
                                       : tell_attempt(accounts, attempt, session, retry_ms);
    pthread_mutex_unlock(&accounts->lock);
    return login;
}

void
accounts_began(
    struct accounts *accounts, const struct request *request, const struct login_session *session)
{
    uint8_t id[ID_SIZE];
    identify(accounts, request, id);
    pthread_mutex_lock(&accounts->lock);
    struct attempt *attempt = find_attempt(accounts, id);
    if (attempt != NULL && attempt->state == ATTEMPT_BEGINNING) {
        attempt->state = ATTEMPT_BEGUN;
        attempt->session = *session;
    }
    pthread_mutex_unlock(&accounts->lock);
}

void
accounts_not_began(struct accounts *accounts, const struct request *request)
{
    uint8_t id[ID_SIZE];
    identify(accounts, request, id);
    pthread_mutex_lock(&accounts->lock);
    struct attempt *attempt = find_attempt(accounts, id);
    if (attempt != NULL && attempt->state == ATTEMPT_BEGINNING) {
        attempt->state = ATTEMPT_RIGHT;
    }
    pthread_mutex_unlock(&accounts->lock);
}

void
accounts_close(struct accounts **result)
{
    struct accounts *accounts = *result;
    if (accounts == NULL) {
        return;
    }
    pthread_mutex_lock(&accounts->lock);
    accounts->ending = true;
    pthread_cond_signal(&accounts->queued);
    pthread_mutex_unlock(&accounts->lock);
    pthread_join(accounts->thread, NULL);
    pthread_cond_destroy(&accounts->queued);
    pthread_mutex_destroy(&accounts->lock);
    free(accounts->table.rows);
    sodium_memzero(accounts, sizeof *accounts);
    free(accounts);
    *result = NULL;
}
