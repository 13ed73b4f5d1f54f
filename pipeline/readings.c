/*
 * readings: records readings of sensors. Producers make them and put them into one list, consumers
 * take them out and write each to a file of its own.
 */
#include "pipeline/options.h"
#include "pipeline/progress.h"
#include "pipeline/recording.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_SIGNALLED = 128, /* plus the number of the signal */
};

static const char help[] =
    "usage: readings [OPTION...]\n"
    "\n"
    "Records readings of sensors: producers make them and put them into one list, consumers take\n"
    "them out and write them to DIR/consumer-1.msgpack, DIR/consumer-2.msgpack, and so on.\n"
    "A consumer ends when no reading came for the idle timeout. An earlier recording in DIR is\n"
    "replaced.\n"
    "\n"
    "  --producers N          producers, 1 to 1024 (7)\n"
    "  --consumers N          consumers, 1 to 256 (3)\n"
    "  --count N              readings a producer makes, 0 to 1000000000 (2000)\n"
    "  --capacity N           readings the list has room for, 1 to 1000000 (100)\n"
    "  --idle-timeout SECONDS how long a consumer waits for a reading before it ends,\n"
    "                         0.001 to 86400 (60)\n"
    "  --out DIR              an existing directory for the files (.)\n"
    "  --seed N               makes the same readings each time, times included\n"
    "  --quiet                no progress and no summary\n"
    "  --version              print the version\n"
    "  --help                 print this\n"
    "\n"
    "Examples:\n"
    "  readings                                       14000 readings into the current directory\n"
    "  readings --idle-timeout 0.5 --out /tmp/today   do not wait a minute at the end\n"
    "  readings --seed 42 --producers 64 --consumers 16 --capacity 1\n"
    "\n"
    "Exit status: 0 all is written; 1 something could not be written; 2 usage; 129, 130, 143 "
    "ended\n"
    "by SIGHUP, SIGINT, SIGTERM, with all that was made written.\n";

struct command {
    struct recording_settings settings;
    bool seeded;
    bool quiet;
    bool help;
    bool version;
};

static int
read_command(int argc, char *argv[], struct command *command, struct diagnostic *diagnostic)
{
    struct recording_settings *settings = &command->settings;
    *command = (struct command){.settings = {.producers = 7,
                                    .consumers = 3,
                                    .capacity = 100,
                                    .count = 2000,
                                    .idle_timeout_ms = 60000,
                                    .directory = "."}};
    const struct option_entry table[] = {
        {"producers", OPTION_INT, &settings->producers, 1, RECORDING_PRODUCERS_MAX, NULL},
        {"consumers", OPTION_INT, &settings->consumers, 1, RECORDING_CONSUMERS_MAX, NULL},
        {"count", OPTION_UINT64, &settings->count, 0, RECORDING_COUNT_MAX, NULL},
        {"capacity", OPTION_INT, &settings->capacity, 1, BOUNDED_LIST_CAPACITY_MAX, NULL},
        {"idle-timeout", OPTION_SECONDS, &settings->idle_timeout_ms, 1,
            RECORDING_IDLE_TIMEOUT_MS_MAX, NULL},
        {"out", OPTION_TEXT, &settings->directory, 0, 0, NULL},
        {"seed", OPTION_UINT64, &settings->seed, 0, UINT64_MAX, &command->seeded},
        {"quiet", OPTION_FLAG, &command->quiet, 0, 0, NULL},
        {"help", OPTION_FLAG, &command->help, 0, 0, NULL},
        {"version", OPTION_FLAG, &command->version, 0, 0, NULL},
        {NULL, OPTION_END, NULL, 0, 0, NULL},
    };
    int operands = 0;
    int error = options_read(table, argc, argv, &operands, diagnostic);
    if (error == 0 && operands > 0 && !command->help && !command->version) {
        error = diagnostic_set(diagnostic, ERROR_INVALID, "unexpected argument: %s", argv[1]);
    }
    if (command->seeded) {
        settings->clock = READING_CLOCK_SIMULATED;
    } else if (getrandom(&settings->seed, sizeof settings->seed, 0) < 0) {
        settings->seed = (uint64_t)monotonic_ns();
    }
    return error;
}

/* Signals. All are blocked, in all threads; the main thread fetches them one by one. */

static pthread_t main_thread;

/* Tells the main thread that the recording is finished; called by the last of its threads. */
static void
finished(void *context)
{
    (void)context;
    pthread_kill(main_thread, SIGUSR1);
}

static void
block_signals(sigset_t *signals)
{
    struct sigaction hangup;
    main_thread = pthread_self();
    sigemptyset(signals);
    sigaddset(signals, SIGUSR1);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    /* Under nohup the end of the terminal is not ours to react to. */
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
        sigaddset(signals, SIGHUP);
    }
    pthread_sigmask(SIG_BLOCK, signals, NULL);
    /* These come back as errors of write. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

/* A second signal of the kind ends the program at once: a disk may hang. */
static void
let_next_signal_kill(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

/* Waits until the recording is finished. Returns the signal that stopped it, or 0. */
static int
watch(struct recording *recording, const sigset_t *signals, struct progress *progress)
{
    const struct timespec period = {.tv_nsec = PROGRESS_PERIOD_MS * 1000000};
    int stopped_by = 0;
    while (!recording_is_finished(recording)) {
        int number =
            progress != NULL ? sigtimedwait(signals, NULL, &period) : sigwaitinfo(signals, NULL);
        if (number > 0 && number != SIGUSR1 && stopped_by == 0) {
            stopped_by = number;
            recording_stop(recording);
            let_next_signal_kill();
        }
        if (progress != NULL) {
            progress_draw(progress, recording);
        }
    }
    if (progress != NULL) {
        progress_erase(progress);
    }
    return stopped_by;
}

static void
print_summary(const struct recording *recording, const struct recording_totals *totals,
    const struct command *command)
{
    const struct recording_settings *settings = &recording->settings;
    printf("producer        made\n");
    for (int i = 0; i < settings->producers; i++) {
        printf("%8d  %10" PRIu64 "\n", i + 1, recording->producers[i].made);
    }
    printf("consumer     written  file\n");
    for (int i = 0; i < settings->consumers; i++) {
        char path[FILES_PATH_SIZE] = "";
        recording_path(path, sizeof path, settings->directory, i + 1);
        printf("%8d  %10" PRIu64 "  %s\n", i + 1, recording->consumers[i].file.count, path);
    }
    printf("list: capacity %d, largest fill %d\n", settings->capacity, totals->list.count_max);
    printf("waits: %" PRIu64 " of producers on the full list, %" PRIu64
           " of consumers on the empty one\n",
        totals->list.full_waits, totals->list.empty_waits);
    printf("seed: %" PRIu64 "%s\n", settings->seed,
        command->seeded ? "" : " (with --seed, the times are simulated)");
    const double active_s = (double)totals->active_ns / 1e9;
    printf("time: %.3f s to the last write, %.3f s in all; %.0f readings/s\n", active_s,
        (double)totals->wall_ns / 1e9, active_s > 0 ? (double)totals->written / active_s : 0.0);
    printf("total: %" PRIu64 " made, %" PRIu64 " written by %d consumers\n", totals->made,
        totals->written, settings->consumers);
}

/* Tells all that went wrong. Returns whether nothing did. */
static bool
print_errors(const struct recording *recording, const struct recording_totals *totals, bool stopped)
{
    const struct recording_settings *settings = &recording->settings;
    const uint64_t wanted = settings->count * (uint64_t)settings->producers;
    bool good = true;
    for (int i = 0; i < settings->consumers; i++) {
        const struct consumer *consumer = &recording->consumers[i];
        if (consumer->error != 0) {
            good = false;
            fprintf(stderr, "readings: consumer %d: %s\n", i + 1, consumer->diagnostic.text);
        }
    }
    if (totals->written != totals->made) {
        good = false;
        fprintf(stderr,
            "readings: %" PRIu64 " readings are in no file: %d were left in the list when the last "
            "consumer ended, %" PRIu64 " could not be written\n",
            totals->made - totals->written, totals->list.count, totals->lost);
    }
    if (totals->made != wanted && !stopped) {
        good = false;
        fprintf(stderr,
            "readings: %" PRIu64 " of %" PRIu64 " readings were not made, because no consumer was "
            "left to take them\n",
            wanted - totals->made, wanted);
    }
    return good;
}

static int
flush_output(void)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "readings: cannot write to standard output: %s\n", strerror(errno));
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

static int
record(const struct command *command)
{
    struct diagnostic diagnostic = {""};
    struct recording recording;
    struct recording_totals totals;
    struct progress progress;
    sigset_t signals;
    int status = EXIT_FAILED;

    block_signals(&signals);
    int error = recording_open(&recording, &command->settings, files_system(), &diagnostic);
    if (error == 0) {
        error = recording_start(&recording, finished, NULL, &diagnostic);
    }
    if (error != 0) {
        fprintf(stderr, "readings: %s\n", diagnostic.text);
        recording_close(&recording);
        return EXIT_FAILED;
    }
    const bool shown = !command->quiet && progress_is_possible(stderr);
    progress_init(&progress, stderr);
    const int stopped_by = watch(&recording, &signals, shown ? &progress : NULL);
    recording_join(&recording);
    recording_add_up(&recording, &totals);
    if (!command->quiet) {
        print_summary(&recording, &totals, command);
    }
    if (flush_output() == EXIT_DONE) {
        status = stopped_by == 0 ? EXIT_DONE : EXIT_SIGNALLED + stopped_by;
    }
    if (!print_errors(&recording, &totals, stopped_by != 0)) {
        status = EXIT_FAILED;
    }
    recording_close(&recording);
    return status;
}

int
main(int argc, char *argv[])
{
    struct command command;
    struct diagnostic diagnostic = {""};
    if (read_command(argc, argv, &command, &diagnostic) != 0) {
        fprintf(stderr, "readings: %s\nTry: readings --help\n", diagnostic.text);
        return EXIT_USAGE;
    }
    if (command.help || command.version) {
        fputs(command.help ? help : "readings " STOCKBUS_VERSION "\n", stdout);
        return flush_output();
    }
    return record(&command);
}
