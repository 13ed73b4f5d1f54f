/**
 * options.h: the command line of stockd.
 */
#ifndef STOCKBUS_BROKER_OPTIONS_H
#define STOCKBUS_BROKER_OPTIONS_H

/** What stockd is asked to do. */
enum action {
    ACTION_SERVE,
    ACTION_CHECK,            /**< reads the configuration, and ends */
    ACTION_HASH_PASSWORD,    /**< see tools.h */
    ACTION_MAKE_CERTIFICATE, /**< see tools.h */
    ACTION_NONE              /**< --help or --version was answered */
};

/** What the command line says. Texts are borrowed from it and not empty; NULL: not given. */
struct options {
    enum action action;      /**< the last one that was asked for */
    const char *config;      /**< path of the configuration */
    const char *bind;        /**< where to listen */
    const char *data;        /**< the data directory */
    const char *log_level;   /**< see log.h */
    const char *log_format;  /**< see log.h */
    const char *certificate; /**< path of the certificate to be made, never NULL */
};

/**
 * Takes the command line apart, and answers --help and --version. Returns 0, or ERROR_INVALID after
 * having told what is wrong.
 */
int
options_read(struct options *options, int argc, char **argv);

#endif
