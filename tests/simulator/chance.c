#include "simulator/chance.h"

uint64_t
chance_next(struct chance *chance)
{
    return random_next(&chance->stream);
}

uint64_t
chance_below(struct chance *chance, uint64_t bound)
{
    return chance_next(chance) % bound;
}

uint64_t
chance_between(struct chance *chance, uint64_t low, uint64_t high)
{
    return low + chance_below(chance, high - low + 1);
}

bool
chance_hits(struct chance *chance, unsigned per_mille)
{
    return chance_below(chance, 1000) < per_mille;
}

void
chance_fill(struct chance *chance, void *data, size_t size)
{
    unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(chance_next(chance) >> 32);
    }
}
