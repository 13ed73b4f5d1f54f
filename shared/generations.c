#include "shared/generations.h"

#include "shared/array.h"
#include "shared/error.h"
#include "shared/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
generation_name(char name[GENERATION_NAME_SIZE], const char *sort, uint64_t generation)
{
    snprintf(name, GENERATION_NAME_SIZE, "%s-%010" PRIu64 ".msgpack", sort, generation);
}

int
generation_path(
    char path[FILES_PATH_SIZE], const char *directory, const char *sort, uint64_t generation)
{
    char name[GENERATION_NAME_SIZE];
    generation_name(name, sort, generation);
    return files_join(path, FILES_PATH_SIZE, directory, name);
}

static bool
add_generation(struct generations *generations, uint64_t number)
{
    uint64_t *numbers = array_grow(
        generations->numbers, generations->count, &generations->count_max, sizeof *numbers);
    if (numbers == NULL) {
        return false;
    }
    generations->numbers = numbers;
    generations->numbers[generations->count++] = number;
    return true;
}

/* Is `name` that of a file of this sort? Then its generation is in `*number`. */
static bool
parse_name(const char *name, const char *sort, uint64_t *number)
{
    char expected[GENERATION_NAME_SIZE];
    size_t sort_size = strlen(sort);
    if (strncmp(name, sort, sort_size) != 0 || name[sort_size] != '-') {
        return false;
    }
    *number = strtoull(name + sort_size + 1, NULL, 10);
    generation_name(expected, sort, *number);
    return *number >= 1 && *number <= NUMBER_MAX && strcmp(name, expected) == 0;
}

static void
list_entry(void *context, const char *name)
{
    struct listing *listing = context;
    uint64_t number;
    bool added = true;
    if (parse_name(name, "snapshot", &number)) {
        added = add_generation(&listing->snapshots, number);
    } else if (parse_name(name, "journal", &number)) {
        added = add_generation(&listing->journals, number);
    }
    listing->out_of_memory |= !added;
}

static int
compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void
sort_generations(struct generations *generations)
{
    if (generations->count > 0) {
        qsort(generations->numbers, generations->count, sizeof *generations->numbers,
            compare_numbers);
    }
}

void
listing_fini(struct listing *listing)
{
    free(listing->snapshots.numbers);
    free(listing->journals.numbers);
    *listing = (struct listing){.out_of_memory = false};
}

int
listing_init(struct listing *listing, struct files *files, const char *directory)
{
    *listing = (struct listing){.out_of_memory = false};
    int error = files_list(files, directory, list_entry, listing);
    if (error == 0 && listing->out_of_memory) {
        error = ERROR_MEMORY;
    }
    sort_generations(&listing->snapshots);
    sort_generations(&listing->journals);
    return error;
}

static uint64_t
newest(const struct generations *generations)
{
    return generations->count == 0 ? 0 : generations->numbers[generations->count - 1];
}

uint64_t
listing_newest(const struct listing *listing)
{
    uint64_t snapshot = newest(&listing->snapshots);
    uint64_t journal = newest(&listing->journals);
    return snapshot > journal ? snapshot : journal;
}
