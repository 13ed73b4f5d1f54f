/* test_pending.c: a pending order is on disk whenever its bytes go out, also the second time. */
#include "support/cmocka_headers.h"

#include <errno.h>
#include <string.h>

#include "client/shopper.h"
#include "fault/course.h"

static const uint8_t history[HISTORY_SIZE] = {1, 2, 3};
static const struct line three = {36000291452, 3};

static struct local_inventory *
open_inventory(struct fake_disk *disk)
{
    struct local_inventory *inventory = NULL;
    struct diagnostic diagnostic = {""};
    if (local_inventory_open(&inventory, fake_disk_files(disk), "state", history, &diagnostic) !=
        0) {
        fail_msg("%s", diagnostic.text);
    }
    return inventory;
}

/* A disk with an order whose record was written by a process that was killed before its sync; or,
 * with `sync_fails`, whose sync failed. */
static struct fake_disk *
disk_with_unsynced_order(bool sync_fails)
{
    struct fake_disk *disk = fake_disk_new();
    struct local_inventory *inventory = open_inventory(disk);
    struct reply reply = {.status = STATUS_OK, .position = 10, .session = 7, .token = {5}};
    memcpy(reply.history, history, sizeof reply.history);
    assert_int_equal(local_inventory_log_in(inventory, "north", &reply, NULL), 0);

    struct call_fault fault = {.first = fake_disk_calls(disk) + 2,
        .count = UINT64_MAX,
        .verdict = sync_fails ? -EIO : FAKE_LOSE_POWER};
    fake_disk_set_hooks(disk, call_fault_before, NULL, &fault);
    struct shopper *shopper = shopper_new(inventory);
    assert_non_null(shopper);
    assert_int_equal(shopper_begin_order(shopper, OPERATION_BUY, &three, 1), SHOPPER_END);
    assert_int_equal(shopper_result(shopper)->outcome == OUTCOME_DONE, 0);
    shopper_free(&shopper);
    (void)local_inventory_close(&inventory, NULL);
    fake_disk_set_hooks(disk, NULL, NULL, NULL);
    fake_disk_kill(disk);
    return disk;
}

static void
send_and_lose_power(bool sync_fails, enum shopper_step (*begin)(struct shopper *shopper))
{
    struct fake_disk *disk = disk_with_unsynced_order(sync_fails);
    struct local_inventory *inventory = open_inventory(disk);
    assert_true(local_inventory_state(inventory)->pending.exists);
    struct shopper *shopper = shopper_new(inventory);
    assert_non_null(shopper);
    assert_int_equal(begin(shopper), SHOPPER_SEND);
    shopper_free(&shopper);
    (void)local_inventory_close(&inventory, NULL);
    fake_disk_crash(disk, &nothing_survives);
    inventory = open_inventory(disk);
    assert_true(local_inventory_state(inventory)->pending.exists);
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
    fake_disk_free(&disk);
}

static void
an_order_of_a_process_killed_before_its_sync_is_written_again_before_it_is_sent(void **state)
{
    (void)state;
    send_and_lose_power(false, shopper_begin_resolve);
    send_and_lose_power(false, shopper_begin_logout);
    send_and_lose_power(false, shopper_begin_void);
}

static void
an_order_whose_sync_failed_is_written_again_before_it_is_sent(void **state)
{
    (void)state;
    send_and_lose_power(true, shopper_begin_resolve);
    send_and_lose_power(true, shopper_begin_void);
}

static void
an_order_that_cannot_be_written_again_is_not_sent(void **state)
{
    (void)state;
    struct fake_disk *disk = disk_with_unsynced_order(false);
    struct local_inventory *inventory = open_inventory(disk);
    struct shopper *shopper = shopper_new(inventory);
    assert_non_null(shopper);
    fake_disk_set_capacity(disk, 0);
    assert_int_equal(shopper_begin_resolve(shopper), SHOPPER_END);
    assert_int_equal(shopper_result(shopper)->outcome, OUTCOME_UNKNOWN);
    shopper_free(&shopper);
    (void)local_inventory_close(&inventory, NULL);
    fake_disk_free(&disk);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            an_order_of_a_process_killed_before_its_sync_is_written_again_before_it_is_sent),
        cmocka_unit_test(an_order_whose_sync_failed_is_written_again_before_it_is_sent),
        cmocka_unit_test(an_order_that_cannot_be_written_again_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
