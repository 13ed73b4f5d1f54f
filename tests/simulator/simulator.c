/* simulator: runs simulations from their seeds; see world.h. */

#include "simulator/plant.h"
#include "simulator/world.h"

#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: simulator [--seed N] [--seeds N] [--steps N] [--twice] [--trace] [--plant FAULT]\n"
    "\n"
    "Buyers, a network that loses, doubles, delays and reorders, and the broker, on disks that "
    "die:\n"
    "all in one process and from one seed. The same seed gives the same hash of its trace.\n"
    "\n"
    "  --seed N       the first seed (1)\n"
    "  --seeds N      how many, one after the other (1)\n"
    "  --steps N      steps of each before the last phase, in which nothing goes wrong (10000)\n"
    "  --twice        run each seed twice, and see that both traces are the same\n"
    "  --trace        print every line of the trace\n"
    "  --plant FAULT  search a fault that was put in on purpose (simulator-planted only); 'list'\n"
    "\n"
    "Exit status: 0 no promise was broken (with --plant: one was), 1 the opposite, 2 usage.\n";

struct options {
    uint64_t seed;
    uint64_t seeds;
    uint64_t steps;
    bool twice;
    bool prints;
    const char *plant;
};

static void
print_figures(const struct figures *sum)
{
    printf("steps %" PRIu64 ", requests served %" PRIu64 ", messages %" PRIu64 " (%" PRIu64
           " lost), file calls %" PRIu64 "\n",
        sum->steps, sum->requests, sum->sent, sum->lost, sum->file_calls);
    printf("errands %" PRIu64 " (%" PRIu64 " answered), orders made %" PRIu64 ", refused %" PRIu64
           ", told again %" PRIu64 "\n",
        sum->errands, sum->answers, sum->orders, sum->refusals, sum->repetitions);
    printf("crashes of the broker %" PRIu64 ", of clients %" PRIu64 ", other failed calls %" PRIu64
           "\n",
        sum->crashes_seller, sum->crashes_buyer, sum->faults);
}

/* Runs the simulation of one seed. Returns the hash of its trace. */
static uint64_t
run_seed(const struct options *options, uint64_t seed, struct figures *sum)
{
    struct world *world = calloc(1, sizeof *world);
    if (world == NULL) {
        abort();
    }
    trace_begin(&world->stage.trace, seed, options->prints, options->plant != NULL);
    world_run(world, options->steps, sum);
    uint64_t hash = world->stage.trace.hash;
    free(world);
    return hash;
}

static int
run(const struct options *options)
{
    struct figures sum = {.steps = 0};
    uint64_t hash = 0;
    for (uint64_t i = 0; i < options->seeds; i++) {
        uint64_t seed = options->seed + i;
        uint64_t trace_hash = run_seed(options, seed, &sum);
        if (options->twice && run_seed(options, seed, &sum) != trace_hash) {
            fprintf(stderr, "seed %" PRIu64 ": the second run has another trace\n", seed);
            return 1;
        }
        hash = hash * 31 + trace_hash;
    }
    print_figures(&sum);
    printf("seeds %" PRIu64 " to %" PRIu64 ": %s; trace hash %016" PRIx64 "\n", options->seed,
        options->seed + options->seeds - 1,
        options->plant == NULL ? "0 lost, 0 doubled, units conserved" : "nothing found", hash);
    return options->plant == NULL ? 0 : 1;
}

/* Takes one option. Returns whether it is one. */
static bool
take_option(struct options *options, int option)
{
    switch (option) {
    case 's':
        options->seed = strtoull(optarg, NULL, 10);
        return true;
    case 'n':
        options->seeds = strtoull(optarg, NULL, 10);
        return true;
    case 't':
        options->steps = strtoull(optarg, NULL, 10);
        return true;
    case '2':
        options->twice = true;
        return true;
    case 'r':
        options->prints = true;
        return true;
    case 'p':
        options->plant = optarg;
        return true;
    default:
        return false;
    }
}

int
main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"seed", required_argument, NULL, 's'},
        {"seeds", required_argument, NULL, 'n'},
        {"steps", required_argument, NULL, 't'},
        {"twice", no_argument, NULL, '2'},
        {"trace", no_argument, NULL, 'r'},
        {"plant", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.seed = 1, .seeds = 1, .steps = 10000};
    if (sodium_init() < 0) {
        return 1;
    }
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (!take_option(&options, option)) {
            fputs("simulator: try 'simulator --help'\n", stderr);
            return 2;
        }
    }
    if (options.plant != NULL && strcmp(options.plant, "list") == 0) {
        plant_list();
        return 0;
    }
    if (options.plant != NULL && !plant_choose(options.plant)) {
        fprintf(stderr, "simulator: this program has no fault '%s' to plant\n", options.plant);
        return 2;
    }
    return run(&options);
}
