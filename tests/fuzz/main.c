/*
 * main.c: runs a fuzz target without libFuzzer: on the files of a corpus, and on mutations of them.
 *
 * The target runs in a child, so that whatever ends it, the number of the run is known here, and
 * with it, and the seed, the input.
 */
#include "fuzz/mutate.h"
#include "fuzz/target.h"

#include <dirent.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "usage: fuzz-TARGET [--runs N] [--seed N] [--first N] [--size-max N] [--planted] PATH...\n"
    "\n"
    "Runs the target on each file of PATHs, and of the folders among them; then on mutations.\n"
    "\n"
    "  --runs N      how many mutations (0)\n"
    "  --seed N      what they come from (1)\n"
    "  --first N     the number of the first (0)\n"
    "  --size-max N  how large one may be, in bytes (65536)\n"
    "  --planted     a fault was put in on purpose, which a mutation has to find; files that do\n"
    "                are left out\n"
    "\n"
    "Exit status: 0 every property held (with --planted: one did not), 1 the opposite, 2 usage.\n"
    "An input that fails is written to the current folder as finding-SEED-NUMBER.\n";

struct options {
    uint64_t runs;
    uint64_t seed;
    uint64_t first;
    size_t size_max;
    bool planted;
};

static void *
need(void *data)
{
    if (data == NULL) {
        abort();
    }
    return data;
}

static bool
read_input(const char *path, struct corpus *corpus)
{
    struct stat status;
    FILE *file = fopen(path, "re");
    if (file == NULL || fstat(fileno(file), &status) != 0) {
        perror(path);
        return false;
    }
    if (corpus->count == corpus->count_max) {
        corpus->count_max = 2 * corpus->count_max + 16;
        corpus->inputs = need(realloc(corpus->inputs, corpus->count_max * sizeof *corpus->inputs));
    }
    struct input *input = &corpus->inputs[corpus->count++];
    input->data = need(malloc((size_t)status.st_size + 1));
    input->size = fread(input->data, 1, (size_t)status.st_size, file);
    fclose(file);
    return true;
}

static int
is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Reads a file, or the files of a folder in the order of their names: seeds count on it. */
static bool
read_corpus(const char *path, struct corpus *corpus)
{
    struct stat status;
    struct dirent **entries = NULL;
    if (stat(path, &status) != 0) {
        perror(path);
        return false;
    }
    if (!S_ISDIR(status.st_mode)) {
        return read_input(path, corpus);
    }
    bool good = true;
    int count = scandir(path, &entries, is_visible, alphasort);
    for (int i = 0; i < count; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        good = good && read_input(file, corpus);
        free(entries[i]);
    }
    free(entries);
    return good && count >= 0;
}

static void
free_corpus(struct corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++) {
        free(corpus->inputs[i].data);
    }
    free(corpus->inputs);
}

/* Runs the target on a copy of exactly these bytes, so that a sanitizer sees what goes beyond. */
static void
run_one(const struct input *input)
{
    uint8_t *copy = input->size > 0 ? need(malloc(input->size)) : NULL;
    if (copy != NULL) {
        memcpy(copy, input->data, input->size);
    }
    (void)LLVMFuzzerTestOneInput(copy, input->size);
    free(copy);
}

/* What the bytes are changed by was done: mutate() comes first. */
size_t
LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max)
{
    (void)data;
    (void)size_max;
    return size;
}

static void
make_run(
    const struct corpus *corpus, const struct options *options, uint64_t run, struct input *input)
{
    if (run < corpus->count) {
        *input = (struct input){
            .data = need(malloc(corpus->inputs[run].size + 1)), .size = corpus->inputs[run].size};
        memcpy(input->data, corpus->inputs[run].data, input->size);
        return;
    }
    uint64_t number = options->first + run - corpus->count;
    input->data = need(malloc(options->size_max));
    mutate(corpus, options->seed, number, options->size_max, input);
    if (LLVMFuzzerCustomMutator != NULL) {
        input->size = LLVMFuzzerCustomMutator(
            input->data, input->size, options->size_max, (unsigned)(options->seed + number));
    }
}

/* Does all runs in a child: the corpus first. Returns how many were done when it ended. */
static uint64_t
run_all(const struct corpus *corpus, const struct options *options, bool *failed)
{
    uint64_t *done =
        mmap(NULL, sizeof *done, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (done == MAP_FAILED) {
        abort();
    }
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        abort();
    }
    if (child == 0) {
        for (*done = 0; *done < corpus->count + options->runs; ++*done) {
            struct input input;
            make_run(corpus, options, *done, &input);
            run_one(&input);
            free(input.data);
        }
        exit(0);
    }
    int status = 0;
    *failed = waitpid(child, &status, 0) != child || status != 0;
    uint64_t count = *done;
    munmap(done, sizeof *done);
    return count;
}

/* Tells about the run that failed, and keeps its input. */
static void
report(const struct corpus *corpus, const struct options *options, uint64_t run)
{
    char name[80];
    struct input input;
    if (run == corpus->count + options->runs) {
        fprintf(stderr, "all runs passed, and the end failed: memory that was not freed?\n");
        return;
    }
    bool is_file = run < corpus->count;
    uint64_t number = is_file ? run : options->first + run - corpus->count;
    snprintf(name, sizeof name, "finding-%" PRIu64 "-%s%" PRIu64, options->seed,
        is_file ? "file-" : "", number);
    make_run(corpus, options, run, &input);
    FILE *file = fopen(name, "we");
    if (file == NULL || fwrite(input.data, 1, input.size, file) != input.size ||
        fclose(file) != 0) {
        perror(name);
    }
    free(input.data);
    fprintf(stderr, "%s %" PRIu64 " (seed %" PRIu64 ") failed; its input is in %s\n",
        is_file ? "file" : "mutation", number, options->seed, name);
}

/* Takes the files on which the target fails out of the corpus. */
static void
leave_out_failing(struct corpus *corpus)
{
    const struct options no_mutations = {.size_max = 1};
    size_t kept = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        bool failed = false;
        struct corpus one = {.inputs = &corpus->inputs[i], .count = 1};
        (void)run_all(&one, &no_mutations, &failed);
        if (failed) {
            free(corpus->inputs[i].data);
        } else {
            corpus->inputs[kept++] = corpus->inputs[i];
        }
    }
    corpus->count = kept;
}

static int
run(struct corpus *corpus, const struct options *options)
{
    bool failed = false;
    if (options->planted) {
        leave_out_failing(corpus);
    }
    if (corpus->count == 0) {
        fputs("no file is left to mutate\n", stderr);
        return 1;
    }
    printf("files %zu, mutations %" PRIu64 ", seed %" PRIu64 "\n", corpus->count, options->runs,
        options->seed);
    uint64_t done = run_all(corpus, options, &failed);
    bool is_file = done < corpus->count;
    if (options->planted && failed && !is_file && done < corpus->count + options->runs) {
        printf("planted: found by mutation %" PRIu64 "\n", done - corpus->count + 1);
        return 0;
    }
    if (failed) {
        report(corpus, options, done);
        return 1;
    }
    if (options->planted) {
        printf("the planted fault was not found\n");
        return 1;
    }
    printf("every property held\n");
    return 0;
}

/* Takes one option. Returns whether it is one. */
static bool
take_option(struct options *options, int option)
{
    switch (option) {
    case 'r':
        options->runs = strtoull(optarg, NULL, 10);
        return true;
    case 's':
        options->seed = strtoull(optarg, NULL, 10);
        return true;
    case 'f':
        options->first = strtoull(optarg, NULL, 10);
        return true;
    case 'm':
        options->size_max = strtoull(optarg, NULL, 10);
        return options->size_max > 0;
    case 'p':
        options->planted = true;
        return true;
    default:
        return false;
    }
}

int
main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"runs", required_argument, NULL, 'r'},
        {"seed", required_argument, NULL, 's'},
        {"first", required_argument, NULL, 'f'},
        {"size-max", required_argument, NULL, 'm'},
        {"planted", no_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.seed = 1, .size_max = 65536};
    struct corpus corpus = {.count = 0};
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (!take_option(&options, option)) {
            fputs("try --help\n", stderr);
            return 2;
        }
    }
    bool good = optind < argc;
    for (int i = optind; i < argc; i++) {
        good = read_corpus(argv[i], &corpus) && good;
    }
    if (!good || corpus.count == 0) {
        fputs("no input; try --help\n", stderr);
        return 2;
    }
    int status = run(&corpus, &options);
    free_corpus(&corpus);
    return status;
}
