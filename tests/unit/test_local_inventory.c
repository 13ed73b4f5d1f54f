#include "support/fake_disk.h"
#include "support/faulty_files.h"
#include "support/scratch.h"

#include <sodium.h>

#include "client/local_inventory.h"
#include "client/local_record.h"

static const uint8_t history_new[HISTORY_SIZE] = {9, 9, 9};
static const uint64_t tissues = 36000291452;

static struct local_inventory *
open_with(struct files *files, const char *directory)
{
    struct local_inventory *inventory = NULL;
    struct diagnostic diagnostic = {""};
    int error = local_inventory_open(&inventory, files, directory, history_new, &diagnostic);
    if (error != 0) {
        assert_null(inventory);
        assert_string_not_equal(diagnostic.text, "");
    }
    return inventory;
}

static struct local_inventory *
open_inventory(const char *directory)
{
    struct local_inventory *inventory = open_with(files_system(), directory);
    assert_non_null(inventory);
    return inventory;
}

static struct local_inventory *
reopen(struct local_inventory *inventory, const char *directory)
{
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
    return open_inventory(directory);
}

static struct reply
reply_of(enum status status, uint64_t position)
{
    struct reply reply = {.status = status, .history = {1, 2, 3}, .position = position};
    return reply;
}

static int
log_in(struct local_inventory *inventory, const char *user)
{
    struct reply reply = reply_of(STATUS_OK, 10);
    reply.session = 7;
    memset(reply.token, 5, sizeof reply.token);
    return local_inventory_log_in(inventory, user, &reply, NULL);
}

static int
pend(struct local_inventory *inventory, enum operation operation, uint64_t upc, uint64_t units)
{
    struct order order = {
        .operation = operation, .line_count = 2, .lines = {{upc, units}, {upc + 1, 1}}};
    return local_inventory_pend(inventory, &order, "bytes", 5, NULL);
}

static int
settle(struct local_inventory *inventory, enum status status, uint64_t position)
{
    struct reply reply = reply_of(status, position);
    return local_inventory_settle(inventory, &reply, "reply", 5, NULL);
}

static uint64_t
units_of(const struct local_inventory *inventory, const char *user, uint64_t upc)
{
    const struct holder *holder = local_state_find_holder(local_inventory_state(inventory), user);
    for (size_t i = 0; holder != NULL && i < holder->count; i++) {
        if (holder->lines[i].upc == upc) {
            return holder->lines[i].units;
        }
    }
    return 0;
}

static void
a_login_is_there_after_a_restart(void **state)
{
    struct local_inventory *inventory = open_inventory(*state);
    assert_false(local_inventory_state(inventory)->is_logged_in);
    assert_int_equal(log_in(inventory, "north"), 0);
    for (int i = 0; i < 3; i++) {
        inventory = reopen(inventory, *state);
        const struct local_state *found = local_inventory_state(inventory);
        assert_true(found->is_logged_in);
        assert_string_equal(found->user, "north");
        assert_int_equal(found->session, 7);
        assert_int_equal(found->token[15], 5);
        assert_int_equal(found->order_next, 1);
        assert_int_equal(found->history[2], 3);
        assert_int_equal(found->position, 10);
        if (i == 1) {
            assert_int_equal(local_inventory_log_out(inventory, NULL), 0);
            assert_int_equal(log_in(inventory, "north"), 0);
        }
    }
    assert_int_equal(local_inventory_log_out(inventory, NULL), 0);
    for (int i = 0; i < 3; i++) {
        inventory = reopen(inventory, *state);
        assert_false(local_inventory_state(inventory)->is_logged_in);
        assert_string_equal(local_inventory_state(inventory)->user, "north");
    }
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
}

static void
an_order_is_pending_until_its_outcome_is_kept(void **state)
{
    struct local_inventory *inventory = open_inventory(*state);
    assert_int_equal(log_in(inventory, "north"), 0);
    assert_int_equal(pend(inventory, OPERATION_BUY, tissues, 3), 0);
    for (int i = 0; i < 3; i++) {
        inventory = reopen(inventory, *state);
        const struct pending *pending = &local_inventory_state(inventory)->pending;
        assert_true(pending->exists);
        assert_int_equal(pending->order.operation, OPERATION_BUY);
        assert_string_equal(pending->order.user, "north");
        assert_int_equal(pending->order.session, 7);
        assert_int_equal(pending->order.number, 1);
        assert_int_equal(pending->order.line_count, 2);
        assert_int_equal(pending->order.lines[0].units, 3);
        assert_int_equal(pending->position, 10);
        assert_int_equal(pending->request_size, 5);
        assert_memory_equal(pending->request, "bytes", 5);
        assert_int_equal(units_of(inventory, "north", tissues), 0);
    }
    assert_int_equal(settle(inventory, STATUS_OK, 12), 0);
    for (int i = 0; i < 3; i++) {
        inventory = reopen(inventory, *state);
        assert_false(local_inventory_state(inventory)->pending.exists);
        assert_int_equal(local_inventory_state(inventory)->order_next, 2);
        assert_int_equal(local_inventory_state(inventory)->position, 12);
        assert_int_equal(local_inventory_state(inventory)->last.number, 1);
        assert_int_equal(local_inventory_state(inventory)->last.status, STATUS_OK);
        assert_int_equal(units_of(inventory, "north", tissues), 3);
        assert_int_equal(units_of(inventory, "north", tissues + 1), 1);
    }
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
}

static void
refused_orders_and_restocks_bring_nothing(void **state)
{
    struct local_inventory *inventory = open_inventory(*state);
    assert_int_equal(log_in(inventory, "depot"), 0);
    assert_int_equal(pend(inventory, OPERATION_BUY, tissues, 3), 0);
    assert_int_equal(settle(inventory, STATUS_INSUFFICIENT_STOCK, 11), 0);
    assert_int_equal(pend(inventory, OPERATION_RESTOCK, tissues, 3), 0);
    assert_int_equal(settle(inventory, STATUS_OK, 12), 0);
    inventory = reopen(inventory, *state);
    assert_int_equal(local_inventory_state(inventory)->order_next, 3);
    assert_int_equal(units_of(inventory, "depot", tissues), 0);
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
}

static void
each_user_has_items_of_their_own(void **state)
{
    struct local_inventory *inventory = open_inventory(*state);
    static const char *const users[] = {"north", "south", "north"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(log_in(inventory, users[i]), 0);
        assert_int_equal(pend(inventory, OPERATION_BUY, tissues, 10 + i), 0);
        assert_int_equal(settle(inventory, STATUS_OK, 11 + i), 0);
        inventory = reopen(inventory, *state);
    }
    assert_int_equal(units_of(inventory, "north", tissues), 22);
    assert_int_equal(units_of(inventory, "south", tissues), 11);
    assert_int_equal(units_of(inventory, "depot", tissues), 0);
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
}

static void
a_released_order_leaves_its_number_free(void **state)
{
    struct local_inventory *inventory = open_inventory(*state);
    assert_int_equal(log_in(inventory, "north"), 0);
    assert_int_equal(pend(inventory, OPERATION_BUY, tissues, 3), 0);
    assert_int_equal(local_inventory_release(inventory, STATUS_BUSY, NULL), 0);
    inventory = reopen(inventory, *state);
    assert_false(local_inventory_state(inventory)->pending.exists);
    assert_int_equal(local_inventory_state(inventory)->order_next, 1);
    assert_int_equal(units_of(inventory, "north", tissues), 0);
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
}

static void
an_order_set_aside_stays_in_sight_and_ends_the_session(void **state)
{
    struct local_inventory *inventory = open_inventory(*state);
    assert_int_equal(log_in(inventory, "north"), 0);
    assert_int_equal(pend(inventory, OPERATION_BUY, tissues, 3), 0);
    assert_int_equal(local_inventory_set_aside(inventory, STATUS_SESSION_ENDED, NULL), 0);
    for (int i = 0; i < 3; i++) {
        inventory = reopen(inventory, *state);
        const struct local_state *found = local_inventory_state(inventory);
        assert_false(found->pending.exists);
        assert_false(found->is_logged_in);
        assert_int_equal(found->aside_count, 1);
        assert_int_equal(found->asides[0].status, STATUS_SESSION_ENDED);
        assert_int_equal(found->asides[0].order.lines[0].units, 3);
        assert_int_equal(units_of(inventory, "north", tissues), 0);
        if (i == 0) {
            assert_int_equal(log_in(inventory, "north"), 0);
            assert_int_equal(local_inventory_log_out(inventory, NULL), 0);
        }
    }
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
}

static void
nothing_new_is_nothing_written(void **state)
{
    struct faulty_files faulty;
    faulty_files_init(&faulty, 0, false);
    struct local_inventory *inventory = open_with(&faulty.files, *state);
    assert_non_null(inventory);
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
    inventory = open_inventory(*state);
    assert_int_equal(log_in(inventory, "north"), 0);
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
    inventory = open_with(&faulty.files, *state);
    local_inventory_see(inventory, 10);
    local_inventory_learn(inventory, tissues, "nobody has it");
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
    assert_int_equal(faulty.writes, 0);
}

static void
the_highest_position_is_kept_at_the_end(void **state)
{
    struct local_inventory *inventory = open_inventory(*state);
    assert_int_equal(log_in(inventory, "north"), 0);
    local_inventory_see(inventory, 40);
    local_inventory_see(inventory, 30);
    inventory = reopen(inventory, *state);
    assert_int_equal(local_inventory_state(inventory)->position, 40);
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
}

static void
a_record_without_the_highest_position_does_not_stand_for_it(void **state)
{
    struct local_inventory *inventory = open_inventory(*state);
    assert_int_equal(log_in(inventory, "north"), 0);
    assert_int_equal(pend(inventory, OPERATION_BUY, tissues, 3), 0);
    local_inventory_see(inventory, 14);
    assert_int_equal(settle(inventory, STATUS_OK, 12), 0); /* the reply to it was remembered */
    inventory = reopen(inventory, *state);
    assert_int_equal(local_inventory_state(inventory)->position, 14);
    local_inventory_see(inventory, 17);
    local_inventory_learn(inventory, tissues, "tissues");
    inventory = reopen(inventory, *state);
    assert_int_equal(local_inventory_state(inventory)->position, 17);
    assert_string_equal(
        local_state_find_name(local_inventory_state(inventory), tissues), "tissues");
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
}

static void
names_of_items_that_are_held_are_kept(void **state)
{
    struct local_inventory *inventory = open_inventory(*state);
    assert_int_equal(log_in(inventory, "north"), 0);
    assert_int_equal(pend(inventory, OPERATION_BUY, tissues, 3), 0);
    assert_int_equal(settle(inventory, STATUS_OK, 12), 0);
    local_inventory_learn(inventory, tissues, "tissues");
    local_inventory_learn(inventory, 5, "something else");
    inventory = reopen(inventory, *state);
    const struct local_state *found = local_inventory_state(inventory);
    assert_string_equal(local_state_find_name(found, tissues), "tissues");
    assert_null(local_state_find_name(found, tissues + 1));
    assert_null(local_state_find_name(found, 5));
    local_inventory_learn(inventory, tissues, "better tissues");
    local_inventory_learn(inventory, tissues + 1, "the other");
    inventory = reopen(reopen(inventory, *state), *state);
    found = local_inventory_state(inventory);
    assert_string_equal(local_state_find_name(found, tissues), "better tissues");
    assert_string_equal(local_state_find_name(found, tissues + 1), "the other");
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
}

static void
names_leave_no_journal_behind_that_a_loss_of_power_can_damage(void **state)
{
    (void)state;
    static const char *const names[] = {"one name", "another", "a third"};
    char name[ITEM_NAME_SIZE_MAX + 1] = "";
    memset(name, 'x', sizeof name - 1);
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct fake_disk *disk = fake_disk_new();
        struct random_choices choices;
        random_choices_init(&choices, seed);
        struct local_inventory *inventory = open_with(fake_disk_files(disk), "client");
        assert_int_equal(log_in(inventory, "north"), 0);
        assert_int_equal(pend(inventory, OPERATION_BUY, tissues, 3), 0);
        assert_int_equal(settle(inventory, STATUS_OK, 12), 0);
        for (int i = 0; i < 9; i++) {
            memcpy(name, names[i % 3], strlen(names[i % 3]));
            local_inventory_learn(inventory, tissues + (uint64_t)(i & 1), name);
        }
        struct fake_disk *copy = fake_disk_clone(disk);
        fake_disk_crash(copy, &choices.choices);
        struct local_inventory *after = open_with(fake_disk_files(copy), "client");
        assert_non_null(after);
        assert_int_equal(units_of(after, "north", tissues), 3);
        assert_int_equal(local_inventory_close(&after, NULL), 0);
        assert_int_equal(local_inventory_close(&inventory, NULL), 0);
        fake_disk_free(&copy);
        fake_disk_free(&disk);
    }
}

static void
a_directory_belongs_to_one_process(void **state)
{
    struct local_inventory *other = NULL;
    struct local_inventory *inventory = open_inventory(*state);
    assert_int_equal(
        local_inventory_open(&other, files_system(), *state, history_new, NULL), ERROR_LOCKED);
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
}

static int
load_record(void *context, uint64_t number, const msgpack_object *body, int64_t offset,
    struct diagnostic *diagnostic)
{
    (void)number;
    (void)offset;
    return local_record_apply(context, body, diagnostic);
}

/* Saves one state behind the other, and loads `loaded` from there. Returns what that returns. */
static int
load_both(const char *directory, const struct local_state *one, const struct local_state *other,
    struct local_state *loaded)
{
    char path[512];
    static struct snapshot snapshot;
    struct journal_header header = {.kind = "client snapshot", .generation = 1, .first = 1};
    struct diagnostic diagnostic = {""};
    assert_int_equal(snapshot_create(&snapshot, files_system(), directory, "snapshot", &header), 0);
    assert_int_equal(local_record_save(one, &snapshot), 0);
    assert_int_equal(local_record_save(other, &snapshot), 0);
    assert_int_equal(snapshot_commit(&snapshot), 0);
    snprintf(path, sizeof path, "%s/snapshot", directory);
    local_state_clear(loaded);
    int error = snapshot_read(files_system(), path, load_record, loaded, &header, &diagnostic);
    assert_int_equal(error == 0, diagnostic.text[0] == '\0');
    return error;
}

static void
a_snapshot_tells_the_history_once_and_before_the_session(void **state)
{
    static const struct local_state nothing;
    static const struct local_state history = {.has_history = true, .position = 10};
    static struct local_state session = {.user = "north",
        .is_logged_in = true,
        .session = 7,
        .order_next = 1,
        .pending = {.exists = true, .position = 11, .request_size = 1}};
    static struct local_state loaded;
    session.pending.order = (struct order){.operation = OPERATION_BUY,
        .user = "north",
        .session = 7,
        .number = 1,
        .line_count = 1,
        .lines = {{tissues, 1}}};
    assert_int_equal(load_both(*state, &history, &session, &loaded), 0);
    assert_true(loaded.pending.exists);
    assert_int_equal(loaded.position, 11);
    /* The order's position would not count: what is saved then would be loaded as another state. */
    assert_int_equal(load_both(*state, &session, &history, &loaded), ERROR_DAMAGED);
    assert_int_equal(load_both(*state, &nothing, &session, &loaded), ERROR_DAMAGED);
    assert_int_equal(load_both(*state, &history, &history, &loaded), ERROR_DAMAGED);
    local_state_clear(&loaded);
}

static void
an_inventory_of_many_items_survives(void **state)
{
    enum {
        ORDERS = 3
    };
    struct local_inventory *inventory = open_inventory(*state);
    static struct order order;
    assert_int_equal(log_in(inventory, "north"), 0);
    for (uint64_t i = 0; i < ORDERS; i++) {
        order = (struct order){.operation = OPERATION_BUY, .line_count = ORDER_LINES_MAX};
        for (uint64_t l = 0; l < ORDER_LINES_MAX; l++) {
            /* In no order, and some of them in two orders. */
            order.lines[l] = (struct line){(l * 7919 + i * 500) % 2500, UNITS_MAX};
        }
        assert_int_equal(local_inventory_pend(inventory, &order, "bytes", 5, NULL), 0);
        assert_int_equal(settle(inventory, STATUS_OK, 11 + i), 0);
    }
    for (int i = 0; i < 2; i++) {
        uint64_t total = 0;
        inventory = reopen(inventory, *state);
        local_inventory_see(inventory, 100 + (uint64_t)i);
        const struct holder *holder =
            local_state_find_holder(local_inventory_state(inventory), "north");
        for (size_t l = 0; l < holder->count; l++) {
            assert_true(l == 0 || holder->lines[l].upc > holder->lines[l - 1].upc);
            total += holder->lines[l].units;
        }
        assert_int_equal(total, (uint64_t)ORDERS * ORDER_LINES_MAX * UNITS_MAX);
    }
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
}

/* Runs a whole story. Returns how many of its steps were confirmed. */
static int
tell_story(struct local_inventory *inventory)
{
    int steps = 0;
    if (log_in(inventory, "north") != 0) {
        return steps;
    }
    steps++;
    for (uint64_t i = 0; i < 2; i++) {
        if (pend(inventory, OPERATION_BUY, tissues, 3) != 0) {
            return steps;
        }
        steps++;
        if (settle(inventory, STATUS_OK, 11 + i) != 0) {
            return steps;
        }
        steps++;
    }
    if (local_inventory_log_out(inventory, NULL) != 0) {
        return steps;
    }
    return steps + 1;
}

/* Returns how many steps of the story a directory has. */
static int
read_story(const char *directory)
{
    struct local_inventory *inventory = open_inventory(directory);
    const struct local_state *state = local_inventory_state(inventory);
    uint64_t units = units_of(inventory, "north", tissues);
    int steps = 0;
    if (state->has_history) {
        steps = 1 + (int)(units / 3) * 2 + (state->pending.exists ? 1 : 0);
        steps += steps == 5 && !state->is_logged_in ? 1 : 0;
    }
    assert_int_equal(local_inventory_close(&inventory, NULL), 0);
    return steps;
}

static void
a_failure_of_any_file_call_leaves_the_old_or_the_new_state(void **state)
{
    char directory[512];
    for (int fail_on = 0; fail_on < 2; fail_on++) {
        long fail_at = 0;
        int told = 0;
        do {
            struct faulty_files faulty;
            fail_at++;
            snprintf(directory, sizeof directory, "%s/%d-%ld", (char *)*state, fail_on, fail_at);
            faulty_files_init(&faulty, fail_at, fail_on != 0);
            struct local_inventory *inventory = open_with(&faulty.files, directory);
            told = 0;
            bool doubtful = false;
            if (inventory != NULL) {
                told = tell_story(inventory);
                doubtful = local_inventory_is_doubtful(inventory);
                (void)local_inventory_close(&inventory, NULL);
            }
            int found = read_story(directory);
            assert_in_range(found, told, told + (doubtful ? 1 : 0));
            if (faulty.calls < fail_at) {
                break;
            }
        } while (fail_at < 1000);
        assert_int_equal(told, 6);
        assert_in_range(fail_at, 20, 999);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_login_is_there_after_a_restart),
        SCRATCH_TEST(an_order_is_pending_until_its_outcome_is_kept),
        SCRATCH_TEST(refused_orders_and_restocks_bring_nothing),
        SCRATCH_TEST(each_user_has_items_of_their_own),
        SCRATCH_TEST(a_released_order_leaves_its_number_free),
        SCRATCH_TEST(an_order_set_aside_stays_in_sight_and_ends_the_session),
        SCRATCH_TEST(nothing_new_is_nothing_written),
        SCRATCH_TEST(the_highest_position_is_kept_at_the_end),
        SCRATCH_TEST(a_record_without_the_highest_position_does_not_stand_for_it),
        SCRATCH_TEST(names_of_items_that_are_held_are_kept),
        SCRATCH_TEST(names_leave_no_journal_behind_that_a_loss_of_power_can_damage),
        SCRATCH_TEST(a_directory_belongs_to_one_process),
        SCRATCH_TEST(a_snapshot_tells_the_history_once_and_before_the_session),
        SCRATCH_TEST(an_inventory_of_many_items_survives),
        SCRATCH_TEST(a_failure_of_any_file_call_leaves_the_old_or_the_new_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
