/* stock-fsck: options and exit status. */

#include "broker/fsck.h"

#include "shared/usage.h"

enum exit_status {
    EXIT_GOOD = 0,
    EXIT_OTHER = 1,
    EXIT_USAGE = 2,
    EXIT_DAMAGED = 3
};

static const char help[] =
    "stock-fsck - checks and prints the files of a Stockbus broker or client\n"
    "\n"
    "Usage:\n"
    "  stock-fsck [--json] DIR\n"
    "\n"
    "Reads the data directory of a broker or the state directory of a client, checks\n"
    "all that stands in it, and prints it: the files, the items with their units, the\n"
    "sessions with their last orders, the order that is pending. The newest snapshot\n"
    "is computed anew from the one before it and the journals between them, and both\n"
    "have to agree.\n"
    "\n"
    "It writes nothing and takes no lock. In a directory that is in use, a record\n"
    "that is being written looks like a torn tail; a torn tail is no damage, as the\n"
    "next start cuts it off.\n"
    "\n"
    "Options:\n"
    "  --json                print one JSON object\n"
    "  --help                explain this\n"
    "  --version             say which version this is\n"
    "\n"
    "Exit status:\n"
    "  0  good\n"
    "  1  anything else: no such directory, no data in it, a file that cannot be read\n"
    "  2  bad usage\n"
    "  3  damaged; file and offset are on standard error\n"
    "\n"
    "Examples:\n"
    "  stock-fsck ~/.local/state/stockbus\n"
    "  stock-fsck --json /var/lib/stockbus | jq .units\n";

static enum exit_status
check(const char *directory, bool json)
{
    struct fsck fsck;
    struct diagnostic diagnostic = {""};
    enum exit_status status = EXIT_GOOD;
    int error = fsck_read(&fsck, files_system(), directory, &diagnostic);
    if (error != 0) {
        fprintf(stderr, "stock-fsck: %s\n", diagnostic.text);
        status = EXIT_OTHER;
    } else {
        (json ? fsck_emit : fsck_print)(&fsck, stdout);
        if (fsck.damage.text[0] != '\0') {
            fflush(stdout);
            fprintf(stderr, "stock-fsck: %s\n", fsck.damage.text);
            status = EXIT_DAMAGED;
        }
    }
    fsck_fini(&fsck);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "stock-fsck: standard output cannot be written\n");
        status = EXIT_OTHER;
    }
    return status;
}

int
main(int count, char **arguments)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool json = false;
    int option;
    while ((option = getopt_long(count, arguments, ":", options, NULL)) != -1) {
        switch (option) {
        case 'j':
            json = true;
            break;
        case 'v':
            puts("stock-fsck " STOCKBUS_VERSION);
            return EXIT_GOOD;
        case 'h':
            fputs(help, stdout);
            return EXIT_GOOD;
        default:
            usage_complain("stock-fsck", options, option, arguments[optind - 1]);
            return EXIT_USAGE;
        }
    }
    if (optind + 1 != count) {
        fprintf(stderr, "stock-fsck: %s; usage: stock-fsck [--json] DIR\n",
            optind == count ? "which directory?" : "one directory at a time");
        return EXIT_USAGE;
    }
    return (int)check(arguments[optind], json);
}
