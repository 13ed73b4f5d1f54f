/* The loop of the load generator, its books and its report. See load.h. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    RECEIVE_SIZE = 64 * 1024,
    ENTERING_MAX = 32, /* logins at once: the broker holds a bounded number of them */
    SILENCE_S = 5,     /* a server that answers nothing for so long is broken */
};

/* A run goes through these in order. */
enum phase {
    PHASE_ENTER,
    PHASE_COUNT_BEFORE,
    PHASE_WARM_UP,
    PHASE_MEASURE,
    PHASE_DRAIN,
    PHASE_COUNT_AFTER,
    PHASE_END
};

static const struct peer *const peers[] = {
    &peer_bus, &peer_echo, &peer_redis, &peer_statement, &peer_transaction, &peer_pickle};

const struct options *options;

static struct {
    int epoll_fd;
    enum phase phase;
    struct connection *connections;
    size_t begun;   /* connections that have begun to log in */
    size_t entered; /* of those, which have logged in */
    size_t busy;    /* connections with replies due */
    uint64_t phase_ns;
    uint64_t begin_ns; /* of measuring */
    uint64_t end_ns;
    uint64_t count_ns; /* what counting all units took */
    uint64_t random;
    uint64_t position_before; /* of the bus: its records */
    uint64_t units_before;
    uint64_t units_after;
    uint64_t units_sold;
    uint64_t replies;    /* while measuring */
    uint64_t heard_ns;   /* when a login or a request was last answered */
    uint32_t *latencies; /* in 10 ns */
    size_t latency_count;
    size_t latency_count_max;
} run;

_Noreturn void
die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static uint64_t
now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* SplitMix64 (Steele, Lea, Flood). */
static uint64_t
draw(void)
{
    uint64_t z = run.random += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static uint64_t
draw_upc(void)
{
    return load_upc(draw() % options->items);
}

uint64_t
load_upc(uint64_t i)
{
    uint64_t body = 10000000000 + i;
    uint64_t sum = 0;
    uint64_t weight = 3;
    for (uint64_t rest = body; rest > 0; rest /= 10) {
        sum += rest % 10 * weight;
        weight = 4 - weight;
    }
    return body * 10 + (10 - sum % 10) % 10;
}

void
load_credentials(char user[USER_SIZE], char password[PASSWORD_SIZE])
{
    FILE *file = options->login == NULL ? NULL : fopen(options->login, "re");
    if (file == NULL || fscanf(file, "%32s %128s", user, password) != 2) {
        die("--login wants a file with a user and a password");
    }
    fclose(file);
}

/* Connections. */

/* Lets epoll say when `connection` can be read and, with `writes`, written. */
static void
watch(struct connection *connection, int how, bool writes)
{
    struct epoll_event event = {
        .events = writes ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(run.epoll_fd, how, connection->fd, &event) != 0) {
        die("epoll_ctl: %s", strerror(errno));
    }
    connection->is_writing = writes;
}

static void
flush(struct connection *connection)
{
    struct bytes *out = &connection->out;
    while (out->size > 0) {
        ssize_t put = send(connection->fd, out->data, out->size, MSG_NOSIGNAL);
        if (put < 0 && (errno == EAGAIN || errno == ENOTCONN)) {
            break;
        }
        if (put < 0) {
            die("connection %zu: send: %s", connection->number, strerror(errno));
        }
        bytes_drop(out, (size_t)put);
    }
    if (connection->is_writing != (out->size > 0)) {
        watch(connection, EPOLL_CTL_MOD, out->size > 0);
    }
}

static void
begin_connection(struct connection *connection)
{
    const int yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options->port)};
    if (inet_pton(AF_INET, options->host, &address.sin_addr) != 1) {
        die("'%s' is no IPv4 address", options->host);
    }
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0 ||
        (connect(connection->fd, (const struct sockaddr *)&address, sizeof address) != 0 &&
            errno != EINPROGRESS)) {
        die("connection %zu: %s", connection->number, strerror(errno));
    }
    watch(connection, EPOLL_CTL_ADD, true);
    for (size_t i = 0; i < sizeof connection->nonce; i += 8) {
        uint64_t part = draw() ^ now_ns();
        memcpy(connection->nonce + i, &part, 8);
    }
    options->peer->enter(connection);
}

void
load_entered(struct connection *connection)
{
    connection->again_ns = 0;
    run.entered++;
}

void
load_enter_again(struct connection *connection, uint64_t wait_ms)
{
    run.heard_ns = now_ns();
    connection->again_ns = run.heard_ns + wait_ms * 1000000;
}

/* Lets as many connections log in as may at once. */
static void
enter_more(uint64_t now)
{
    while (run.begun < options->connections && run.begun - run.entered < ENTERING_MAX) {
        begin_connection(&run.connections[run.begun++]);
    }
    for (size_t i = 0; i < run.begun; i++) {
        struct connection *connection = &run.connections[i];
        if (connection->again_ns != 0 && connection->again_ns <= now) {
            connection->again_ns = 0;
            options->peer->enter(connection);
            flush(connection);
        }
    }
}

/* Requests and replies. */

static void
ask(struct connection *connection, uint64_t now)
{
    connection->is_view = draw() % 100 < options->views;
    connection->order_due = connection->order.number + 1;
    for (size_t i = 0; i < options->pipelined; i++) {
        if (connection->is_view) {
            options->peer->view(connection, draw_upc());
            continue;
        }
        struct order *order = &connection->order;
        order->number++;
        order->line_count = options->lines;
        for (size_t line = 0; line < options->lines; line++) {
            order->upcs[line] = draw_upc();
        }
        options->peer->order(connection, order);
    }
    connection->sent_ns = now;
    connection->outstanding = options->pipelined;
    run.busy++;
}

static void
note_latency(uint64_t ns)
{
    if (run.latency_count == run.latency_count_max) {
        run.latency_count_max = run.latency_count_max == 0 ? 1 << 20 : run.latency_count_max * 2;
        run.latencies = realloc(run.latencies, run.latency_count_max * sizeof *run.latencies);
        if (run.latencies == NULL) {
            die("out of memory");
        }
    }
    uint64_t units = ns / 10;
    run.latencies[run.latency_count++] = units > UINT32_MAX ? UINT32_MAX : (uint32_t)units;
}

void
load_answered(struct connection *connection)
{
    uint64_t now = now_ns();
    if (connection->outstanding == 0) {
        die("connection %zu: a reply to nothing", connection->number);
    }
    run.heard_ns = now;
    if (run.phase == PHASE_MEASURE || run.phase == PHASE_DRAIN) {
        note_latency(now - connection->sent_ns); /* who waits at the end counts as well */
        run.replies += run.phase == PHASE_MEASURE;
    }
    if (!connection->is_view) {
        run.units_sold += options->lines;
        connection->order_due++;
    }
    if (--connection->outstanding == 0) {
        run.busy--;
        if (run.phase == PHASE_WARM_UP || run.phase == PHASE_MEASURE) {
            ask(connection, now);
        }
    }
}

static void
begin_count(void)
{
    struct connection *connection = &run.connections[0];
    if (options->peer->count != NULL) {
        run.heard_ns = now_ns();
        connection->is_counting = true;
        connection->units = 0;
        connection->items_seen = 0;
        run.busy++;
        options->peer->count(connection);
        flush(connection);
    }
}

void
load_counted(struct connection *connection, uint64_t units)
{
    *(run.phase == PHASE_COUNT_BEFORE ? &run.units_before : &run.units_after) = units;
    run.count_ns = now_ns() - run.phase_ns;
    if (run.phase == PHASE_COUNT_BEFORE) {
        run.position_before = connection->position;
    }
    connection->is_counting = false;
    run.busy--;
}

static void
receive(struct connection *connection)
{
    struct bytes *in = &connection->in;
    ssize_t got = recv(connection->fd, bytes_room(in, RECEIVE_SIZE), RECEIVE_SIZE, 0);
    if (got < 0 && errno == EAGAIN) {
        return;
    }
    if (got <= 0) {
        die("connection %zu: %s", connection->number,
            got == 0 ? "the server closed it" : strerror(errno));
    }
    in->size += (size_t)got;
    if (connection->is_counting) {
        run.heard_ns = now_ns();
    }
    size_t used = 0;
    for (size_t step = 1; step > 0 && used < in->size; used += step) {
        step = options->peer->take(connection, in->data + used, in->size - used);
    }
    bytes_drop(in, used);
}

/* The run. */

static void
begin_phase(enum phase phase, uint64_t now)
{
    run.phase = phase;
    run.phase_ns = now;
    if (phase == PHASE_COUNT_BEFORE || phase == PHASE_COUNT_AFTER) {
        begin_count();
    }
    if (phase == PHASE_WARM_UP) {
        for (size_t i = 0; i < options->connections; i++) {
            ask(&run.connections[i], now_ns());
            flush(&run.connections[i]);
        }
    }
    if (phase == PHASE_MEASURE) {
        run.begin_ns = now;
    }
    if (phase == PHASE_DRAIN) {
        run.end_ns = now;
    }
}

/* Goes to the next phase when this one is over. */
static void
look_at_phase(uint64_t now)
{
    double passed = (double)(now - run.phase_ns) / 1e9;
    bool over = false;
    switch (run.phase) {
    case PHASE_ENTER:
        enter_more(now);
        over = run.entered == options->connections;
        break;
    case PHASE_WARM_UP:
        over = passed >= options->warm_up;
        break;
    case PHASE_MEASURE:
        over = passed >= options->seconds;
        break;
    case PHASE_COUNT_BEFORE:
    case PHASE_DRAIN:
    case PHASE_COUNT_AFTER:
        over = run.busy == 0;
        break;
    case PHASE_END:
        break;
    }
    if (over) {
        begin_phase((enum phase)(run.phase + 1), now);
    }
}

static void
loop(void)
{
    struct epoll_event events[256];
    run.heard_ns = run.phase_ns = now_ns();
    while (run.phase != PHASE_END) {
        int count = epoll_wait(run.epoll_fd, events, 256, run.phase == PHASE_ENTER ? 1 : 20);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if ((events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) {
                receive(connection);
            }
            flush(connection);
        }
        uint64_t now = now_ns();
        if (now > run.heard_ns + (uint64_t)SILENCE_S * 1000000000) {
            die("no reply for %d s in phase %d", SILENCE_S, (int)run.phase);
        }
        look_at_phase(now);
    }
}

static int
compare(const void *a, const void *b)
{
    const uint32_t *x = a;
    const uint32_t *y = b;
    return (*x > *y) - (*x < *y);
}

static double
percentile_us(double part)
{
    if (run.latency_count == 0) {
        return 0;
    }
    size_t rank = (size_t)(part * (double)run.latency_count);
    rank = rank >= run.latency_count ? run.latency_count - 1 : rank;
    return (double)run.latencies[rank] / 100;
}

static uint64_t
position_after(void)
{
    uint64_t position = run.position_before;
    for (size_t i = 0; i < options->connections; i++) {
        uint64_t seen = run.connections[i].position;
        position = seen > position ? seen : position;
    }
    return position;
}

static void
report(void)
{
    double seconds = (double)(run.end_ns - run.begin_ns) / 1e9;
    if (options->peer->count != NULL && run.units_before - run.units_sold != run.units_after) {
        die("of %" PRIu64 " units %" PRIu64 " were sold, and %" PRIu64 " are left",
            run.units_before, run.units_sold, run.units_after);
    }
    qsort(run.latencies, run.latency_count, sizeof *run.latencies, compare);
    printf("{\"peer\":\"%s\",\"connections\":%zu,\"views\":%u,\"lines\":%zu,\"pipelined\":%zu,"
           "\"items\":%" PRIu64 ",\"seconds\":%.3f,\"replies\":%" PRIu64 ",\"per_second\":%.1f,"
           "\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,"
           "\"units_sold\":%" PRIu64 ",\"units_counted\":%s,\"records\":%" PRIu64
           ",\"count_us\":%.1f}\n",
        options->peer->name, options->connections, options->views, options->lines,
        options->pipelined, options->items, seconds, run.replies, (double)run.replies / seconds,
        percentile_us(0.5), percentile_us(0.99), percentile_us(0.999), percentile_us(1),
        run.units_sold, options->peer->count != NULL ? "true" : "false",
        position_after() - run.position_before, (double)run.count_ns / 1e3);
}

static const char usage[] =
    "usage: load --peer bus|echo|redis|statement|transaction|pickle --port PORT [OPTION...]\n"
    "  --host ADDRESS    (127.0.0.1)\n"
    "  --connections N   (1)\n"
    "  --seconds S       to measure (2)\n"
    "  --warm-up S       before that (0.3)\n"
    "  --views PERCENT   views of one item; the rest are orders (0)\n"
    "  --lines N         lines of one order, each of one unit (1)\n"
    "  --pipelined N     requests a connection sends at once (1; more: redis only)\n"
    "  --items N         items to choose from (24)\n"
    "  --seed N          of what is ordered (1)\n"
    "  --login FILE      user and password, for the bus\n"
    "Prints one JSON object. Ends with 1 when any reply is not what it has to be, or when units\n"
    "are missing at the end.\n";

static const struct peer *
find_peer(const char *name)
{
    for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++) {
        if (strcmp(peers[i]->name, name) == 0) {
            return peers[i];
        }
    }
    die("there is no peer '%s'", name);
}

static bool
take_option(struct options *wanted, int option)
{
    switch (option) {
    case 'p':
        wanted->peer = find_peer(optarg);
        return true;
    case 'h':
        wanted->host = optarg;
        return true;
    case 'P':
        wanted->port = (uint16_t)strtoul(optarg, NULL, 10);
        return true;
    case 'c':
        wanted->connections = strtoul(optarg, NULL, 10);
        return true;
    case 's':
        wanted->seconds = strtod(optarg, NULL);
        return true;
    case 'w':
        wanted->warm_up = strtod(optarg, NULL);
        return true;
    case 'v':
        wanted->views = (unsigned)strtoul(optarg, NULL, 10);
        return true;
    case 'l':
        wanted->lines = strtoul(optarg, NULL, 10);
        return true;
    case 'd':
        wanted->pipelined = strtoul(optarg, NULL, 10);
        return true;
    case 'i':
        wanted->items = strtoull(optarg, NULL, 10);
        return true;
    case 'S':
        wanted->seed = strtoull(optarg, NULL, 10);
        return true;
    case 'L':
        wanted->login = optarg;
        return true;
    default:
        return false;
    }
}

static const struct option long_options[] = {
    {"peer", required_argument, NULL, 'p'},
    {"host", required_argument, NULL, 'h'},
    {"port", required_argument, NULL, 'P'},
    {"connections", required_argument, NULL, 'c'},
    {"seconds", required_argument, NULL, 's'},
    {"warm-up", required_argument, NULL, 'w'},
    {"views", required_argument, NULL, 'v'},
    {"lines", required_argument, NULL, 'l'},
    {"pipelined", required_argument, NULL, 'd'},
    {"items", required_argument, NULL, 'i'},
    {"seed", required_argument, NULL, 'S'},
    {"login", required_argument, NULL, 'L'},
    {NULL, 0, NULL, 0},
};

int
main(int argc, char **argv)
{
    static struct options wanted = {.host = "127.0.0.1",
        .connections = 1,
        .seconds = 2,
        .warm_up = 0.3,
        .lines = 1,
        .pipelined = 1,
        .items = 24,
        .seed = 1};
    bool good = true;
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        good = take_option(&wanted, option) && good;
    }
    if (!good || optind != argc || wanted.peer == NULL || wanted.port == 0 ||
        wanted.connections < 1 || wanted.lines < 1 || wanted.lines > LINES_MAX ||
        wanted.items < 1 || wanted.pipelined < 1 || wanted.views > 100) {
        fputs(usage, stderr);
        return 2;
    }
    options = &wanted;
    run.random = wanted.seed;
    run.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    run.connections = calloc(wanted.connections, sizeof *run.connections);
    if (run.epoll_fd < 0 || run.connections == NULL) {
        die("out of memory");
    }
    for (size_t i = 0; i < wanted.connections; i++) {
        run.connections[i].number = i;
    }
    loop();
    report();
    return 0;
}
