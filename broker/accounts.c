#include "broker/accounts.h"

#include "broker/account_table.h"
#include "broker/passhash.h"
#include "broker/throttle.h"
#include "shared/secret.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    ATTEMPTS_MAX = 64,
    ID_SIZE = 16,
    CHECK_MS = 80,
    ASK_AGAIN_MS = 20,
    LATE_MS = 1000, /* who was told when to ask again, and has not by then, is not waited for */
    NICENESS = 10   /* of the checking thread: a tenth of the weight of one that serves */
};

enum attempt_state {
    ATTEMPT_FREE,
    ATTEMPT_HELD, /* its password may not be checked yet */
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
    uint64_t source;     /* see throttle_source() */
    uint64_t burden;     /* of that, when the attempt began */
    uint64_t late_ms;    /* when whoever asks is expected back no more */
    uint8_t id[ID_SIZE]; /* keyed hash of nonce, user and password */
    char user[USER_SIZE_MAX + 1];
    char password[PASSWORD_SIZE_MAX + 1]; /* from ATTEMPT_QUEUED until it was checked */
    /* ATTEMPT_BEGUN: the token is masked with what only the login itself gives (struct identity).
     */
    struct login_session session;
};

struct accounts {
    char path[4096];
    uint8_t key[crypto_generichash_KEYBYTES]; /* of the ids; random */
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t queued;      /* signalled when there is an attempt to check, or the end */
    struct account_table table; /* under the lock */
    struct attempt attempts[ATTEMPTS_MAX]; /* under the lock */
    struct throttle throttle;              /* under the lock */
    uint64_t turns;                        /* under the lock */
    uint64_t reloads;                      /* under the lock */
    bool ending;                           /* under the lock */
};

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
    const struct account *account = account_table_find(&accounts->table, attempt->user);
    bool known = account != NULL;
    /* A name that nobody has costs the same time: it is held against somebody's hash, the dearest.
     */
    const struct account_table *table = &accounts->table;
    struct passhash hash = known ? account->hash : table->rows[table->dearest].hash;
    uint64_t reloads = accounts->reloads;
    attempt->state = ATTEMPT_CHECKING;
    pthread_mutex_unlock(&accounts->lock);

    bool matches = false;
    int error = passhash_check(&hash, attempt->password, &matches);
    sodium_memzero(&hash, sizeof hash);

    pthread_mutex_lock(&accounts->lock);
    if (error == 0 && accounts->reloads != reloads) {
        attempt->state = ATTEMPT_QUEUED;
        return;
    }
    bool right = matches && known;
    if (error != 0 || right) {
        throttle_give_back(&accounts->throttle, attempt->user);
        throttle_take_burden(&accounts->throttle, attempt->source);
    }
    if (error != 0) {
        sodium_memzero(attempt, sizeof *attempt);
    } else {
        sodium_memzero(attempt->password, sizeof attempt->password);
        attempt->state = right ? ATTEMPT_RIGHT : ATTEMPT_WRONG;
    }
}

static void *
check_all(void *context)
{
    struct accounts *accounts = context;
    /* On Linux this is of the calling thread alone. Where it fails, checks cost others more. */
    (void)setpriority(PRIO_PROCESS, 0, NICENESS);
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

/*
 * Reads the accounts. Hashes of real passwords are worth a guess, and whoever may write others
 * there may log in as anybody; those of the demonstration are known to all.
 */
static int
read_table(struct account_table *table, const char *path, bool demo, struct diagnostic *diagnostic)
{
    int error = account_table_read(table, path, demo, diagnostic);
    if (error == 0 && table->count > table->demo_count) {
        error = secret_check(path, diagnostic);
        if (error != 0) {
            account_table_free(table);
        }
    }
    return error;
}

int
accounts_check(
    const char *path, bool demo, struct accounts_found *found, struct diagnostic *diagnostic)
{
    struct account_table table;
    int error = read_table(&table, path, demo, diagnostic);
    if (error == 0) {
        *found = (struct accounts_found){table.count, table.demo_count, table.is_uneven};
        account_table_free(&table);
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
    int error = read_table(&accounts->table, path, demo, diagnostic);
    if (error != 0) {
        free(accounts);
        return error;
    }
    snprintf(accounts->path, sizeof accounts->path, "%s", path);
    randombytes_buf(accounts->key, sizeof accounts->key);
    throttle_init(&accounts->throttle);
    pthread_mutex_init(&accounts->lock, NULL);
    pthread_cond_init(&accounts->queued, NULL);
    if (pthread_create(&accounts->thread, NULL, check_all, accounts) != 0) {
        account_table_free(&accounts->table);
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
        if (attempt->state != ATTEMPT_HELD && attempt->state != ATTEMPT_QUEUED &&
            attempt->state != ATTEMPT_CHECKING) {
            sodium_memzero(attempt, sizeof *attempt);
        }
    }
    accounts->reloads++;
}

int
accounts_reload(struct accounts *accounts, struct diagnostic *diagnostic)
{
    struct account_table fresh;
    int error = read_table(&fresh, accounts->path, accounts->table.demo, diagnostic);
    if (error == 0) {
        pthread_mutex_lock(&accounts->lock);
        account_table_free(&accounts->table);
        accounts->table = fresh;
        forget_outcomes(accounts);
        pthread_mutex_unlock(&accounts->lock);
    }
    return error;
}

bool
accounts_are_uneven(const struct accounts *accounts)
{
    /* Only this thread changes the table, so it may read without the lock. */
    return accounts->table.is_uneven;
}

void
accounts_each(struct accounts *accounts, accounts_fn *each, void *context)
{
    /* Only this thread changes the table, so it may read without the lock. */
    for (size_t i = 0; i < accounts->table.count; i++) {
        each(context, accounts->table.rows[i].name, accounts->table.rows[i].may_restock);
    }
}

/*
 * What makes a login the same as another, and a mask that nobody has who has not sent the login: so
 * no token stands in memory for longer than a turn.
 */
struct identity {
    uint8_t id[ID_SIZE];
    uint8_t mask[TOKEN_SIZE];
};

static struct identity
identify(const struct accounts *accounts, const struct request *request)
{
    crypto_generichash_state state;
    struct identity identity;
    static_assert(sizeof identity == ID_SIZE + TOKEN_SIZE, "one hash gives both");
    crypto_generichash_init(&state, accounts->key, sizeof accounts->key, sizeof identity);
    crypto_generichash_update(&state, request->nonce, sizeof request->nonce);
    crypto_generichash_update(
        &state, (const unsigned char *)request->user, strlen(request->user) + 1);
    crypto_generichash_update(
        &state, (const unsigned char *)request->password, strlen(request->password));
    crypto_generichash_final(&state, (uint8_t *)&identity, sizeof identity);
    sodium_memzero(&state, sizeof state);
    return identity;
}

/* Masks a token, or unmasks one that was masked. */
static struct login_session
mask(const struct login_session *session, const struct identity *identity)
{
    struct login_session masked = *session;
    for (size_t i = 0; i < sizeof masked.token; i++) {
        masked.token[i] ^= identity->mask[i];
    }
    return masked;
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
 * can be begun anew; who was right has waited long, and was not told. Whoever is late is not waited
 * for; a login that is right and was not told stays while somebody may come for it.
 */
static int
readiness_to_go(const struct attempt *attempt, uint64_t now_ms)
{
    bool is_late = now_ms > attempt->late_ms;
    switch (attempt->state) {
    case ATTEMPT_FREE:
        return 5;
    case ATTEMPT_BEGUN:
        return 3;
    case ATTEMPT_WRONG:
        return 2;
    case ATTEMPT_HELD:
        return is_late ? 4 : 0;
    case ATTEMPT_RIGHT:
        return is_late ? 1 : 0;
    case ATTEMPT_QUEUED:
    case ATTEMPT_CHECKING:
    case ATTEMPT_BEGINNING:
        break;
    }
    return 0;
}

/* Returns the place for a new attempt, the oldest of those that may go soonest, or NULL. */
static struct attempt *
find_place(struct accounts *accounts, uint64_t now_ms)
{
    struct attempt *place = NULL;
    int best = 1;
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        struct attempt *attempt = &accounts->attempts[i];
        int readiness = readiness_to_go(attempt, now_ms);
        bool is_older = place == NULL || attempt->turn < place->turn;
        if (readiness > best || (readiness == best && is_older)) {
            place = attempt;
            best = readiness;
        }
    }
    return place;
}

/* Does one attempt come before another that is held as well? */
static bool
goes_before(const struct attempt *one, const struct attempt *other)
{
    return one->burden != other->burden ? one->burden < other->burden : one->turn < other->turn;
}

/* Returns the attempt that would be let through last of all that are held, or NULL. */
static struct attempt *
last_held(struct accounts *accounts)
{
    struct attempt *last = NULL;
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        struct attempt *attempt = &accounts->attempts[i];
        if (attempt->state == ATTEMPT_HELD && (last == NULL || goes_before(last, attempt))) {
            last = attempt;
        }
    }
    return last;
}

static uint64_t
count_ahead(const struct accounts *accounts, const struct attempt *attempt)
{
    uint64_t ahead = 0;
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        const struct attempt *other = &accounts->attempts[i];
        ahead += other->state == ATTEMPT_QUEUED &&
                 (attempt->state == ATTEMPT_HELD || other->turn < attempt->turn);
    }
    return ahead;
}

/* Is there another that is to be let through before this one, and could be now? */
static bool
is_behind(const struct accounts *accounts, const struct attempt *attempt, uint64_t now_ms)
{
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        const struct attempt *other = &accounts->attempts[i];
        if (other->state == ATTEMPT_HELD && now_ms <= other->late_ms &&
            /* NOLINTNEXTLINE(readability-suspicious-call-argument): asked of the other */
            goes_before(other, attempt) &&
            throttle_wait_ms(&accounts->throttle, other->user, now_ms) == 0) {
            return true;
        }
    }
    return false;
}

/* Lets a held attempt through to be checked, if it may be. Returns how it stands then. */
static enum login
let_through(struct accounts *accounts, struct attempt *attempt, const struct request *request,
    uint64_t now_ms, uint64_t *retry_ms)
{
    uint64_t wait_ms = throttle_wait_ms(&accounts->throttle, attempt->user, now_ms);
    bool waits = wait_ms > 0 || is_behind(accounts, attempt, now_ms);
    if (!waits) {
        throttle_take(&accounts->throttle, attempt->user, now_ms);
        attempt->state = ATTEMPT_QUEUED;
        attempt->turn = ++accounts->turns;
        memcpy(attempt->password, request->password, sizeof attempt->password);
        pthread_cond_signal(&accounts->queued);
    }
    uint64_t check_ms = CHECK_MS * (1 + count_ahead(accounts, attempt));
    *retry_ms = wait_ms > check_ms ? wait_ms : check_ms;
    return waits ? LOGIN_SLOWED : LOGIN_WAITING;
}

/* Begins an attempt, if there is a place for it or one whose source has a larger burden. */
static struct attempt *
begin_attempt(struct accounts *accounts, const struct request *request, const uint8_t id[ID_SIZE],
    const char *source_name, uint64_t now_ms)
{
    uint64_t source = throttle_source(&accounts->throttle, source_name);
    uint64_t burden = throttle_burden(&accounts->throttle, source, now_ms);
    struct attempt *attempt = find_place(accounts, now_ms);
    if (attempt == NULL) {
        attempt = last_held(accounts);
        if (attempt == NULL || attempt->burden <= burden) {
            return NULL;
        }
    }
    throttle_add_burden(&accounts->throttle, source, now_ms);
    sodium_memzero(attempt, sizeof *attempt);
    attempt->state = ATTEMPT_HELD;
    attempt->turn = ++accounts->turns;
    attempt->source = source;
    attempt->burden = burden;
    memcpy(attempt->id, id, ID_SIZE);
    memcpy(attempt->user, request->user, sizeof attempt->user);
    return attempt;
}

/* Tells how an attempt stands; that it is right, to one only. Under the lock. */
static enum login
tell_attempt(const struct accounts *accounts, struct attempt *attempt,
    const struct identity *identity, struct login_session *session, uint64_t *retry_ms)
{
    switch (attempt->state) {
    case ATTEMPT_WRONG:
        return LOGIN_WRONG;
    case ATTEMPT_RIGHT:
        attempt->state = ATTEMPT_BEGINNING;
        return LOGIN_RIGHT;
    case ATTEMPT_BEGUN:
        *session = mask(&attempt->session, identity);
        return LOGIN_REPEATED;
    case ATTEMPT_FREE:
    case ATTEMPT_HELD:
    case ATTEMPT_QUEUED:
    case ATTEMPT_CHECKING:
    case ATTEMPT_BEGINNING:
        break;
    }
    *retry_ms = ASK_AGAIN_MS + CHECK_MS * count_ahead(accounts, attempt);
    return LOGIN_WAITING;
}

enum login
accounts_login(struct accounts *accounts, const struct request *request, const char *source,
    uint64_t now_ms, struct login_session *session, uint64_t *retry_ms)
{
    enum login login = LOGIN_CROWDED;
    const struct identity identity = identify(accounts, request);
    pthread_mutex_lock(&accounts->lock);
    struct attempt *attempt = find_attempt(accounts, identity.id);
    if (attempt == NULL) {
        attempt = begin_attempt(accounts, request, identity.id, source, now_ms);
    }
    *retry_ms = 0;
    if (attempt == NULL) {
        *retry_ms = ATTEMPTS_MAX * CHECK_MS;
    } else if (attempt->state == ATTEMPT_HELD) {
        login = let_through(accounts, attempt, request, now_ms, retry_ms);
    } else {
        login = tell_attempt(accounts, attempt, &identity, session, retry_ms);
    }
    if (attempt != NULL) {
        attempt->late_ms = now_ms + *retry_ms + LATE_MS;
    }
    pthread_mutex_unlock(&accounts->lock);
    return login;
}

size_t
accounts_queued(struct accounts *accounts)
{
    size_t count = 0;
    pthread_mutex_lock(&accounts->lock);
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        enum attempt_state state = accounts->attempts[i].state;
        count += state == ATTEMPT_QUEUED || state == ATTEMPT_CHECKING ? 1 : 0;
    }
    pthread_mutex_unlock(&accounts->lock);
    return count;
}

void
accounts_began(
    struct accounts *accounts, const struct request *request, const struct login_session *session)
{
    const struct identity identity = identify(accounts, request);
    pthread_mutex_lock(&accounts->lock);
    struct attempt *attempt = find_attempt(accounts, identity.id);
    if (attempt != NULL && attempt->state == ATTEMPT_BEGINNING) {
        attempt->state = ATTEMPT_BEGUN;
        attempt->session = mask(session, &identity);
    }
    pthread_mutex_unlock(&accounts->lock);
}

void
accounts_not_began(struct accounts *accounts, const struct request *request)
{
    const struct identity identity = identify(accounts, request);
    pthread_mutex_lock(&accounts->lock);
    struct attempt *attempt = find_attempt(accounts, identity.id);
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
    account_table_free(&accounts->table);
    sodium_memzero(accounts, sizeof *accounts);
    free(accounts);
    *result = NULL;
}
