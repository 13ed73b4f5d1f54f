#include "simulator/plant.h"

bool
plant_choose(const char *name)
{
    (void)name;
    return false;
}

void
plant_in(struct disk *disk, bool is_broker)
{
    (void)disk;
    (void)is_broker;
}

void
plant_list(void)
{
}
