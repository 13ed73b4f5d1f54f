/* stockd: options, configuration, signals, wiring, exit status. */

#include "broker/accounts.h"
#include "broker/authenticator.h"
#include "broker/bouncer.h"
#include "broker/catalog.h"
#include "broker/config.h"
#include "broker/connection.h"
#include "broker/engine.h"
#include "broker/keys.h"
#include "broker/lanes.h"
#include "broker/log.h"
#include "broker/options.h"
#include "broker/reload.h"
#include "broker/server.h"
#include "broker/service.h"
#include "broker/tools.h"
#include "broker/upkeep.h"
#include "shared/certificate.h"
#include "shared/text.h"

#include <inttypes.h>
#include <malloc.h>
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

enum {
    ARENA_SIZE_MIN = 32 * 1024 * 1024 /* bytes that an allocator's arena begins with */
};

static const char default_config[] = "/etc/stockbus/broker.conf";

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

static enum exit_status
exit_status_of_tool(int error)
{
    return exit_status_of(error, error == ERROR_INVALID || error == ERROR_EXISTS);
}

/* A flag, which is never empty, or a variable, which counts as not set when it is. */
static const char *
first_of(const char *flag, const char *variable)
{
    const char *value = flag != NULL ? flag : getenv(variable);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* Puts flags and environment in the place of what the file says. */
static int
override(const struct options *options, struct config *config, struct diagnostic *diagnostic)
{
    const struct {
        const char *key;
        const char *flag;
        const char *variable;
        char *target;
        size_t size;
    } overrides[] = {
        {"bind", options->bind, "STOCK_BIND", config->bind, sizeof config->bind},
        {"data", options->data, "STOCK_DATA", config->data, sizeof config->data},
        {"log_level", options->log_level, "STOCK_LOG_LEVEL", config->log_level,
            sizeof config->log_level},
        {"log_format", options->log_format, "STOCK_LOG_FORMAT", config->log_format,
            sizeof config->log_format},
    };
    for (size_t i = 0; i < sizeof overrides / sizeof overrides[0]; i++) {
        const char *value = first_of(overrides[i].flag, overrides[i].variable);
        if (value != NULL && strlen(value) >= overrides[i].size) {
            return diagnostic_set(
                diagnostic, ERROR_INVALID, "%s: '%.40s…' is too long", overrides[i].key, value);
        }
        if (value != NULL) {
            snprintf(overrides[i].target, overrides[i].size, "%s", value);
        }
    }
    return 0;
}

static int
set_log_up(const struct config *config, struct diagnostic *diagnostic)
{
    bool knows_format = log_set_format(config->log_format);
    if (!log_set_level(config->log_level)) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "log_level: '%s' is none of error, warning, notice, debug", config->log_level);
    }
    return knows_format ? 0
                        : diagnostic_set(diagnostic, ERROR_INVALID,
                              "log_format: '%s' is neither text nor json", config->log_format);
}

/*
 * Configuration: file, then environment, then flags, then the sockets that were handed over. What
 * is wrong with it is told in the format that is wanted, as far as that is known.
 */
static int
configure(const struct options *options, const struct service_sockets *sockets,
    struct config *config, struct diagnostic *diagnostic)
{
    const char *path = first_of(options->config, "STOCK_BROKER_CONFIG");
    config_init(config);
    int error = config_read(config, path != NULL ? path : default_config, diagnostic);
    int override_error = override(options, config, error == 0 ? diagnostic : NULL);
    error = error != 0 ? error : override_error;
    int log_error = set_log_up(config, error == 0 ? diagnostic : NULL);
    error = error != 0 ? error : log_error;
    if (sockets->count > 0) {
        memcpy(config->bind, sockets->endpoint, sizeof config->bind);
        config->lanes = sockets->count;
    }
    return error != 0 ? error : config_check(config, diagnostic);
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

static uint64_t
now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* All that serves, in the order in which it is opened. */
struct broker {
    struct config config;
    struct service_sockets sockets;
    bool is_misconfigured; /* by users, inventory or keys: why it could not be opened */
    int failed_fd;
    void *context;
    struct accounts *accounts;
    struct certificate certificate;      /* until the lanes are open */
    struct keys *keys;                   /* NULL, like the next: connections are not encrypted */
    struct authenticator *authenticator; /* there before the first lane, and after the last */
    struct engine *engine;
    struct upkeep *upkeep;
    struct bouncer *bouncer;
    struct lanes lanes;
    struct server *server;
};

/* Reads the broker's own keys and those that may connect. */
static int
open_keys(const struct config *config, struct certificate *certificate, struct keys **keys,
    struct diagnostic *diagnostic)
{
    int error = certificate_read_secret(config->certificate, certificate, diagnostic);
    return error != 0 ? error : keys_open(keys, config->clients, diagnostic);
}

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
        log_line(LEVEL_WARNING,
            "%s; an older snapshot and the journals behind it gave the same state",
            report->warning.text);
    }
    if (report->torn_bytes > 0) {
        const struct log_field field = {"bytes", NULL, report->torn_bytes};
        log_fields(LEVEL_WARNING, &field, 1,
            "set aside %" PRIu64 " byte%s of a record that was never finished", report->torn_bytes,
            text_plural(report->torn_bytes));
    }
    size_t items = ledger->stock.count;
    uint64_t units = ledger_units(ledger);
    size_t sessions = ledger->sessions.count;
    const struct log_field fields[] = {
        {"data", broker->config.data, 0},
        {"items", NULL, items},
        {"units", NULL, units},
        {"sessions", NULL, sessions},
        {"records", NULL, report->records},
    };
    log_fields(LEVEL_NOTICE, fields, sizeof fields / sizeof fields[0],
        "%s %s: %zu item%s, %" PRIu64 " unit%s, %zu session%s, %" PRIu64 " record%s replayed",
        report->is_new ? "made" : "opened", broker->config.data, items, text_plural(items), units,
        text_plural(units), sessions, text_plural(sessions), report->records,
        text_plural(report->records));
}

static int
open_engine(struct broker *broker, struct diagnostic *diagnostic)
{
    const struct environment environment = {
        .files = files_system(), .random = random_bytes, .now_ms = now_ms, .now_us = now_us};
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
        error = reload_permit(broker->engine, broker->accounts);
    }
    return error;
}

/* Opens what people wrote: what is wrong with it is bad configuration. */
static int
open_files(struct broker *broker, struct diagnostic *diagnostic)
{
    const struct config *config = &broker->config;
    int error =
        accounts_open(&broker->accounts, config->users, config->endpoint.is_loopback, diagnostic);
    if (error == 0 && accounts_are_uneven(broker->accounts)) {
        log_line(LEVEL_WARNING, ACCOUNTS_UNEVEN_TEXT);
    }
    if (error == 0 && config_encrypts(config)) {
        error = open_keys(config, &broker->certificate, &broker->keys, diagnostic);
    }
    broker->is_misconfigured = error != 0;
    return error;
}

/* Has the answer to handshakes ready, and lets the lanes listen. */
static int
open_lanes(struct broker *broker, struct diagnostic *diagnostic)
{
    const struct config *config = &broker->config;
    const int *fds = broker->sockets.count > 0 ? broker->sockets.fds : NULL;
    int error = 0;
    if (config_encrypts(config)) {
        error =
            authenticator_open(&broker->authenticator, broker->context, broker->keys, diagnostic);
    }
    if (error == 0) {
        error = lanes_open(&broker->lanes, broker->context, config->bind, &config->endpoint, fds,
            config->lanes, config_encrypts(config) ? broker->certificate.secret_key : NULL,
            diagnostic);
    }
    sodium_memzero(&broker->certificate, sizeof broker->certificate);
    return error;
}

static int
broker_open(struct broker *broker, struct diagnostic *diagnostic)
{
    broker->failed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    broker->context = zmq_ctx_new();
    if (broker->failed_fd < 0 || broker->context == NULL) {
        return diagnostic_set(diagnostic, ERROR_MEMORY, "out of memory");
    }
    int error = open_files(broker, diagnostic);
    if (error == 0 && broker->sockets.count == 0) {
        /* Nothing is made on a disk for a broker that could not serve. */
        error = lanes_probe(broker->config.bind, &broker->config.endpoint, diagnostic);
    }
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
        error = open_lanes(broker, diagnostic);
    }
    if (error == 0) {
        const struct server_parts parts = {
            .lanes = &broker->lanes,
            .engine = broker->engine,
            .accounts = broker->accounts,
            .keys = broker->keys,
            .upkeep = broker->upkeep,
            .bouncer = broker->bouncer,
            .failed_fd = broker->failed_fd,
        };
        error = server_open(&broker->server, &parts, diagnostic);
    }
    return error;
}

/* Closes what is open, in the other order; keeps the state where it served without an error. */
static int
broker_close(struct broker *broker, bool keep, struct diagnostic *diagnostic)
{
    server_close(&broker->server);
    lanes_close(&broker->lanes);
    authenticator_close(&broker->authenticator);
    keys_close(&broker->keys);
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
 * Lets the process open as many descriptors as it may and are looked at: each connection takes
 * one. A crash leaves no core: who logs in at that moment has a password in memory.
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
        limit.rlim_cur =
            limit.rlim_max < CONNECTION_FD_COUNT_MAX ? limit.rlim_max : CONNECTION_FD_COUNT_MAX;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/*
 * Has each thread's arena begin with room for almost all that it will ever need: beyond that, and
 * without this from the start, it grows page by page. Whoever changes the address space waits for
 * whoever fills it, and the check of a password fills 64 MiB. Memory costs nothing before it is
 * touched, but so much of it is not given back after that. Before there are threads.
 */
static void
begin_with_large_arenas(void)
{
    (void)mallopt(M_TOP_PAD, ARENA_SIZE_MIN);
}

/* Tells whether connections are encrypted. `keys` is NULL where they are not. */
static void
log_keys(const struct keys *keys)
{
    if (keys != NULL) {
        log_line(LEVEL_NOTICE, "connections are encrypted; keys that may connect: %zu",
            keys_count(keys));
    }
}

static int
serve(const struct config *config, const struct service_sockets *sockets, bool *is_misconfigured,
    struct diagnostic *diagnostic)
{
    struct broker broker = {.config = *config, .sockets = *sockets, .failed_fd = -1};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    /* Whoever reads what it logs may go away; what it sells is kept all the same. */
    (void)signal(SIGPIPE, SIG_IGN);
    set_limits();
    begin_with_large_arenas();

    int error = broker_open(&broker, diagnostic);
    *is_misconfigured = broker.is_misconfigured;
    if (error == 0) {
        log_keys(broker.keys);
        log_ready(broker.lanes.endpoint);
        service_ready(broker.lanes.endpoint);
        error = server_run(broker.server, diagnostic);
        service_stopping(error == 0);
    }
    bool keep = error == 0;
    int close_error = broker_close(&broker, keep, error == 0 ? diagnostic : NULL);
    return error != 0 ? error : close_error;
}

/* Tells what a good configuration holds, at whatever level: somebody has asked for it. */
static void
report_check(const struct config *config, const struct accounts_found *accounts, size_t items,
    const struct keys *keys)
{
    const struct log_field fields[] = {
        {"bind", config->bind, 0},
        {"data", config->data, 0},
        {"accounts", NULL, accounts->count},
        {"demonstration_accounts", NULL, accounts->demo_count},
        {"items", NULL, items},
    };
    if (!log_shows(LEVEL_NOTICE)) {
        (void)log_set_level("notice");
    }
    log_fields(LEVEL_NOTICE, fields, sizeof fields / sizeof fields[0],
        "the configuration is good: serves %s, keeps its data in %s; %zu account%s in %s, %zu "
        "item%s "
        "in %s",
        config->bind, config->data, accounts->count, text_plural(accounts->count), config->users,
        items, text_plural(items), config->inventory);
    log_keys(keys);
    if (accounts->demo_count > 0) {
        log_line(LEVEL_WARNING,
            "demonstration accounts are on: %zu, and anybody on this machine may know "
            "their passwords",
            accounts->demo_count);
    }
}

/* Reads everything that is read at a start, but for the data. */
static int
check_files(const struct config *config, struct diagnostic *diagnostic)
{
    struct certificate certificate;
    struct keys *keys = NULL;
    struct stock stock;
    struct accounts_found accounts;
    int error = accounts_check(config->users, config->endpoint.is_loopback, &accounts, diagnostic);
    if (error == 0 && accounts.is_uneven) {
        log_line(LEVEL_WARNING, ACCOUNTS_UNEVEN_TEXT);
    }
    if (error == 0 && config_encrypts(config)) {
        error = open_keys(config, &certificate, &keys, diagnostic);
        sodium_memzero(&certificate, sizeof certificate);
    }
    if (error == 0) {
        stock_init(&stock);
        error = catalog_read(config->inventory, &stock, diagnostic);
        if (error == 0) {
            report_check(config, &accounts, stock.count, keys);
        }
        stock_clear(&stock);
    }
    keys_close(&keys);
    return error;
}

static enum exit_status
run(const struct options *options)
{
    static struct config config;
    static struct service_sockets sockets;
    struct diagnostic diagnostic = {""};
    struct diagnostic handed_over = {""};
    int sockets_error = service_take_sockets(&sockets, &handed_over);
    int error = configure(options, &sockets, &config, &diagnostic);
    if (error != 0) {
        log_line(LEVEL_ERROR, "%s", diagnostic.text);
        return EXIT_USAGE;
    }
    if (sockets_error != 0) {
        log_line(LEVEL_ERROR, "%s", handed_over.text);
        return EXIT_OTHER;
    }
    bool is_misconfigured = true;
    error = options->action == ACTION_CHECK
                ? check_files(&config, &diagnostic)
                : serve(&config, &sockets, &is_misconfigured, &diagnostic);
    if (error != 0) {
        log_line(
            LEVEL_ERROR, "%s", diagnostic.text[0] != '\0' ? diagnostic.text : error_text(error));
    }
    return exit_status_of(error, is_misconfigured);
}

int
main(int argc, char **argv)
{
    struct options options;
    if (sodium_init() < 0) {
        log_line(LEVEL_ERROR, "libsodium does not start");
        return EXIT_OTHER;
    }
    if (options_read(&options, argc, argv) != 0) {
        return EXIT_USAGE;
    }
    switch (options.action) {
    case ACTION_NONE:
        return EXIT_DONE;
    case ACTION_HASH_PASSWORD:
        return (int)exit_status_of_tool(tools_hash_password());
    case ACTION_MAKE_CERTIFICATE:
        return (int)exit_status_of_tool(tools_make_certificate(options.certificate));
    case ACTION_CHECK:
    case ACTION_SERVE:
        break;
    }
    return (int)run(&options);
}
