#include "broker/counters.h"

#include <assert.h>
#include <stdio.h>

void
counters_init(struct counters *counters, uint64_t now_us)
{
    *counters = (struct counters){.began_us = now_us};
    snprintf(counters->stats.version, sizeof counters->stats.version, "%s", STOCKBUS_VERSION);
}

void
counters_answer(struct counters *counters, enum operation operation, enum status status)
{
    assert(operation <= OPERATION_COUNT && status < STATUS_COUNT);
    counters->stats.requests[operation][status]++;
    counters->answered++;
}

void
counters_end_turn(struct counters *counters)
{
    if (counters->answered > 0) {
        tally_add(&counters->stats.tallies[STATS_TURNS], counters->answered);
        counters->answered = 0;
    }
}

void
counters_sync(struct counters *counters, uint64_t changes, uint64_t sync_us)
{
    tally_add(&counters->stats.tallies[STATS_RECORDS], changes);
    tally_add(&counters->stats.tallies[STATS_SYNCS_US], sync_us);
}
