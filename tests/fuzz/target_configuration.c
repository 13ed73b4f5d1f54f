/*
 * The readers of the four configuration files. Each reads any bytes whatever:
 *
 * - they are taken, or refused with a sentence; a zero byte is refused, whatever stands behind it;
 * - what is taken is within its limits;
 * - the settings of broker.conf and client.conf and the items of inventory.conf, written down and
 *   read again, are the same;
 * - users.conf and inventory.conf are refused when their lines stand twice.
 *
 * Names of hosts are not looked up: only addresses are.
 */
#include "fuzz/target.h"

#include "broker/accounts.h"
#include "broker/catalog.h"
#include "broker/config.h"
#include "broker/lanes.h"
#include "client/profile.h"

#include <inttypes.h>
#include <netdb.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file in memory. */
struct file {
    int fd;
    char path[32];
    char section[16]; /* that the last setting stands in */
};

int
__real_getaddrinfo(const char *restrict node, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict found);

int
__wrap_getaddrinfo(const char *restrict node, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict found);

int
__wrap_getaddrinfo(const char *restrict node, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict found)
{
    struct addrinfo numeric = *hints;
    numeric.ai_flags |= AI_NUMERICHOST;
    return __real_getaddrinfo(node, service, &numeric, found);
}

static void
file_append(const struct file *file, const void *data, size_t size)
{
    const uint8_t *rest = data;
    while (size > 0) {
        ssize_t written = write(file->fd, rest, size);
        REQUIRE(written > 0);
        rest += written;
        size -= (size_t)written;
    }
}

static struct file
file_new(const void *data, size_t size)
{
    struct file file = {.fd = memfd_create("configuration", MFD_CLOEXEC)};
    REQUIRE(file.fd >= 0 && fchmod(file.fd, 0600) == 0);
    snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
    file_append(&file, data, size);
    return file;
}

static void
check_error(int error, const struct diagnostic *diagnostic)
{
    REQUIRE(error == 0 || error == ERROR_INVALID || error == ERROR_TOO_LARGE);
    REQUIRE((error == 0) == (diagnostic->text[0] == '\0'));
}

/* Begins the section of a key "section/name", unless it is under way. Returns the name. */
static const char *
append_section(struct file *file, const char *key)
{
    const char *slash = strchr(key, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - key);
    REQUIRE(size < sizeof file->section);
    if (size > 0 && strncmp(file->section, key, size + 1) != 0) {
        snprintf(file->section, sizeof file->section, "%.*s/", (int)size, key);
        dprintf(file->fd, "%.*s\n", (int)size, key);
    }
    return size == 0 ? key : slash + 1;
}

/*
 * Writes a text as a value of ZPL; settings of a section come last. Returns false when it has both
 * quotation marks.
 */
static bool
append_setting(struct file *file, const char *key, const char *value)
{
    char mark = strchr(value, '"') == NULL ? '"' : '\'';
    if (value[0] != '\0' && strchr(value, mark) == NULL) {
        const char *name = append_section(file, key);
        dprintf(file->fd, "%s%s = %c%s%c\n", name == key ? "" : "    ", name, mark, value, mark);
    }
    return strchr(value, mark) == NULL;
}

static void
check_broker_again(const struct config *config)
{
    struct config again;
    struct diagnostic diagnostic = {""};
    struct file file = file_new("", 0);
    config_init(&again);
    const char *const texts[][2] = {
        {"bind", config->bind},
        {"data", config->data},
        {"users", config->users},
        {"inventory", config->inventory},
        {"plaintext_beyond_loopback", config->plaintext_beyond_loopback},
        {"log_level", config->log_level},
        {"log_format", config->log_format},
        {"curve/certificate", config->certificate},
        {"curve/clients", config->clients},
    };
    dprintf(file.fd,
        "lanes = %" PRIu64 "\nsegment_mib = %" PRIu64 "\nsessions = %" PRIu64
        "\nsessions_per_user = %" PRIu64 "\n",
        config->lanes, config->segment_mib, config->sessions_max, config->sessions_user_max);
    bool can_be_written = true;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        can_be_written = append_setting(&file, texts[i][0], texts[i][1]) && can_be_written;
    }
    if (can_be_written) {
        REQUIRE(config_read(&again, file.path, &diagnostic) == 0);
        REQUIRE(strcmp(again.bind, config->bind) == 0 && strcmp(again.data, config->data) == 0);
        REQUIRE(strcmp(again.users, config->users) == 0);
        REQUIRE(strcmp(again.inventory, config->inventory) == 0);
        REQUIRE(strcmp(again.plaintext_beyond_loopback, config->plaintext_beyond_loopback) == 0);
        REQUIRE(strcmp(again.certificate, config->certificate) == 0);
        REQUIRE(strcmp(again.clients, config->clients) == 0);
        REQUIRE(strcmp(again.log_level, config->log_level) == 0);
        REQUIRE(strcmp(again.log_format, config->log_format) == 0);
        REQUIRE(again.lanes == config->lanes && again.segment_mib == config->segment_mib);
        REQUIRE(again.sessions_max == config->sessions_max);
        REQUIRE(again.sessions_user_max == config->sessions_user_max);
    }
    close(file.fd);
}

static bool
check_broker(const char *path)
{
    struct config config;
    struct diagnostic diagnostic = {""};
    config_init(&config);
    int error = config_read(&config, path, &diagnostic);
    check_error(error, &diagnostic);
    if (error != 0) {
        return false;
    }
    REQUIRE(config.lanes >= 1 && config.lanes <= LANES_MAX);
    REQUIRE(config.segment_mib >= 1 && config.segment_mib <= 256);
    REQUIRE(config.sessions_max >= 1 && config.sessions_user_max >= 1);
    check_broker_again(&config);
    check_error(config_check(&config, &diagnostic), &diagnostic);
    return true;
}

static bool
check_client(const char *path)
{
    struct profile profile;
    struct profile again;
    struct profile_setting setting;
    struct diagnostic diagnostic = {""};
    struct flags flags = {.config = path};
    int error = profile_load(&profile, &flags, &diagnostic);
    check_error(error, &diagnostic);
    if (error != 0) {
        return false;
    }
    REQUIRE(strlen(profile.user) <= USER_SIZE_MAX && profile.timeout_ms >= 1);
    struct file file = file_new("", 0);
    bool can_be_written = true;
    for (enum profile_key key = 0; key < PROFILE_COUNT; key++) {
        profile_describe(&profile, key, &setting);
        can_be_written = append_setting(&file, setting.key, setting.value) && can_be_written;
    }
    flags.config = file.path;
    if (can_be_written) {
        REQUIRE(profile_load(&again, &flags, &diagnostic) == 0);
        REQUIRE(strcmp(again.endpoint, profile.endpoint) == 0);
        REQUIRE(strcmp(again.state, profile.state) == 0 && strcmp(again.user, profile.user) == 0);
        REQUIRE(again.timeout_ms == profile.timeout_ms && again.color == profile.color);
        REQUIRE(again.confirm_units == profile.confirm_units);
        REQUIRE(strcmp(again.certificate, profile.certificate) == 0);
        REQUIRE(strcmp(again.broker_key, profile.broker_key) == 0);
    }
    close(file.fd);
    return true;
}

static bool
check_users(const char *path, const char *path_twice)
{
    struct diagnostic diagnostic = {""};
    struct diagnostic other = {""};
    struct accounts_found all;
    struct accounts_found real;
    int error = accounts_check(path, true, &all, &diagnostic);
    check_error(error, &diagnostic);
    int error_real = accounts_check(path, false, &real, &other);
    check_error(error_real, &other);
    REQUIRE(error == 0 || error_real != 0);
    REQUIRE(error_real != 0 || (real.count == all.count - all.demo_count && real.demo_count == 0));
    if (error == 0) {
        REQUIRE(accounts_check(path_twice, true, &all, &other) == ERROR_INVALID);
    }
    return error == 0;
}

/* Has the name no control character of ASCII? That is told apart without decoding it. */
static bool
name_is_plain(const char *name)
{
    for (const char *at = name; *at != '\0'; at++) {
        if ((*at > 0 && *at < 0x20) || *at == 0x7f) {
            return false;
        }
    }
    return name[0] != '\0' && strlen(name) <= ITEM_NAME_SIZE_MAX;
}

static void
check_stock(const struct stock *stock)
{
    struct stock again;
    struct diagnostic diagnostic = {""};
    struct file file = file_new("", 0);
    for (size_t i = 0; i < stock->count; i++) {
        const struct item *item = &stock->items[i];
        REQUIRE(item->upc <= UPC_MAX && item->units <= LEVEL_MAX && name_is_plain(item->name));
        dprintf(file.fd, "%012" PRIu64 " %" PRIu64 " %s\n", item->upc, item->units, item->name);
    }
    stock_init(&again);
    REQUIRE(catalog_read(file.path, &again, &diagnostic) == 0 && again.count == stock->count);
    for (size_t i = 0; i < stock->count; i++) {
        const struct item *item = &stock->items[i];
        const struct item *other = &again.items[i];
        REQUIRE(item->upc == other->upc && item->units == other->units);
        REQUIRE(strcmp(item->name, other->name) == 0);
    }
    stock_clear(&again);
    close(file.fd);
}

static bool
check_inventory(const char *path, const char *path_twice)
{
    struct stock stock;
    struct stock other;
    struct diagnostic diagnostic = {""};
    stock_init(&stock);
    int error = catalog_read(path, &stock, &diagnostic);
    check_error(error, &diagnostic);
    if (error == 0) {
        check_stock(&stock);
        stock_init(&other);
        REQUIRE(catalog_read(path_twice, &other, &diagnostic) == ERROR_INVALID);
        stock_clear(&other);
    }
    stock_clear(&stock);
    return error == 0;
}

/* Makes the surroundings the same on every machine. */
static void
clear_environment(void)
{
    static const char *const variables[] = {"STOCK_ENDPOINT", "STOCK_STATE", "STOCK_USER",
        "STOCK_TIMEOUT", "STOCK_COLOR", "STOCK_CONFIRM_UNITS", "STOCK_CONFIG", "STOCK_CERTIFICATE",
        "STOCK_BROKER_KEY"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        unsetenv(variables[i]);
    }
    setenv("HOME", "/nowhere", 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clear_environment();
    struct file file = file_new(data, size);
    struct file twice = file_new(data, size);
    file_append(&twice, "\n", 1);
    file_append(&twice, data, size);
    bool is_taken = check_broker(file.path);
    is_taken = check_client(file.path) || is_taken;
    is_taken = check_users(file.path, twice.path) || is_taken;
    is_taken = check_inventory(file.path, twice.path) || is_taken;
    REQUIRE(!is_taken || size == 0 || memchr(data, 0, size) == NULL);
    close(twice.fd);
    close(file.fd);
    return 0;
}
