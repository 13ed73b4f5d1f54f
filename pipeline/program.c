#include "pipeline/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int
program_refuse(const struct program *program, const char *reason)
{
    bool helps = strchr(reason, '?') != NULL; /* did you mean …? */
    fprintf(stderr, helps ? "%s: %s\n" : "%s: %s; '%s --help' lists the options\n", program->name,
        reason, program->name);
    return EXIT_USAGE;
}

int
program_explain(const struct program *program, bool help)
{
    if (help) {
        fputs(program->help, stdout);
    } else {
        printf("%s %s\n", program->name, STOCKBUS_VERSION);
    }
    return program_flush(program);
}

int
program_flush(const struct program *program)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(
            stderr, "%s: cannot write to standard output: %s\n", program->name, strerror(errno));
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

const char *
plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}
