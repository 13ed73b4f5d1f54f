#include "simulator/disk.h"

#include <errno.h>

static int
fail(struct disk *disk, enum fake_call call)
{
    disk->has_failed = true;
    disk->stage->faults++;
    if (call == FAKE_PWRITE && chance_hits(&disk->stage->chance, 500)) {
        return FAKE_SHORT;
    }
    bool needs_room =
        call == FAKE_PWRITE || call == FAKE_OPEN || call == FAKE_RENAME || call == FAKE_MKDIR;
    return needs_room && chance_hits(&disk->stage->chance, 500) ? -ENOSPC : -EIO;
}

/* Of a write, half may have come to pass before the end. */
static int
die(struct disk *disk, enum fake_call call)
{
    disk->is_killed = true;
    bool is_half = call == FAKE_PWRITE && chance_hits(&disk->stage->chance, 500);
    return is_half ? FAKE_SHORT : FAKE_LOSE_POWER;
}

static int
before(void *context, enum fake_call call, uint64_t number)
{
    struct disk *disk = context;
    (void)number;
    if (disk->is_killed) {
        return FAKE_LOSE_POWER;
    }
    if (disk->calls_left > 0 && --disk->calls_left == 0) {
        trace_note(&disk->stage->trace, "  a disk %s at %s", disk->is_deadly ? "dies" : "fails",
            fake_call_word(call));
        return disk->is_deadly ? die(disk, call) : fail(disk, call);
    }
    return FAKE_GO;
}

void
disk_init(struct disk *disk, struct stage *stage)
{
    *disk = (struct disk){.fake = fake_disk_new(), .stage = stage};
    fake_disk_set_hooks(disk->fake, before, NULL, disk);
}

void
disk_fini(struct disk *disk)
{
    fake_disk_free(&disk->fake);
}

struct files *
disk_files(struct disk *disk)
{
    return fake_disk_files(disk->fake);
}

void
disk_arm(struct disk *disk, uint64_t calls_max)
{
    struct chance *chance = &disk->stage->chance;
    disk->calls_left = calls_max == 0 ? 0 : chance_between(chance, 1, calls_max);
    disk->is_deadly = chance_hits(chance, 800);
    disk->has_failed = false;
}

bool
disk_is_dead(const struct disk *disk)
{
    return fake_disk_is_down(disk->fake);
}

void
disk_kill(struct disk *disk)
{
    disk->calls_left = 0;
    disk->is_killed = true;
}

void
disk_crash(struct disk *disk)
{
    struct stage *stage = disk->stage;
    disk->is_killed = false;
    if (!chance_hits(&stage->chance, stage->rough.power_loss)) {
        fake_disk_kill(disk->fake);
        return;
    }
    struct random_choices choices;
    random_choices_init(&choices, chance_next(&stage->chance));
    fake_disk_crash(disk->fake, &choices.choices);
    trace_note(&stage->trace, "  with a loss of power");
}

void
disk_release(struct disk *disk)
{
    fake_disk_kill(disk->fake);
}
