#include "broker/door.h"

#include "broker/log.h"

#include <string.h>

static void
set_shut(struct door *door, bool is_shut)
{
    door->is_shut = is_shut;
    int failed = lanes_shut_door(door->lanes, is_shut);
    if (failed != 0 && !door->has_failed) {
        door->has_failed = true;
        log_line(LEVEL_WARNING,
            "keeping clients from connecting for a moment, or letting them in again: %s",
            strerror(failed));
    } else if (failed == 0) {
        log_line(LEVEL_DEBUG,
            is_shut ? "nobody may connect for a moment: too many have left before their replies"
                    : "everybody may connect again");
    }
}

void
door_count_left(struct door *door, uint64_t now_ms)
{
    if (now_ms - door->left_since_ms > DOOR_MS) {
        door->left_count = 0;
    }
    if (door->left_count++ == 0) {
        door->left_since_ms = now_ms;
    }
    if (door->left_count == DOOR_LEFT_MAX) {
        set_shut(door, true);
    }
}

void
door_turn(struct door *door, bool is_at_rest, uint64_t now_ms)
{
    if (is_at_rest) {
        door->left_count = 0;
    }
    if (door->is_shut && (is_at_rest || now_ms - door->left_since_ms > DOOR_MS)) {
        set_shut(door, false);
    }
}

void
door_leave(struct door *door)
{
    if (door->is_shut) {
        set_shut(door, false);
    }
}
