/**
 * options.h: command lines, described by a table.
 *
 * An option is `--name`, `--name VALUE` or `--name=VALUE`; a name may be cut as long as it is one
 * of a kind. `-h` is `--help` where the table has that. Options and operands may be mixed; `--`
 * ends the options, and `-` is an operand.
 */
#ifndef STOCKBUS_PIPELINE_OPTIONS_H
#define STOCKBUS_PIPELINE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/error.h"

/** What an option takes. */
enum option_kind {
    OPTION_END,     /**< ends a table */
    OPTION_FLAG,    /**< takes no value; `target` is a bool, made true */
    OPTION_INT,     /**< `target` is an int */
    OPTION_UINT64,  /**< `target` is a uint64_t */
    OPTION_SECONDS, /**< fractions allowed; `target` is an int64_t of milliseconds */
    OPTION_TEXT,    /**< not empty; `target` is a const char *, borrowed from the command line */
};

struct option_entry {
    const char *name;      /**< without the dashes */
    enum option_kind kind; /**< says what `target` is */
    void *target;          /**< where the value goes */
    uint64_t min;          /**< of numbers; milliseconds for OPTION_SECONDS */
    uint64_t max;          /**< likewise */
    bool *given;           /**< made true when the option is there; may be NULL */
};

/**
 * Reads the options of `argv` into the targets of `table`, and moves the operands to the front:
 * they are argv[1] to argv[*operands] then.
 *
 * Returns 0, or ERROR_INVALID with a sentence in `*diagnostic` that names option, value and what is
 * allowed.
 */
int
options_read(const struct option_entry *table, int argc, char *argv[], int *operands,
    struct diagnostic *diagnostic);

#endif
