#include "simulator/plant.h"

bool
plant_choose(const char *name)
{
    (void)name;
    return false;
}

void
plant_list(void)
{
}
