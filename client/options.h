/**
 * options.h: the command lines of both programs, and what --help and --version say.
 */
#ifndef STOCKBUS_CLIENT_OPTIONS_H
#define STOCKBUS_CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "client/outcome.h"
#include "client/profile.h"

/** An option of the command line. */
struct option_entry {
    const char *name;     /**< without its dashes */
    const char *argument; /**< what its value is called; NULL: it has none */
    const char *help;     /**< a few words; NULL: it is not listed */
    bool is_scripted;     /**< only stockctl has it */
    int code;             /**< options.c's */
};

/** Returns the table of options; `*count` is its size. Static. */
const struct option_entry *
options_table(size_t *count);

/** What the two programs differ in. */
struct program {
    const char *name;        /**< as it is called by */
    const char *usage;       /**< behind the name */
    const char *description; /**< some sentences */
    const char *examples;    /**< lines */
    bool is_scripted;        /**< takes a command, and options for scripts */
};

/** What the command line says. */
struct options {
    struct flags flags;        /**< for profile_load() */
    const char *password_file; /**< NULL: none was named */
    bool json;                 /**< answers are JSON */
    bool quiet;                /**< no confirmations and no notes */
    bool yes;                  /**< large orders are not asked about */
    bool ends;                 /**< --help or --version was answered: there is nothing more to do */
    int first;                 /**< index of the first argument that is no option */
};

/**
 * Takes the options apart. Returns OUTCOME_DONE, or OUTCOME_USAGE after having told what is wrong.
 */
enum outcome
options_parse(struct options *options, const struct program *program, int argc, char **argv);

#endif
