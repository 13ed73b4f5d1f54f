#include "support/scratch.h"

#include "broker/server.h"
#include "broker/upkeep.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <zmq.h>

enum {
    BATCH_MAX = 4,
    CLIENTS = 3,
    PINGS = 20000,
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
    fputs("north buy $argon2id$v=19$m=8,t=1,p=1$n1qzyAqPw1Gn6J7wBjwK8g$"
          "+Lmq/d7k7nQssZH/EBgfucRDVRvREm+pXZah99gqHhs\n",
        file);
    fclose(file);
    assert_int_equal(accounts_open(&broker->accounts, path, true, &diagnostic), 0);
}

static void
open_broker(struct broker *broker, const char *directory)
{
    const struct environment environment = {files_system(), count_up, wait_for_clients, NULL};
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
    assert_int_equal(upkeep_start(&broker->upkeep, broker->engine, broker->failed_fd), 0);
    broker->bouncer = bouncer_new(); /* a thread would look at the clients' ends as well */
    assert_non_null(broker->bouncer);
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
    open_broker(&broker, *state);
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
    open_broker(&broker, *state);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            every_request_is_answered_however_soon_it_comes, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(
            a_login_is_answered_without_memory_for_a_copy, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
