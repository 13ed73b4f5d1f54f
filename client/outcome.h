/**
 * outcome.h: how a command ended. The numbers are the exit status of both programs.
 */
#ifndef STOCKBUS_CLIENT_OUTCOME_H
#define STOCKBUS_CLIENT_OUTCOME_H

/** X(name, word for programs, text), in the order of the exit statuses */
#define OUTCOME_LIST(X)                                                                  \
    X(OUTCOME_DONE, "ok", "done")                                                        \
    X(OUTCOME_REFUSED, "refused", "refused by the broker")                               \
    X(OUTCOME_USAGE, "usage", "the command line or a setting is wrong")                  \
    X(OUTCOME_DAMAGED, "damaged", "data that is damaged, out of date or cannot be used") \
    X(OUTCOME_UNREACHABLE, "unreachable", "the broker cannot be reached")                \
    X(OUTCOME_UNKNOWN, "outcome_unknown",                                                \
        "outcome of an order not known yet; it is pending, 'resolve' settles it")        \
    X(OUTCOME_LOGGED_OUT, "not_logged_in", "not logged in, or wrong user name or password")

/** How a command ended; the number is the exit status. */
enum outcome {
#define OUTCOME_NAME(name, word, text) name,
    OUTCOME_LIST(OUTCOME_NAME)
#undef OUTCOME_NAME
    OUTCOME_COUNT
};

#endif
