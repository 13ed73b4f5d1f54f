/**
 * disk.h: the disk of one simulated machine: a fake disk (fake_disk.h) on which, after a number of
 * calls that chance has set, a call fails or the machine dies.
 */
#ifndef STOCKBUS_TESTS_DISK_H
#define STOCKBUS_TESTS_DISK_H

#include "simulator/stage.h"
#include "support/fake_disk.h"

struct disk {
    struct fake_disk *fake;
    uint64_t calls_left; /**< up to the fault; 0: none is set */
    bool is_deadly;      /**< the fault is the end of the process; otherwise one call fails */
    bool is_killed;      /**< by somebody from outside */
    bool has_failed;     /**< a call failed since the last start */
    struct stage *stage;
};

/** Makes an empty disk. */
void
disk_init(struct disk *disk, struct stage *stage);

/** Frees it. */
void
disk_fini(struct disk *disk);

/** Returns its table of calls. Borrowed. */
struct files *
disk_files(struct disk *disk);

/** Lets chance set a fault within `calls_max` calls; 0: sets none. */
void
disk_arm(struct disk *disk, uint64_t calls_max);

/** Is the process that used the disk dead? Then whoever ran it throws its memory away. */
bool
disk_is_dead(const struct disk *disk);

/** Kills the process: from here on its calls do nothing and fail. */
void
disk_kill(struct disk *disk);

/** Ends the process, if it has not ended, and may be the power with it: then chance says what is
 * left of what was not synced. */
void
disk_crash(struct disk *disk);

/** Ends the process in good order. */
void
disk_release(struct disk *disk);

#endif
