#include "broker/config.h"

#include "broker/engine.h"
#include "broker/lanes.h"
#include "shared/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    MIB = 1024 * 1024
};

/* What has to stand in the file to serve an address that others can listen in on. */
static const char accepted[] = "passwords-and-orders-may-be-read-by-others";

void
config_init(struct config *config)
{
    *config = (struct config){
        .lanes = 64,
        .segment_mib = 16,
        .sessions_max = 100000,
        .sessions_user_max = 1000,
    };
    snprintf(config->log_level, sizeof config->log_level, "notice");
    snprintf(config->log_format, sizeof config->log_format, "text");
    snprintf(config->bind, sizeof config->bind, "tcp://127.0.0.1:5570");
    snprintf(config->data, sizeof config->data, "/var/lib/stockbus");
    snprintf(config->users, sizeof config->users, "/etc/stockbus/users.conf");
    snprintf(config->inventory, sizeof config->inventory, "/etc/stockbus/inventory.conf");
}

int
config_read(struct config *config, const char *path, struct diagnostic *diagnostic)
{
    const struct setting settings[] = {
        {"bind", SETTING_TEXT, 1, sizeof config->bind, config->bind},
        {"data", SETTING_PATH, 1, sizeof config->data, config->data},
        {"users", SETTING_PATH, 1, sizeof config->users, config->users},
        {"inventory", SETTING_PATH, 1, sizeof config->inventory, config->inventory},
        {"lanes", SETTING_NUMBER, 1, LANES_MAX, &config->lanes},
        {"segment_mib", SETTING_NUMBER, 1, 256, &config->segment_mib},
        {"sessions", SETTING_NUMBER, 1, 10000000, &config->sessions_max},
        {"sessions_per_user", SETTING_NUMBER, 1, 10000000, &config->sessions_user_max},
        {"log_level", SETTING_TEXT, 1, sizeof config->log_level, config->log_level},
        {"log_format", SETTING_TEXT, 1, sizeof config->log_format, config->log_format},
        {"plaintext_beyond_loopback", SETTING_TEXT, 1, sizeof config->plaintext_beyond_loopback,
            config->plaintext_beyond_loopback},
        {"curve/certificate", SETTING_PATH, 1, sizeof config->certificate, config->certificate},
        {"curve/clients", SETTING_PATH, 1, sizeof config->clients, config->clients},
    };
    return settings_read(path, settings, sizeof settings / sizeof settings[0], diagnostic);
}

int
config_check(struct config *config, struct diagnostic *diagnostic)
{
    int error = endpoint_parse(config->bind, &config->endpoint, diagnostic);
    if (error != 0) {
        return error;
    }
    int64_t size_min = engine_segment_size_min(config->lanes);
    if ((int64_t)config->segment_mib * MIB < size_min) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "segment_mib: %" PRIu64 " lanes need journals of at least %" PRId64 " MiB",
            config->lanes, (size_min + MIB - 1) / MIB);
    }
    if ((config->certificate[0] != '\0') != (config->clients[0] != '\0')) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "curve: certificate and clients go together; one is missing");
    }
    if (!config_encrypts(config) && !config->endpoint.is_loopback &&
        strcmp(config->plaintext_beyond_loopback, accepted) != 0) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "%s: is no loopback address, and without encryption passwords and orders could be read "
            "on the way; set up curve, or, to serve it all the same, "
            "plaintext_beyond_loopback = %s",
            config->bind, accepted);
    }
    return 0;
}

bool
config_encrypts(const struct config *config)
{
    return config->certificate[0] != '\0';
}
