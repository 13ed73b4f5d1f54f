/* stock-fsck: options and exit status. */

#include "broker/fsck.h"

#include <getopt.h>

enum exit_status {
    EXIT_GOOD = 0,
    EXIT_OTHER = 1,
    EXIT_USAGE = 2,
    EXIT_DAMAGED = 3
};

static const char help[] =
    "usage: stock-fsck [--json] DIR\n"
    "\n"
    "Reads the data directory of a broker or the state directory of a client, checks all that\n"
    "stands in it, and prints it: the files, the items with their units, the sessions with their\n"
    "last orders, the order that is pending. The newest snapshot is computed anew from the one\n"
    "before it and the journals between them, and both have to agree.\n"
    "\n"
    "  --json      print one JSON object\n"
    "  --version   print the version\n"
    "  --help      print this\n"
    "\n"
    "It writes nothing and takes no lock. In a directory that is in use, a record that is being\n"
    "written looks like a torn tail; a torn tail is no damage, as the next start cuts it off.\n"
    "\n"
    "Exit status: 0 good, 2 bad usage, 3 damaged (file and offset are on standard error), 1 the\n"
    "rest (no such directory, no data in it, a file that cannot be read).\n"
    "\n"
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
    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
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
            fprintf(stderr, "try 'stock-fsck --help'\n");
            return EXIT_USAGE;
        }
    }
    if (optind + 1 != count) {
        fprintf(stderr, "usage: stock-fsck [--json] DIR\n");
        return EXIT_USAGE;
    }
    return (int)check(arguments[optind], json);
}
