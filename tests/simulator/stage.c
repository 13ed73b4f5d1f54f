#include "simulator/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const stage_users[STAGE_USERS] = {"north", "south", "depot"};

enum {
    DELAY_MAX_MS = 800
};

void
stage_send(struct stage *stage, struct message message)
{
    if (!stage->is_calm && chance_hits(&stage->chance, stage->rough.delay)) {
        message.due_ms = stage->now_ms + chance_below(&stage->chance, DELAY_MAX_MS);
    }
    network_send(&stage->network, &message);
}

bool
stage_may_deliver(struct stage *stage, size_t number)
{
    return stage->is_calm || (stage->network.messages[number].due_ms <= stage->now_ms &&
                                 !chance_hits(&stage->chance, stage->rough.disorder));
}

int
stage_find_user(const char *name)
{
    for (int i = 0; i < STAGE_USERS; i++) {
        if (strcmp(stage_users[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

uint64_t
stage_item(uint64_t number, char *name)
{
    uint64_t upc = STAGE_CATALOG_UPC + number * STAGE_CATALOG_STEP;
    if (name != NULL) {
        snprintf(name, 32, "thing %" PRIu64, upc);
    }
    return upc;
}
