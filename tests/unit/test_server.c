#include "support/scratch.h"

#include "broker/lockstep.h"
#include "broker/reload.h"
#include "broker/server.h"
#include "broker/upkeep.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <zmq.h>

enum {
    BATCH_MAX = 4,
    CLIENTS = 3,
    PINGS = 20000,
    FLOODS = 8,
    LEFT_BEHIND = 64000,          /* bytes of requests */
    LONG_FRAMES = 20000,          /* of a message that is refused */
    FLOOD_MAX = 64 * 1024 * 1024, /* bytes, of which the kernel may keep some */
    LOGINS_MAX = 500,
    PATIENCE_MS = 10000
};

/* A broker of one lane, and the thread that it serves in. */
struct broker {
    void *context;
    struct engine *engine;
    struct accounts *accounts;
    struct upkeep *upkeep;
    struct bouncer *bouncer;
    struct lanes lanes;
    struct server *server;
    int failed_fd;
    pthread_t thread;
};

int
__wrap_wire_send_wiped(void *socket, const void *data, size_t size);

/* Stands in front of the one in wire.c, and never has memory. */
int
__wrap_wire_send_wiped(void *socket, const void *data, size_t size)
{
    (void)socket;
    (void)data;
    (void)size;
    return ERROR_MEMORY;
}

static atomic_int shut_count; /* calls that let nobody in */
static atomic_int open_count; /* calls that let everybody in again */

int
__wrap_lanes_shut_door(const struct lanes *lanes, bool is_shut);

/* Stands in front of the one in lanes.c, and lets everybody in at any time. */
int
__wrap_lanes_shut_door(const struct lanes *lanes, bool is_shut)
{
    (void)lanes;
    atomic_fetch_add(is_shut ? &shut_count : &open_count, 1);
    return 0;
}

static atomic_size_t first_frames; /* of a message of too many: after so many it was looked at */

bool
__real_lockstep_took(struct lockstep *lockstep, int fd, size_t frames);
bool
__wrap_lockstep_took(struct lockstep *lockstep, int fd, size_t frames);

/* Stands in front of the one in lockstep.c, and remembers. */
bool
__wrap_lockstep_took(struct lockstep *lockstep, int fd, size_t frames)
{
    size_t none = 0;
    if (frames > LOCKSTEP_FRAMES_MAX) {
        (void)atomic_compare_exchange_strong(&first_frames, &none, frames);
    }
    return __real_lockstep_took(lockstep, fd, frames);
}

static void
count_up(void *data, size_t size)
{
    static unsigned char next = 1;
    memset(data, next++, size);
}

static atomic_int asking; /* clients that have sent a request and have no reply yet */

/* The broker asks for the time in each turn. Here it then waits until every client is asking, so
 * that the next request is there before this one is answered. */
static uint64_t
wait_for_clients(void)
{
    while (atomic_load(&asking) < CLIENTS) {
        sched_yield();
    }
    return 1000;
}

static int gate = -1;              /* an eventfd; before it opens, the loop cannot sync */
static atomic_bool is_stuck;       /* it has tried */
static _Thread_local bool is_loop; /* this thread */

static int
sync_when_open(struct files *files, int fd)
{
    uint64_t count;
    (void)files;
    if (is_loop && gate >= 0) {
        atomic_store(&is_stuck, true);
        assert_int_equal(read(gate, &count, sizeof count), sizeof count);
    }
    return files_system()->fdatasync(files_system(), fd);
}

static int
fill(void *context, struct stock *stock, struct diagnostic *diagnostic)
{
    (void)context;
    (void)diagnostic;
    return stock_add(stock, 36, "Tissues", 7, 100);
}

static void *
serve(void *context)
{
    struct broker *broker = context;
    struct diagnostic diagnostic;
    is_loop = true;
    return server_run(broker->server, &diagnostic) == 0 ? NULL : broker;
}

static void
open_accounts(struct broker *broker, const char *directory)
{
    char path[300];
    struct diagnostic diagnostic;
    snprintf(path, sizeof path, "%s/users.conf", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    fputs("north buy $argon2id$v=19$m=8,t=1,p=1$7LsxM6m+kmdlqIeEuhRCZA$"
          "/6YY6WJwR/5aRJGx8vJDv0H1+YMQ8oBUoDofki+K5xw\n", /* apple */
        file);
    fclose(file);
    assert_int_equal(accounts_open(&broker->accounts, path, true, &diagnostic), 0);
}

static void
open_broker(
    struct broker *broker, const char *directory, struct files *files, struct bouncer *bouncer)
{
    const struct environment environment = {files, count_up, wait_for_clients, NULL};
    const struct engine_options options = {
        .directory = directory,
        .segment_size = engine_segment_size_min(BATCH_MAX),
        .batch_max = BATCH_MAX,
        .limits = {100, 100},
        .fill = fill,
    };
    static const char text[] = "tcp://127.0.0.1:*";
    struct store_report report;
    struct endpoint endpoint;
    struct diagnostic diagnostic;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    *broker = (struct broker){.context = zmq_ctx_new(), .failed_fd = eventfd(0, EFD_NONBLOCK)};
    open_accounts(broker, directory);
    assert_int_equal(engine_open(&broker->engine, &environment, &options, &report, &diagnostic), 0);
    assert_int_equal(reload_permit(broker->engine, broker->accounts), 0);
    assert_int_equal(upkeep_start(&broker->upkeep, broker->engine, broker->failed_fd), 0);
    assert_non_null(bouncer);
    broker->bouncer = bouncer;
    assert_int_equal(endpoint_parse(text, &endpoint, &diagnostic), 0);
    assert_int_equal(
        lanes_open(&broker->lanes, broker->context, text, &endpoint, NULL, 1, NULL, &diagnostic),
        0);
    const struct server_parts parts = {
        .lanes = &broker->lanes,
        .engine = broker->engine,
        .accounts = broker->accounts,
        .upkeep = broker->upkeep,
        .bouncer = broker->bouncer,
        .failed_fd = broker->failed_fd,
    };
    assert_int_equal(server_open(&broker->server, &parts, &diagnostic), 0);
    assert_int_equal(pthread_create(&broker->thread, NULL, serve, broker), 0);
}

static void
close_broker(struct broker *broker)
{
    void *failed = NULL;
    kill(getpid(), SIGTERM);
    pthread_join(broker->thread, &failed);
    assert_null(failed);
    server_close(&broker->server);
    lanes_close(&broker->lanes);
    bouncer_stop(&broker->bouncer);
    upkeep_stop(&broker->upkeep);
    assert_int_equal(engine_close(&broker->engine, true, NULL), 0);
    accounts_close(&broker->accounts);
    zmq_ctx_term(broker->context);
    close(broker->failed_fd);
}

static void *
connect_client(const struct broker *broker)
{
    const int none = 0;
    void *client = zmq_socket(broker->context, ZMQ_REQ);
    assert_non_null(client);
    zmq_setsockopt(client, ZMQ_LINGER, &none, sizeof none);
    assert_int_equal(zmq_connect(client, broker->lanes.endpoint), 0);
    return client;
}

static void
every_request_is_answered_however_soon_it_comes(void **state)
{
    struct broker broker;
    /* A thread of the bouncer would look at the clients' ends as well. */
    open_broker(&broker, *state, files_system(), bouncer_new());
    zmq_pollitem_t clients[CLIENTS];
    unsigned char data[MESSAGE_SIZE_MAX];
    struct buffer ping;
    const struct request request = {.operation = OPERATION_PING};
    buffer_init(&ping, data, sizeof data);
    request_encode(&ping, &request);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (zmq_pollitem_t){.socket = connect_client(&broker), .events = ZMQ_POLLIN};
        zmq_send(clients[i].socket, ping.data, ping.size, 0);
        atomic_fetch_add(&asking, 1);
    }
    for (int answered = 0; answered < PINGS;) {
        unsigned char reply[512];
        assert_true(zmq_poll(clients, CLIENTS, PATIENCE_MS) > 0);
        for (int i = 0; i < CLIENTS; i++) {
            if (clients[i].revents != 0) {
                assert_true(zmq_recv(clients[i].socket, reply, sizeof reply, 0) > 0);
                atomic_fetch_sub(&asking, 1);
                zmq_send(clients[i].socket, ping.data, ping.size, 0);
                atomic_fetch_add(&asking, 1);
                answered++;
            }
        }
    }
    /* A client whose reply was dropped has fallen silent, and waits in vain here. */
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(zmq_poll(&clients[i], 1, PATIENCE_MS), 1);
        zmq_close(clients[i].socket);
    }
    close_broker(&broker);
}

static void
a_login_is_answered_without_memory_for_a_copy(void **state)
{
    struct broker broker;
    unsigned char data[MESSAGE_SIZE_MAX];
    struct buffer login;
    const struct request request = {.operation = OPERATION_LOGIN, .user = "north", .password = "x"};
    open_broker(&broker, *state, files_system(), bouncer_new());
    atomic_store(&asking, CLIENTS); /* nobody is waited for */
    zmq_pollitem_t client = {.socket = connect_client(&broker), .events = ZMQ_POLLIN};
    buffer_init(&login, data, sizeof data);
    request_encode(&login, &request);
    for (int i = 0; i < 2; i++) {
        zmq_send(client.socket, login.data, login.size, 0);
        assert_int_equal(zmq_poll(&client, 1, PATIENCE_MS), 1);
        unsigned char reply[512];
        assert_true(zmq_recv(client.socket, reply, sizeof reply, 0) > 0);
    }
    zmq_close(client.socket);
    close_broker(&broker);
}

/* Sends the same login again and again until it is on its way to the disk. */
static void
log_in_until_stuck(void *client, const struct buffer *login)
{
    unsigned char reply[512];
    zmq_send(client, login->data, login->size, 0);
    for (int asked = 0; !atomic_load(&is_stuck);) {
        zmq_pollitem_t item = {.socket = client, .events = ZMQ_POLLIN};
        if (zmq_poll(&item, 1, 1) == 1) { /* busy: the password is being checked */
            assert_true(++asked < LOGINS_MAX);
            assert_true(zmq_recv(client, reply, sizeof reply, 0) > 0);
            zmq_send(client, login->data, login->size, 0);
        }
    }
}

static void
send_all(int fd, const void *data, size_t size)
{
    assert_int_equal(send(fd, data, size, MSG_NOSIGNAL), size);
}

/* Connects and shakes hands, as in RFC 23 (ZMTP 3.0). */
static int
connect_raw(const struct broker *broker)
{
    const unsigned char greeting[64] = {
        0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0, 'N', 'U', 'L', 'L'};
    const unsigned char ready[] = "\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03REQ";
    unsigned char theirs[64 + 2];
    struct endpoint endpoint;
    struct diagnostic diagnostic;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(endpoint_parse(broker->lanes.endpoint, &endpoint, &diagnostic), 0);
    assert_int_equal(
        connect(fd, (const struct sockaddr *)&endpoint.address, endpoint.address_size), 0);
    send_all(fd, greeting, sizeof greeting);
    send_all(fd, ready, sizeof ready - 1);
    assert_int_equal(recv(fd, theirs, sizeof theirs, MSG_WAITALL), sizeof theirs);
    return fd;
}

/* Fills `requests` with as many as there is room for. Returns their size. */
static size_t
repeat(const struct buffer *request, unsigned char *requests, size_t room)
{
    const unsigned char head[] = {1, 0, 0, (unsigned char)request->size};
    size_t size = 0;
    while (size + sizeof head + request->size <= room) {
        memcpy(requests + size, head, sizeof head);
        memcpy(requests + size + sizeof head, request->data, request->size);
        size += sizeof head + request->size;
    }
    return size;
}

/* Sends requests without waiting for replies until the connection is ended. */
static void
flood(int fd, const struct buffer *ping)
{
    unsigned char requests[8192];
    size_t size = repeat(ping, requests, sizeof requests);
    size_t total = 0;
    ssize_t sent;
    while ((sent = send(fd, requests, size, MSG_NOSIGNAL)) > 0) {
        total += (size_t)sent;
        assert_true(total < FLOOD_MAX);
    }
    assert_true(errno == ECONNRESET || errno == EPIPE);
    close(fd);
}

/* A broker whose disk stands still, and somebody who waits for it. */
struct stuck {
    struct broker broker;
    struct files files;
    void *client;
    unsigned char data[512];
    struct buffer ping;
};

static void
open_stuck(struct stuck *stuck, const char *directory, struct bouncer *bouncer)
{
    unsigned char data[512];
    struct buffer login;
    const struct request login_request = {
        .operation = OPERATION_LOGIN, .user = "north", .password = "apple"};
    const struct request ping_request = {.operation = OPERATION_PING};
    buffer_init(&login, data, sizeof data);
    request_encode(&login, &login_request);
    buffer_init(&stuck->ping, stuck->data, sizeof stuck->data);
    request_encode(&stuck->ping, &ping_request);
    stuck->files = *files_system();
    stuck->files.fdatasync = sync_when_open;
    atomic_store(&asking, CLIENTS); /* nobody is waited for */
    atomic_store(&is_stuck, false);
    gate = eventfd(0, EFD_SEMAPHORE);
    open_broker(&stuck->broker, directory, &stuck->files, bouncer);
    stuck->client = connect_client(&stuck->broker);
    log_in_until_stuck(stuck->client, &login);
}

/* Lets the disk go on. */
static void
let_go(void)
{
    const uint64_t many = 1000000;
    assert_int_equal(write(gate, &many, sizeof many), sizeof many);
}

/* The login is answered, and what is asked after it. */
static void
close_stuck(struct stuck *stuck)
{
    unsigned char reply[512];
    assert_true(zmq_recv(stuck->client, reply, sizeof reply, 0) > 0);
    zmq_send(stuck->client, stuck->ping.data, stuck->ping.size, 0);
    assert_true(zmq_recv(stuck->client, reply, sizeof reply, 0) > 0);
    zmq_close(stuck->client);
    close_broker(&stuck->broker);
    close(gate);
    gate = -1;
}

static void
whoever_floods_is_ended_while_the_disk_stands_still(void **state)
{
    struct stuck stuck;
    struct bouncer *bouncer;
    assert_int_equal(bouncer_start(&bouncer), 0);
    open_stuck(&stuck, *state, bouncer);
    for (int i = 0; i < FLOODS; i++) {
        flood(connect_raw(&stuck.broker), &stuck.ping);
    }
    let_go();
    close_stuck(&stuck);
}

static void
nobody_is_let_in_before_what_others_left_is_gone(void **state)
{
    struct stuck stuck;
    unsigned char requests[LEFT_BEHIND];
    int unsent = 1;
    open_stuck(&stuck, *state, bouncer_new());
    atomic_store(&shut_count, 0);
    atomic_store(&open_count, 0);
    int fd = connect_raw(&stuck.broker);
    send_all(fd, requests, repeat(&stuck.ping, requests, sizeof requests));
    while (unsent > 0) { /* libzmq has them all then, but for the last few kilobytes */
        assert_int_equal(ioctl(fd, SIOCOUTQ, &unsent), 0);
        sched_yield();
    }
    let_go();
    while (atomic_load(&open_count) == 0) {
        sched_yield();
    }
    close_stuck(&stuck);
    close(fd);
    assert_true(atomic_load(&shut_count) > 0);
    assert_int_equal(atomic_load(&open_count), atomic_load(&shut_count));
}

static void
a_long_message_ends_its_connection_before_all_of_it_is_dropped(void **state)
{
    static const unsigned char frame[] = {1, 1, 'x'}; /* more follow */
    unsigned char message[2 + LONG_FRAMES * sizeof frame] = {1, 0};
    struct broker broker;
    open_broker(&broker, *state, files_system(), bouncer_new());
    atomic_store(&asking, CLIENTS); /* nobody is waited for */
    atomic_store(&first_frames, 0);
    for (size_t i = 0; i < LONG_FRAMES; i++) {
        memcpy(message + 2 + i * sizeof frame, frame, sizeof frame);
    }
    message[sizeof message - sizeof frame] = 0; /* but behind the last one */
    int fd = connect_raw(&broker);
    send_all(fd, message, sizeof message);
    ssize_t received;
    while ((received = recv(fd, message, sizeof message, 0)) > 0) { /* the rest of the handshake */
    }
    assert_int_equal(received, -1);
    assert_int_equal(errno, ECONNRESET);
    assert_in_range(atomic_load(&first_frames), LOCKSTEP_FRAMES_MAX + 1, LONG_FRAMES / 10);
    close(fd);
    close_broker(&broker);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            every_request_is_answered_however_soon_it_comes, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            a_login_is_answered_without_memory_for_a_copy, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            whoever_floods_is_ended_while_the_disk_stands_still, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            nobody_is_let_in_before_what_others_left_is_gone, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            a_long_message_ends_its_connection_before_all_of_it_is_dropped, scratch_setup,
            scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
