/*
 * readings: records readings of sensors. Producers make them and put them into one list, consumers
 * take them out and write each to a file of its own.
 */
#include "pipeline/monotonic.h"
#include "pipeline/options.h"
#include "pipeline/program.h"
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

#define STOP_AGAIN_AFTER_NS INT64_C(1000000000)

static const char help[] =
    "readings - records readings of sensors\n"
    "\n"
    "Usage:\n"
    "  readings [OPTION...]\n"
    "\n"
    "Producers make readings and put them into one list, consumers take them out and\n"
    "write them to DIR/consumer-1.msgpack, DIR/consumer-2.msgpack, and so on. A\n"
    "consumer ends when no reading came for the idle timeout. An earlier recording in\n"
    "DIR is replaced.\n"
    "\n"
    "Options:\n"
    "  --producers N         producers, 1 to 1024 (7)\n"
    "  --consumers N         consumers, 1 to 256 (3)\n"
    "  --count N             readings a producer makes, 0 to 1000000000 (2000)\n"
    "  --capacity N          readings the list has room for, 1 to 1000000 (100)\n"
    "  --idle-timeout SECONDS\n"
    "                        how long a consumer waits for a reading before it ends,\n"
    "                        0.001 to 86400 (60)\n"
    "  --out DIR             an existing directory for the files (.)\n"
    "  --seed N              makes the same readings each time, times included\n"
    "  --quiet               no progress and no summary\n"
    "  --help                explain this\n"
    "  --version             say which version this is\n"
    "\n"
    "SIGHUP, SIGINT or SIGTERM stops the producers, and what they have made is still\n"
    "written. One that comes a second or more after the first kills the program,\n"
    "should a disk hang.\n"
    "\n"
    "Exit status:\n"
    "  0  all is written\n"
    "  1  something could not be written\n"
    "  2  bad usage\n"
    "  129, 130, 143  ended by SIGHUP, SIGINT, SIGTERM, all that was made written\n"
    "\n"
    "Examples:\n"
    "  readings --idle-timeout 0.5\n"
    "  mkdir /tmp/today\n"
    "  readings --idle-timeout 0.5 --out /tmp/today\n"
    "  readings --idle-timeout 0.5 --producers 64 --consumers 16 --capacity 1\n";

static const struct program program = {.name = "readings", .help = help};

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
    return error;
}

/* A seed that was given makes whole readings repeat; another is drawn. */
static void
settle_seed(struct command *command)
{
    struct recording_settings *settings = &command->settings;
    if (command->seeded) {
        settings->clock = READING_CLOCK_SIMULATED;
    } else if (getrandom(&settings->seed, sizeof settings->seed, 0) < 0) {
        settings->seed = (uint64_t)monotonic_ns();
    }
}

/*
 * Signals. Those we react to are blocked, in all threads, and the main thread fetches them one by
 * one. From the first that stops the recording on it lets them in, for a later one to kill it.
 */

static pthread_t main_thread;
static int64_t stopped_ns; /* when the first of them came; set before any handler may run */

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
    static const int stops[] = {SIGHUP, SIGINT, SIGTERM};
    main_thread = pthread_self();
    sigemptyset(signals);
    sigaddset(signals, SIGUSR1);
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
        struct sigaction old;
        /* What we were started to ignore (nohup, a shell's background) is not ours to react to. */
        if (sigaction(stops[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
            sigaddset(signals, stops[i]);
        }
    }
    pthread_sigmask(SIG_BLOCK, signals, NULL);
}

/* These come back as errors of write. */
static void
ignore_signals_of_writes(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
}

/* One press of a key, or one `timeout`, may send several signals at once: they count as one. */
static void
kill_if_late(int number)
{
    if (monotonic_ns() - stopped_ns >= STOP_AGAIN_AFTER_NS) {
        (void)signal(number, SIG_DFL);
        raise(number);
    }
}

/* From here on the signals that stop are let in: a disk may hang, or who reads our output. */
static void
let_signals_in(const sigset_t *signals, void (*handler)(int number))
{
    sigset_t stops = *signals;
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigdelset(&stops, SIGUSR1);
    sigemptyset(&action.sa_mask);
    for (int number = 1; number <= SIGTERM; number++) {
        if (sigismember(&stops, number) == 1) {
            sigaction(number, &action, NULL);
        }
    }
    pthread_sigmask(SIG_UNBLOCK, &stops, NULL);
}

/* Waits until the recording is finished. Returns the signal that stopped it, or 0. */
static int
watch(struct recording *recording, const sigset_t *signals, struct progress *progress)
{
    const struct timespec period = {.tv_nsec = PROGRESS_PERIOD_MS * 1000000};
    sigset_t awaited = *signals;
    int stopped_by = 0;
    while (!recording_is_finished(recording)) {
        int number =
            progress != NULL ? sigtimedwait(&awaited, NULL, &period) : sigwaitinfo(&awaited, NULL);
        if (number > 0 && number != SIGUSR1) {
            stopped_by = number;
            recording_stop(recording);
            stopped_ns = monotonic_ns();
            let_signals_in(signals, kill_if_late);
            sigemptyset(&awaited);
            sigaddset(&awaited, SIGUSR1);
        }
        if (progress != NULL) {
            progress_draw(progress, recording);
        }
    }
    if (progress != NULL) {
        progress_erase(progress);
    }
    if (stopped_by == 0) {
        let_signals_in(signals, SIG_DFL); /* the files are whole by now */
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
    printf("total: %" PRIu64 " made, %" PRIu64 " written by %d consumer%s\n", totals->made,
        totals->written, settings->consumers, plural((uint64_t)settings->consumers));
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
            "readings: %" PRIu64 " reading%s in no file: %d left in the list when the last "
            "consumer ended, %" PRIu64 " could not be written\n",
            totals->made - totals->written, totals->made - totals->written == 1 ? " is" : "s are",
            totals->list.count, totals->lost);
    }
    if (totals->made != wanted && !stopped) {
        good = false;
        fprintf(stderr,
            "readings: %" PRIu64 " of %" PRIu64 " reading%s not made, because no consumer was "
            "left to take them\n",
            wanted - totals->made, wanted, wanted == 1 ? " was" : "s were");
    }
    return good;
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
    ignore_signals_of_writes();
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
    if (program_flush(&program) == EXIT_DONE) {
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
        return program_refuse(&program, diagnostic.text);
    }
    if (command.help || command.version) {
        return program_explain(&program, command.help);
    }
    settle_seed(&command);
    return record(&command);
}
