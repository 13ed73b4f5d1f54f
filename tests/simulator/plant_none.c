#include "simulator/plant.h"

bool
plant_choose(const char *name)
{
    (void)name;
    return false;
}

void
plant_in(struct seller *seller, struct buyer *buyers, int count)
{
    (void)seller;
    (void)buyers;
    (void)count;
}

void
plant_list(void)
{
}
