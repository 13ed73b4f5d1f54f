#include "broker/options.h"

#include "broker/log.h"
#include "shared/error.h"
#include "shared/usage.h"

#include <stdio.h>

static const char default_certificate[] = "broker.cert";

static const char help[] =
    "stockd - keeps the stock of a Stockbus, and sells it over ZeroMQ\n"
    "\n"
    "Usage:\n"
    "  stockd [--config FILE] [--bind ENDPOINT] [--data DIR] [--log-level LEVEL]\n"
    "         [--log-format FORMAT] [--check-config]\n"
    "  stockd --hash-password\n"
    "  stockd --keygen [FILE]\n"
    "\n"
    "Options:\n"
    "  --config FILE         configuration; without it $STOCK_BROKER_CONFIG, or\n"
    "                        else /etc/stockbus/broker.conf\n"
    "  --bind ENDPOINT       where to listen, as tcp://127.0.0.1:5570; port '*'\n"
    "                        takes a free one (also $STOCK_BIND)\n"
    "  --data DIR            data directory (also $STOCK_DATA)\n"
    "  --log-level LEVEL     the least urgent lines that are written: error, warning,\n"
    "                        notice (unless set) or debug (also $STOCK_LOG_LEVEL)\n"
    "  --log-format FORMAT   text, or json: an object a line (also\n"
    "                        $STOCK_LOG_FORMAT)\n"
    "  --check-config        read configuration, users and inventory, say what is\n"
    "                        wrong or what they hold, and end\n"
    "  --hash-password       read a password, and print the hash for users.conf\n"
    "  --keygen [FILE]       make a certificate, for encrypted connections:\n"
    "                        FILE (broker.cert) and FILE_secret\n"
    "  --help                explain this\n"
    "  --version             say which version this is\n"
    "\n"
    "When it serves, it writes 'stockd: ready on ENDPOINT' to standard error.\n"
    "SIGTERM and SIGINT end it, with everything on disk; SIGHUP reads the users\n"
    "and the clients' keys again. Sockets that systemd hands over are served\n"
    "instead of --bind, and systemd is told when it serves.\n"
    "\n"
    "Exit status:\n"
    "  0  ended by a signal\n"
    "  1  anything else: address or data directory in use, disk error\n"
    "  2  bad usage or configuration\n"
    "  3  damaged data\n"
    "\n"
    "Examples:\n"
    "  stockd --config conf/broker.conf --check-config\n"
    "  stockd --config conf/broker.conf --data /tmp/stock --bind 'tcp://127.0.0.1:*'\n";

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"bind", required_argument, NULL, 'b'},
    {"data", required_argument, NULL, 'd'},
    {"log-level", required_argument, NULL, 'l'},
    {"log-format", required_argument, NULL, 'f'},
    {"check-config", no_argument, NULL, 'k'},
    {"hash-password", no_argument, NULL, 'p'},
    {"keygen", no_argument, NULL, 'g'},
    {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Takes one option. Returns false when it is none. */
static bool
take(struct options *options, int option)
{
    switch (option) {
    case 'c':
        options->config = optarg;
        return true;
    case 'b':
        options->bind = optarg;
        return true;
    case 'd':
        options->data = optarg;
        return true;
    case 'l':
        options->log_level = optarg;
        return true;
    case 'f':
        options->log_format = optarg;
        return true;
    case 'k':
        options->action = ACTION_CHECK;
        return true;
    case 'p':
        options->action = ACTION_HASH_PASSWORD;
        return true;
    case 'g':
        options->action = ACTION_MAKE_CERTIFICATE;
        return true;
    case 'v':
        puts("stockd " STOCKBUS_VERSION);
        options->action = ACTION_NONE;
        return true;
    case 'h':
        fputs(help, stdout);
        options->action = ACTION_NONE;
        return true;
    default:
        return false;
    }
}

int
options_read(struct options *options, int argc, char **argv)
{
    *options = (struct options){.action = ACTION_SERVE, .certificate = default_certificate};
    int index = 0;
    for (int option; (option = getopt_long(argc, argv, ":", long_options, &index)) != -1;) {
        if (optarg != NULL && optarg[0] == '\0') {
            log_line(LEVEL_ERROR, "--%s wants a value; 'stockd --help' lists the options",
                long_options[index].name);
            return ERROR_INVALID;
        }
        if (!take(options, option)) {
            usage_complain("stockd", long_options, option, argv[optind - 1]);
            return ERROR_INVALID;
        }
        if (options->action == ACTION_NONE) {
            return 0;
        }
    }
    if (options->action == ACTION_MAKE_CERTIFICATE && optind < argc) {
        options->certificate = argv[optind++];
    }
    if (optind < argc) {
        log_line(LEVEL_ERROR, "'%s' is one word too many; 'stockd --help' lists the options",
            argv[optind]);
        return ERROR_INVALID;
    }
    return 0;
}
