/* stockd: options, configuration, signals, wiring, exit status. */

#include "broker/accounts.h"
#include "broker/bouncer.h"
#include "broker/catalog.h"
#include "broker/config.h"
#include "broker/engine.h"
#include "broker/lanes.h"
#include "broker/log.h"
#include "broker/passhash.h"
#include "broker/server.h"
#include "broker/upkeep.h"

#include <bsd/readpassphrase.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum exit_status {
    EXIT_DONE = 0,
    EXIT_OTHER = 1,
    EXIT_USAGE = 2,
    EXIT_DAMAGED = 3
};

static const char default_config[] = "/etc/stockbus/broker.conf";

static const char help[] =
    "usage: stockd [--config FILE] [--bind ENDPOINT] [--data DIR] [--check-config]\n"
    "       stockd --hash-password\n"
    "\n"
    "The broker of Stockbus: keeps the stock, and sells it over ZeroMQ.\n"
    "\n"
    "  --config FILE     configuration; otherwise $STOCK_BROKER_CONFIG,\n"
    "                    then /etc/stockbus/broker.conf\n"
    "  --bind ENDPOINT   where to listen, as tcp://127.0.0.1:5570; port '*' takes a free one\n"
    "                    (also $STOCK_BIND)\n"
    "  --data DIR        data directory (also $STOCK_DATA)\n"
    "  --check-config    read configuration, users and inventory, say what is wrong, and end\n"
    "  --hash-password   read a password, and print the hash that users.conf wants\n"
    "  --version         print the version\n"
    "  --help            print this\n"
    "\n"
    "When it serves, it writes 'stockd: ready on ENDPOINT' to standard error. SIGTERM and SIGINT\n"
    "end it, with everything on disk; SIGHUP reads the users again.\n"
    "\n"
    "Exit status: 0 ended by a signal, 2 bad usage or configuration, 3 damaged data, 1 the rest\n"
    "(address in use, data directory in use, disk error).\n"
    "\n"
    "  stockd --config conf/broker.conf --data /tmp/stock --bind 'tcp://127.0.0.1:*'\n";

struct options {
    const char *config;
    const char *bind;
    const char *data;
    bool check_config;
};

/* What is wrong with a file that a person wrote is bad configuration, whatever the error. */
static enum exit_status
exit_status_of(int error, bool is_misconfigured)
{
    if (error == 0) {
        return EXIT_DONE;
    }
    if (is_misconfigured && error != ERROR_MEMORY) {
        return EXIT_USAGE;
    }
    return error == ERROR_DAMAGED ? EXIT_DAMAGED : EXIT_OTHER;
}

/* A flag, which is never empty, or a variable, which counts as not set when it is. */
static const char *
first_of(const char *flag, const char *variable)
{
    const char *value = flag != NULL ? flag : getenv(variable);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/*
 * Reads a line: from the terminal without echo, where standard input is one, and otherwise from
 * standard input. readpassphrase() leaves the terminal as it was, also when Ctrl-C ends the
 * process.
 */
static bool
read_password(char *password, size_t size)
{
    if (isatty(STDIN_FILENO) == 1) {
        return readpassphrase("Password: ", password, size, RPP_REQUIRE_TTY) != NULL;
    }
    bool got = fgets(password, (int)size, stdin) != NULL;
    if (got) {
        password[strcspn(password, "\r\n")] = '\0';
    }
    return got;
}

static enum exit_status
hash_password(void)
{
    char password[PASSWORD_SIZE_MAX + 2];
    char hash[PASSHASH_TEXT_SIZE];
    bool got = read_password(password, sizeof password);
    size_t size = got ? strlen(password) : 0;
    if (size == 0 || size > PASSWORD_SIZE_MAX || !text_is_printable(password, size)) {
        sodium_memzero(password, sizeof password);
        log_line("a password has 1 to %d bytes of printable UTF-8", PASSWORD_SIZE_MAX);
        return EXIT_USAGE;
    }
    int error = passhash_make(password, hash);
    sodium_memzero(password, sizeof password);
    if (error != 0) {
        log_line("%s", error_text(error));
        return EXIT_OTHER;
    }
    puts(hash);
    return EXIT_DONE;
}

/* Configuration: file, then environment, then flags. */
static int
configure(const struct options *options, struct config *config, struct diagnostic *diagnostic)
{
    const char *path = first_of(options->config, "STOCK_BROKER_CONFIG");
    const char *bind = first_of(options->bind, "STOCK_BIND");
    const char *data = first_of(options->data, "STOCK_DATA");
    config_init(config);
    int error = config_read(config, path != NULL ? path : default_config, diagnostic);
    if (error != 0) {
        return error;
    }
    if ((bind != NULL && strlen(bind) >= sizeof config->bind) ||
        (data != NULL && strlen(data) >= sizeof config->data)) {
        return diagnostic_set(diagnostic, ERROR_INVALID, "an endpoint or a path is too long");
    }
    if (bind != NULL) {
        snprintf(config->bind, sizeof config->bind, "%s", bind);
    }
    if (data != NULL) {
        snprintf(config->data, sizeof config->data, "%s", data);
    }
    return config_check(config, diagnostic);
}

static void
random_bytes(void *data, size_t size)
{
    randombytes_buf(data, size);
}

static uint64_t
now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* All that serves, in the order in which it is opened. */
struct broker {
    struct config config;
    bool is_misconfigured; /* by users or inventory: why it could not be opened */
    int failed_fd;
    void *context;
    struct accounts *accounts;
    struct engine *engine;
    struct upkeep *upkeep;
    struct bouncer *bouncer;
    struct lanes lanes;
    struct server *server;
};

static int
fill_stock(void *context, struct stock *stock, struct diagnostic *diagnostic)
{
    struct broker *broker = context;
    int error = catalog_read(broker->config.inventory, stock, diagnostic);
    broker->is_misconfigured = error != 0;
    return error;
}

static void
report_recovery(const struct broker *broker, const struct store_report *report)
{
    const struct ledger *ledger = engine_ledger(broker->engine);
    if (report->warning.text[0] != '\0') {
        log_line("%s; an older snapshot and the journals behind it gave the same state",
            report->warning.text);
    }
    if (report->torn_bytes > 0) {
        log_line(
            "set aside %" PRIu64 " bytes of a record that was never finished", report->torn_bytes);
    }
    log_line("%s %s: %zu items, %" PRIu64 " units, %zu sessions, %" PRIu64 " records replayed",
        report->is_new ? "made" : "opened", broker->config.data, ledger->stock.count,
        ledger_units(ledger), ledger->sessions.count, report->records);
}

static int
open_engine(struct broker *broker, struct diagnostic *diagnostic)
{
    const struct environment environment = {
        .files = files_system(), .random = random_bytes, .now_ms = now_ms};
    const struct engine_options options = {
        .directory = broker->config.data,
        .segment_size = (int64_t)broker->config.segment_mib * 1024 * 1024,
        .batch_max = broker->config.lanes,
        .limits = {(uint32_t)broker->config.sessions_max,
            (uint32_t)broker->config.sessions_user_max},
        .fill = fill_stock,
        .fill_context = broker,
    };
    struct store_report report;
    int error = engine_open(&broker->engine, &environment, &options, &report, diagnostic);
    if (error == 0) {
        report_recovery(broker, &report);
        error = server_permit(broker->engine, broker->accounts);
    }
    return error;
}

static int
broker_open(struct broker *broker, struct diagnostic *diagnostic)
{
    const struct config *config = &broker->config;
    broker->failed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    broker->context = zmq_ctx_new();
    if (broker->failed_fd < 0 || broker->context == NULL) {
        return diagnostic_set(diagnostic, ERROR_MEMORY, "out of memory");
    }
    int error =
        accounts_open(&broker->accounts, config->users, config->endpoint.is_loopback, diagnostic);
    broker->is_misconfigured = error != 0;
    if (error == 0) {
        error = open_engine(broker, diagnostic);
    }
    if (error == 0) {
        error = upkeep_start(&broker->upkeep, broker->engine, broker->failed_fd);
    }
    if (error == 0) {
        error = bouncer_start(&broker->bouncer);
    }
    if (error == 0) {
        error = lanes_open(&broker->lanes, broker->context, config->bind, &config->endpoint,
            config->lanes, diagnostic);
    }
    if (error == 0) {
        error = server_open(&broker->server, &broker->lanes, broker->engine, broker->accounts,
            broker->upkeep, broker->failed_fd, diagnostic);
    }
    return error;
}

/* Closes what is open, in the other order; keeps the state where it served without an error. */
static int
broker_close(struct broker *broker, bool keep, struct diagnostic *diagnostic)
{
    server_close(&broker->server);
    lanes_close(&broker->lanes);
    bouncer_stop(&broker->bouncer);
    upkeep_stop(&broker->upkeep);
    int error = engine_close(&broker->engine, keep, diagnostic);
    accounts_close(&broker->accounts);
    if (broker->context != NULL) {
        zmq_ctx_term(broker->context);
    }
    if (broker->failed_fd >= 0) {
        close(broker->failed_fd);
    }
    return error;
}

/*
 * Lets the process open as many descriptors as it may: each connection takes one. A crash leaves no
 * core: who logs in at that moment has a password in memory.
 */
static void
set_limits(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = 0;
        (void)setrlimit(RLIMIT_CORE, &limit);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int
serve(const struct config *config, bool *is_misconfigured, struct diagnostic *diagnostic)
{
    struct broker broker = {.config = *config, .failed_fd = -1};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    /* Whoever reads what it logs may go away; what it sells is kept all the same. */
    (void)signal(SIGPIPE, SIG_IGN);
    set_limits();

    int error = broker_open(&broker, diagnostic);
    *is_misconfigured = broker.is_misconfigured;
    if (error == 0) {
        log_line("ready on %s", broker.lanes.endpoint);
        error = server_run(broker.server, diagnostic);
    }
    bool keep = error == 0;
    int close_error = broker_close(&broker, keep, error == 0 ? diagnostic : NULL);
    return error != 0 ? error : close_error;
}

/* Reads everything that is read at a start, but for the data. */
static int
check_files(const struct config *config, struct diagnostic *diagnostic)
{
    struct stock stock;
    int error = accounts_check(config->users, config->endpoint.is_loopback, diagnostic);
    if (error == 0) {
        stock_init(&stock);
        error = catalog_read(config->inventory, &stock, diagnostic);
        stock_clear(&stock);
    }
    return error;
}

static enum exit_status
run(const struct options *options)
{
    static struct config config;
    struct diagnostic diagnostic = {""};
    int error = configure(options, &config, &diagnostic);
    if (error != 0) {
        log_line("%s", diagnostic.text);
        return EXIT_USAGE;
    }
    bool is_misconfigured = true;
    error = options->check_config ? check_files(&config, &diagnostic)
                                  : serve(&config, &is_misconfigured, &diagnostic);
    if (error != 0) {
        log_line("%s", diagnostic.text[0] != '\0' ? diagnostic.text : error_text(error));
    } else if (options->check_config) {
        log_line("the configuration is good");
    }
    return exit_status_of(error, is_misconfigured);
}

int
main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'},
        {"bind", required_argument, NULL, 'b'},
        {"data", required_argument, NULL, 'd'},
        {"check-config", no_argument, NULL, 'k'},
        {"hash-password", no_argument, NULL, 'p'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.check_config = false};
    if (sodium_init() < 0) {
        log_line("libsodium does not start");
        return EXIT_OTHER;
    }
    int index = 0;
    for (int option; (option = getopt_long(argc, argv, "", long_options, &index)) != -1;) {
        if (optarg != NULL && optarg[0] == '\0') {
            log_line("--%s wants a value; try 'stockd --help'", long_options[index].name);
            return EXIT_USAGE;
        }
        switch (option) {
        case 'c':
            options.config = optarg;
            break;
        case 'b':
            options.bind = optarg;
            break;
        case 'd':
            options.data = optarg;
            break;
        case 'k':
            options.check_config = true;
            break;
        case 'p':
            return (int)hash_password();
        case 'v':
            puts("stockd " STOCKBUS_VERSION);
            return EXIT_DONE;
        case 'h':
            fputs(help, stdout);
            return EXIT_DONE;
        default:
            fputs("stockd: try 'stockd --help'\n", stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        log_line("'%s' is one word too many; try 'stockd --help'", argv[optind]);
        return EXIT_USAGE;
    }
    return (int)run(&options);
}
