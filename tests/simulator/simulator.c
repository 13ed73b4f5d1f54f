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
    "usage: simulator [--seed N] [--seeds N] [--steps N] [--trace] [--plant FAULT]\n"
    "\n"
    "Buyers, a network that loses, doubles, delays and reorders, and the broker, on disks that "
    "die:\n"
    "all in one process and from one seed. The same seed gives the same hash of its trace.\n"
    "\n"
    "  --seed N       the first seed (1)\n"
    "  --seeds N      how many, one after the other (1)\n"
    "  --steps N      steps of each before the last phase, in which nothing goes wrong (1500)\n"
    "  --trace        print every line of the trace\n"
    "  --plant FAULT  search a fault that was put in on purpose (simulator-planted only); 'list'\n"
    "\n"
    "Exit status: 0 no promise was broken (with --plant: one was), 1 the opposite, 2 usage.\n";

struct options {
    uint64_t seed;
    uint64_t seeds;
    uint64_t steps;
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

static int
run(const struct options *options)
{
    struct figures sum = {.steps = 0};
    uint64_t hash = 0;
    for (uint64_t i = 0; i < options->seeds; i++) {
        struct world *world = calloc(1, sizeof *world);
        if (world == NULL) {
            abort();
        }
        trace_begin(
            &world->stage.trace, options->seed + i, options->prints, options->plant != NULL);
        world_run(world, options->steps, &sum);
        hash = hash * 31 + world->stage.trace.hash;
        if (options->seeds == 1) {
            printf("seed %" PRIu64 ": trace of %" PRIu64 " lines\n", options->seed,
                world->stage.trace.count);
        }
        free(world);
    }
    print_figures(&sum);
    printf("seeds %" PRIu64 " to %" PRIu64 ": %s; trace hash %016" PRIx64 "\n", options->seed,
        options->seed + options->seeds - 1,
        options->plant == NULL ? "0 lost, 0 doubled, units conserved" : "nothing found", hash);
    return options->plant == NULL ? 0 : 1;
}

int
main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"seed", required_argument, NULL, 's'},
        {"seeds", required_argument, NULL, 'n'},
        {"steps", required_argument, NULL, 't'},
        {"trace", no_argument, NULL, 'r'},
        {"plant", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.seed = 1, .seeds = 1, .steps = 1500};
    if (sodium_init() < 0) {
        return 1;
    }
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        switch (option) {
        case 's':
            options.seed = strtoull(optarg, NULL, 10);
            break;
        case 'n':
            options.seeds = strtoull(optarg, NULL, 10);
            break;
        case 't':
            options.steps = strtoull(optarg, NULL, 10);
            break;
        case 'r':
            options.prints = true;
            break;
        case 'p':
            options.plant = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        default:
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
