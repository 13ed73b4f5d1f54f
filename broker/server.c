#include "broker/server.h"

#include "broker/door.h"
#include "broker/lockstep.h"
#include "broker/log.h"
#include "broker/reload.h"
#include "broker/upkeep.h"
#include "shared/wire.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

/* What a lane is doing in this turn. */
enum lane_state {
    LANE_WAITING, /* nothing came; its descriptor will say when something does */
    LANE_READY,   /* something may have come */
    LANE_TAKEN,   /* a request was taken, and its reply is due after the sync */
};

/* A message that is being taken, so far. */
struct incoming {
    size_t frames;
    size_t bytes; /* of them on the wire */
    bool is_left; /* its client is gone or was sent away: nobody waits for a reply */
};

struct lane {
    enum lane_state state;
    void *socket;
    struct exchange exchange;
    enum login login; /* how the login in the exchange stands */
    int unseen;       /* replies since libzmq saw what the peers have taken: see make_room() */
    struct incoming incoming;
};

enum {
    /* Of a message that is dropped: others are not to wait for all of them. Enough to see that its
     * sender is to be sent away. */
    FRAMES_A_TURN = 2 * LOCKSTEP_FRAMES_MAX
};

/* The least of frames has two bytes on the wire. */
static_assert(2 * FRAMES_A_TURN >= LOCKSTEP_BYTES_MIN, "whoever has sent so many can be ended");

/* What epoll says besides the numbers of lanes. */
enum {
    EVENT_SIGNAL = LANES_MAX,
    EVENT_FAILURE
};

struct server {
    struct server_parts parts;
    struct counters *counters; /* the engine's */
    int epoll_fd;
    int signal_fd;
    bool ending;
    bool failed;

    struct lockstep *lockstep;
    struct door door;
    struct lane *lanes;
    size_t lane_count;
    size_t ready_count;
    size_t ready[LANES_MAX]; /* lanes that are LANE_READY */
    size_t taken_count;
    size_t taken[LANES_MAX]; /* lanes that are LANE_TAKEN, in the order of their requests */
    struct exchange *batch[LANES_MAX]; /* what they exchange */

    struct unpacked unpacked;
    zmq_msg_t message;
    unsigned char reply[MESSAGE_SIZE_MAX];
};

static int
watch(struct server *server, int fd, uint32_t events, uint64_t what)
{
    struct epoll_event event = {.events = events, .data.u64 = what};
    return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : ERROR_NETWORK;
}

static void
make_ready(struct server *server, size_t lane)
{
    if (server->lanes[lane].state == LANE_WAITING) {
        server->lanes[lane].state = LANE_READY;
        server->ready[server->ready_count++] = lane;
    }
}

static int
watch_lanes(struct server *server, const struct lanes *lanes)
{
    for (size_t i = 0; i < lanes->count; i++) {
        int fd = -1;
        size_t size = sizeof fd;
        server->lanes[i].socket = lanes->sockets[i];
        if (zmq_getsockopt(lanes->sockets[i], ZMQ_FD, &fd, &size) != 0 ||
            watch(server, fd, EPOLLIN | EPOLLET, i) != 0) {
            return ERROR_NETWORK;
        }
        make_ready(server, i); /* what came before the descriptor was watched raised no edge */
    }
    return 0;
}

static int
open_descriptors(struct server *server)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (server->epoll_fd < 0 || server->signal_fd < 0 ||
        watch(server, server->signal_fd, EPOLLIN, EVENT_SIGNAL) != 0 ||
        watch(server, server->parts.failed_fd, EPOLLIN, EVENT_FAILURE) != 0) {
        return ERROR_NETWORK;
    }
    return watch_lanes(server, server->parts.lanes);
}

int
server_open(struct server **result, const struct server_parts *parts, struct diagnostic *diagnostic)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return diagnostic_set(diagnostic, ERROR_MEMORY, "out of memory");
    }
    server->parts = *parts;
    server->counters = engine_counters(parts->engine);
    server->epoll_fd = -1;
    server->signal_fd = -1;
    server->lane_count = parts->lanes->count;
    server->lanes = calloc(server->lane_count, sizeof *server->lanes);
    server->lockstep = lockstep_new();
    server->door.lanes = parts->lanes;
    zmq_msg_init(&server->message);
    int error = unpacked_init(&server->unpacked);
    if (error == 0 && (server->lanes == NULL || server->lockstep == NULL)) {
        error = ERROR_MEMORY;
    }
    if (error == 0) {
        error = open_descriptors(server);
    }
    if (error != 0) {
        server_close(&server);
        return diagnostic_set(diagnostic, error, "setting the loop up: %s", error_text(error));
    }
    *result = server;
    return 0;
}

void
server_close(struct server **result)
{
    struct server *server = *result;
    if (server != NULL) {
        door_leave(&server->door);
        if (server->epoll_fd >= 0) {
            close(server->epoll_fd);
        }
        if (server->signal_fd >= 0) {
            close(server->signal_fd);
        }
        zmq_msg_close(&server->message);
        unpacked_fini(&server->unpacked);
        lockstep_free(&server->lockstep);
        free(server->lanes);
        free(server);
        *result = NULL;
    }
}

static void
take_signals(struct server *server)
{
    struct signalfd_siginfo info;
    while (read(server->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            reload(server->parts.engine, server->parts.accounts, server->parts.keys);
        } else {
            log_line(
                LEVEL_NOTICE, "stopping on %s", info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
            server->ending = true;
        }
    }
}

/* The turn. */

/* Waits for at most `timeout_ms` (-1: for ever) and notes which lanes may have a request. */
static int
wait_for_events(struct server *server, int timeout_ms)
{
    struct epoll_event events[64];
    int count = epoll_wait(server->epoll_fd, events, 64, timeout_ms);
    if (count < 0) {
        return errno == EINTR ? 0 : ERROR_IO;
    }
    for (int i = 0; i < count; i++) {
        uint64_t what = events[i].data.u64;
        if (what < server->lane_count) {
            make_ready(server, (size_t)what);
        } else if (what == EVENT_SIGNAL) {
            take_signals(server);
        } else {
            server->failed = true;
        }
    }
    return 0;
}

/* Bytes that a frame takes on the wire, as libzmq encodes it: ZMTP 3.1, and CURVE's MESSAGE. */
static size_t
wire_size(size_t size, bool is_encrypted)
{
    size += is_encrypted ? 33 : 0;
    return size + (size <= UINT8_MAX ? 2 : 9);
}

/* Milliseconds of a clock that never goes back. */
static uint64_t
elapsed_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Notes whether the sender of a message waits for the reply, unless it is known not to. */
static void
note_sender(struct server *server, struct incoming *incoming)
{
    if (!incoming->is_left) {
        int fd = zmq_msg_get(&server->message, ZMQ_SRCFD);
        incoming->is_left = lockstep_took(server->lockstep, fd, incoming->frames);
    }
}

/*
 * Counts the frames of a message from the one that was taken on, and drops those that follow it, so
 * many in a turn. Returns false when there are more: the lane is ready again then. Whoever sends so
 * many is sent away before it brings as many again.
 */
static bool
take_rest(struct server *server, struct lane *lane)
{
    struct incoming *incoming = &lane->incoming;
    for (int count = 1;; count++) {
        incoming->bytes += wire_size(zmq_msg_size(&server->message), server->parts.keys != NULL);
        incoming->frames++;
        if (!zmq_msg_more(&server->message)) {
            return true;
        }
        if (count == FRAMES_A_TURN) {
            note_sender(server, incoming);
            make_ready(server, (size_t)(lane - server->lanes));
            return false;
        }
        if (zmq_msg_recv(&server->message, lane->socket, ZMQ_DONTWAIT) < 0) {
            return true;
        }
    }
}

/* Tells those that watch the peers of the message that was taken whole. */
static void
tell_taken(struct server *server, struct incoming *incoming)
{
    note_sender(server, incoming);
    if (incoming->is_left) {
        bouncer_alert(server->parts.bouncer);
        door_count_left(&server->door, elapsed_ms());
    } else {
        int fd = zmq_msg_get(&server->message, ZMQ_SRCFD);
        size_t empty_frame = wire_size(0, server->parts.keys != NULL);
        bouncer_took(server->parts.bouncer, fd, empty_frame + incoming->bytes);
    }
}

/* Tells who sent the message that was taken, and what became of it. */
static void
log_sender(struct server *server, const char *what)
{
    if (log_shows(LEVEL_DEBUG)) {
        char peer[128];
        lanes_peer(&server->message, server->parts.keys != NULL, peer, sizeof peer);
        log_line(LEVEL_DEBUG, "%s %s", what, peer);
    }
}

/* Sees how a login stands; the engine has to see it when it is right. */
static bool
take_login(struct server *server, struct lane *lane)
{
    static const char *const reasons[] = {
        [LOGIN_WAITING] = "the password is being checked; send the same again",
        [LOGIN_SLOWED] = "too many passwords were wrong lately; send the same again",
        [LOGIN_CROWDED] = "too many logins at once; send the same again",
    };
    struct login_session session;
    uint64_t retry_ms = 0;
    char source[128];
    struct exchange *exchange = &lane->exchange;
    struct reply *reply = &exchange->reply;
    lanes_source(&server->message, server->parts.keys != NULL, source, sizeof source);
    lane->login = accounts_login(
        server->parts.accounts, &exchange->request, source, elapsed_ms(), &session, &retry_ms);
    switch (lane->login) {
    case LOGIN_RIGHT:
        return true;
    case LOGIN_WAITING:
    case LOGIN_SLOWED:
    case LOGIN_CROWDED:
        server->counters->stats.numbers[STATS_LOGINS_CROWDED] += lane->login == LOGIN_CROWDED;
        *reply = (struct reply){.status = STATUS_BUSY, .retry_ms = retry_ms};
        snprintf(reply->message, sizeof reply->message, "%s", reasons[lane->login]);
        break;
    case LOGIN_WRONG:
        log_sender(server, "refused a wrong user name or password from");
        *reply = (struct reply){.status = STATUS_BAD_CREDENTIALS};
        break;
    case LOGIN_REPEATED:
        *reply = (struct reply){.status = STATUS_OK, .session = session.number};
        memcpy(reply->token, session.token, sizeof reply->token);
        sodium_memzero(&session, sizeof session);
        break;
    }
    return false;
}

/* Remembers the session that was begun. */
static void
finish_login(struct server *server, struct lane *lane)
{
    const struct reply *reply = &lane->exchange.reply;
    if (lane->login == LOGIN_RIGHT && reply->status == STATUS_OK) {
        struct login_session session = {.number = reply->session};
        memcpy(session.token, reply->token, sizeof session.token);
        accounts_began(server->parts.accounts, &lane->exchange.request, &session);
        sodium_memzero(&session, sizeof session);
    } else if (lane->login == LOGIN_RIGHT) {
        accounts_not_began(server->parts.accounts, &lane->exchange.request);
    }
    lane->login = LOGIN_WAITING;
}

/* Wipes what nobody but the client needs to have, once the reply has been sent. */
static void
wipe_secrets(struct exchange *exchange)
{
    sodium_memzero(exchange->request.nonce, sizeof exchange->request.nonce);
    sodium_memzero(exchange->request.password, sizeof exchange->request.password);
    sodium_memzero(exchange->request.token, sizeof exchange->request.token);
    sodium_memzero(exchange->reply.token, sizeof exchange->reply.token);
}

/*
 * Sees to it that a reply is not dropped for want of room. libzmq counts the replies in a peer's
 * pipe until it has looked at what the peer took, which it does wherever a receive finds nothing,
 * but on the way of a request that is there already only once a millisecond; when the count is at
 * the high-water mark, a REP socket drops the reply without a word. What the peer took is told
 * every second reply (half the mark): a peer that waits for each reply can't have more than two
 * counted when libzmq looks, which leaves two more.
 */
static void
make_room(struct lane *lane)
{
    int events = 0;
    size_t size = sizeof events;
    if (lane->unseen == LANES_REPLIES_MAX / 2) {
        (void)zmq_getsockopt(lane->socket, ZMQ_EVENTS, &events, &size); /* looks */
        lane->unseen = 0;
    }
    lane->unseen++;
}

/* Tells what was asked and answered; no names, no secrets. */
static void
log_exchange(const struct exchange *exchange)
{
    const struct request *request = &exchange->request;
    const struct log_field fields[] = {
        {"operation", stats_row_word(request->operation), 0},
        {"status", status_word(exchange->reply.status), 0},
        {"session", NULL, request->session},
        {"order", NULL, request->order},
    };
    log_fields(LEVEL_DEBUG, fields, sizeof fields / sizeof fields[0],
        "%s: %s (session %" PRIu64 ", order %" PRIu64 ")", fields[0].text, fields[1].text,
        request->session, request->order);
}

static void
send_reply(struct server *server, size_t number)
{
    struct lane *lane = &server->lanes[number];
    struct exchange *exchange = &lane->exchange;
    struct buffer buffer;
    engine_stamp(server->parts.engine, &exchange->reply);
    buffer_init(&buffer, server->reply, sizeof server->reply);
    reply_encode(&buffer, &exchange->reply);
    assert(!buffer.overflow);
    make_room(lane);
    counters_answer(server->counters, exchange->request.operation, exchange->reply.status);
    if (log_shows(LEVEL_DEBUG)) {
        log_exchange(exchange);
    }
    /*
     * Sending fails only where the peer is gone or does not read: then nobody waits for it. Without
     * memory for a copy that is wiped, one goes out that is not: a lane that owes a reply is dead.
     */
    if (exchange->request.operation == OPERATION_LOGIN) {
        if (wire_send_wiped(lane->socket, buffer.data, buffer.size) == ERROR_MEMORY) {
            (void)zmq_send(lane->socket, buffer.data, buffer.size, ZMQ_DONTWAIT);
        }
        sodium_memzero(buffer.data, buffer.size);
        finish_login(server, lane);
    } else {
        (void)zmq_send(lane->socket, buffer.data, buffer.size, ZMQ_DONTWAIT);
    }
    wipe_secrets(exchange);
    lane->state = LANE_WAITING;
    make_ready(server, number); /* the next request may be there already, and raise no edge */
}

/*
 * Takes the message of a lane. Returns whether there was one; `*error` says when the lane can't be
 * used any more.
 */
static bool
take_message(struct server *server, struct lane *lane, int *error)
{
    if (zmq_msg_recv(&server->message, lane->socket, ZMQ_DONTWAIT) >= 0) {
        return true;
    }
    if (zmq_errno() == EAGAIN) {
        lane->unseen = 0;
    } else if (zmq_errno() == EINTR) {
        make_ready(server, (size_t)(lane - server->lanes)); /* there may be one all the same */
    } else {
        *error = ERROR_NETWORK;
    }
    return false;
}

/*
 * May the client that sent the message still ask? Its handshake may be long ago: libzmq hands the
 * key that was let in then out with each message.
 */
static bool
is_allowed(struct server *server)
{
    const char *key = server->parts.keys != NULL ? zmq_msg_gets(&server->message, "User-Id") : NULL;
    return server->parts.keys == NULL || (key != NULL && keys_allow(server->parts.keys, key));
}

/* Decodes the message into the lane's request. Where it is none, the reply says why. */
static bool
decode(struct server *server, struct lane *lane)
{
    struct exchange *exchange = &lane->exchange;
    char reason[MESSAGE_TEXT_SIZE] = "a request is one frame";
    enum status status = is_allowed(server) ? STATUS_BAD_REQUEST : STATUS_FORBIDDEN;
    const struct incoming incoming = lane->incoming;
    lane->incoming = (struct incoming){0};
    if (status == STATUS_FORBIDDEN) {
        log_sender(server, "refused a request from");
        snprintf(reason, sizeof reason, "the broker does not accept this client's key any more");
    } else if (incoming.is_left) {
        snprintf(reason, sizeof reason, "the connection is at an end");
    } else if (incoming.frames == 1) {
        status = request_decode(&server->unpacked, zmq_msg_data(&server->message),
            zmq_msg_size(&server->message), &exchange->request, reason);
    }
    /* The one copy of a password or a token that is left is wiped with the reply. */
    sodium_memzero(zmq_msg_data(&server->message), zmq_msg_size(&server->message));
    if (status == STATUS_OK) {
        return true;
    }
    exchange->request = (struct request){.operation = OPERATION_COUNT}; /* it is none */
    exchange->reply = (struct reply){.status = status};
    snprintf(exchange->reply.message, sizeof exchange->reply.message, "%s", reason);
    return false;
}

/* Takes the request of a lane, if there is one. What changes nothing is answered at once. */
static int
receive(struct server *server, size_t number, struct diagnostic *diagnostic)
{
    struct lane *lane = &server->lanes[number];
    struct exchange *exchange = &lane->exchange;
    int error = 0;
    lane->state = LANE_WAITING;
    if (!take_message(server, lane, &error)) {
        return error == 0 ? 0
                          : diagnostic_set(diagnostic, error, "receiving on lane %zu: %s", number,
                                zmq_strerror(zmq_errno()));
    }
    if (!take_rest(server, lane)) {
        return 0;
    }
    tell_taken(server, &lane->incoming);
    lane->state = LANE_TAKEN;
    if (decode(server, lane)) {
        if (!engine_may_change(&exchange->request)) {
            if (exchange->request.operation == OPERATION_STATS) {
                server->counters->stats.numbers[STATS_LOGINS_QUEUED] =
                    accounts_queued(server->parts.accounts);
            }
            /* No event of this turn is applied yet, so what it sees is on disk. */
            error = engine_apply(server->parts.engine, &exchange, 1, diagnostic);
        } else if (exchange->request.operation != OPERATION_LOGIN || take_login(server, lane)) {
            server->taken[server->taken_count] = number;
            server->batch[server->taken_count++] = exchange;
            return 0;
        }
    }
    if (error == 0) {
        send_reply(server, number);
    }
    return error;
}

/* Takes one request from each lane that may have one. */
static int
receive_all(struct server *server, struct diagnostic *diagnostic)
{
    size_t ready[LANES_MAX];
    size_t count = server->ready_count;
    int error = 0;
    memcpy(ready, server->ready, count * sizeof *ready);
    server->ready_count = 0; /* who is answered at once is ready again */
    for (size_t i = 0; error == 0 && i < count; i++) {
        error = receive(server, ready[i], diagnostic);
    }
    return error;
}

static int
turn(struct server *server, struct diagnostic *diagnostic)
{
    door_turn(&server->door, server->ready_count == 0, elapsed_ms());
    int error = wait_for_events(server, server->ready_count > 0 ? 0 : -1);
    if (error != 0) {
        return diagnostic_set(diagnostic, error, "waiting for requests: %s", error_text(error));
    }
    error = receive_all(server, diagnostic);
    if (error == 0 && server->taken_count > 0) {
        /* Whoever came meanwhile still makes it into this turn's sync. */
        (void)wait_for_events(server, 0);
        error = receive_all(server, diagnostic);
    }
    if (error == 0 && server->taken_count > 0) {
        error = engine_apply(server->parts.engine, server->batch, server->taken_count, diagnostic);
    }
    if (error != 0) {
        return error;
    }
    for (size_t i = 0; i < server->taken_count; i++) {
        send_reply(server, server->taken[i]);
    }
    server->taken_count = 0;
    counters_end_turn(server->counters);
    if (engine_wants_upkeep(server->parts.engine)) {
        upkeep_wake(server->parts.upkeep);
    }
    return 0;
}

int
server_run(struct server *server, struct diagnostic *diagnostic)
{
    int error = 0;
    while (error == 0 && !server->ending) {
        error = turn(server, diagnostic);
        if (error == 0 && server->failed) {
            error = diagnostic_set(diagnostic, ERROR_IO, "the upkeep of the data directory failed");
        }
    }
    return error;
}
