#include "simulator/buyer.h"

#include "simulator/buyer_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALM_SENDINGS_MAX = 60,
    SMALL_LINES_MAX = 3
};

void
buyer_init(struct buyer *buyer, struct stage *stage, int number)
{
    memset(buyer, 0, sizeof *buyer);
    buyer->stage = stage;
    buyer->number = number;
    buyer->user = number % STAGE_USERS;
    buyer->login_user = -1;
    disk_init(&buyer->disk, stage);
}

/* Throws away the memory of the process. */
static void
forget(struct buyer *buyer)
{
    shopper_free(&buyer->shopper);
    (void)local_inventory_close(&buyer->inventory, NULL);
    buyer->has_errand = false;
    buyer->awaited = 0;
}

void
buyer_fini(struct buyer *buyer)
{
    forget(buyer);
    disk_fini(&buyer->disk);
}

static void
die(struct buyer *buyer)
{
    trace_note(&buyer->stage->trace, "%d: dies", buyer->number);
    forget(buyer);
    disk_crash(&buyer->disk);
    buyer->stage->crashes_buyer++;
}

void
buyer_kill(struct buyer *buyer)
{
    if (buyer->inventory != NULL) {
        disk_kill(&buyer->disk);
        die(buyer);
    }
}

static void
start(struct buyer *buyer)
{
    struct stage *stage = buyer->stage;
    uint8_t history_new[HISTORY_SIZE];
    struct diagnostic diagnostic = {""};
    disk_arm(&buyer->disk, stage->is_calm ? 0 : stage->rough.buyer_calls);
    chance_fill(&stage->chance, history_new, sizeof history_new);
    trace_note(&stage->trace, "%d: starts", buyer->number);
    int error = local_inventory_open(
        &buyer->inventory, disk_files(&buyer->disk), "home/stock", history_new, &diagnostic);
    if (error != 0 && !disk_is_dead(&buyer->disk) && !buyer->disk.has_failed) {
        trace_fail(&stage->trace, "buyer %d cannot start on a good disk: %s", buyer->number,
            diagnostic.text);
    }
    if (error != 0) {
        die(buyer);
        return;
    }
    buyer->shopper = shopper_new(buyer->inventory);
    if (buyer->shopper == NULL) {
        abort();
    }
    buyer_check_inventory(buyer);
}

/* Ends the process in good order. */
static void
stop(struct buyer *buyer)
{
    trace_note(&buyer->stage->trace, "%d: ends", buyer->number);
    forget(buyer);
    if (disk_is_dead(&buyer->disk)) {
        die(buyer);
    } else {
        disk_release(&buyer->disk);
    }
}

/* Goes where a step of the shopper leads. */
static void
follow(struct buyer *buyer, enum shopper_step step)
{
    buyer->step = step;
    buyer->awaited = 0;
    if (disk_is_dead(&buyer->disk)) {
        die(buyer);
        return;
    }
    if (step != SHOPPER_END) {
        return;
    }
    const struct shopper_result *result = shopper_result(buyer->shopper);
    buyer->has_errand = false;
    buyer->answers++;
    trace_note(&buyer->stage->trace, "%d: told %s", buyer->number,
        result->error == NULL ? "done" : result->error);
    buyer_check_result(buyer, result);
    if (buyer->disk.has_failed) {
        stop(buyer); /* as a program does after an error of its disk */
    }
}

/* Errands. */

static enum shopper_step
begin_login(struct buyer *buyer)
{
    struct chance *chance = &buyer->stage->chance;
    uint8_t nonce[NONCE_SIZE];
    chance_fill(chance, nonce, sizeof nonce);
    bool is_other = chance_hits(chance, 100);
    buyer->login_user = is_other ? (int)chance_below(chance, STAGE_USERS) : buyer->user;
    const char *password = chance_hits(chance, 50) ? "wrong" : "right";
    return shopper_begin_login(buyer->shopper, stage_users[buyer->login_user], password, nonce);
}

static enum shopper_step
begin_view(struct buyer *buyer)
{
    struct chance *chance = &buyer->stage->chance;
    uint64_t upcs[8];
    size_t count = chance_hits(chance, 500) ? 0 : chance_between(chance, 1, 8);
    for (size_t i = 0; i < count; i++) {
        upcs[i] = stage_item(chance_below(chance, buyer->stage->model->item_count), NULL);
    }
    buyer->is_view = true;
    return shopper_begin_view(buyer->shopper, upcs, count);
}

static enum shopper_step
begin_order(struct buyer *buyer, enum operation operation)
{
    static struct line lines[ORDER_LINES_MAX];
    struct stage *stage = buyer->stage;
    struct chance *chance = &stage->chance;
    bool is_large = chance_hits(chance, stage->rough.large_orders);
    size_t count = chance_between(chance, 1, is_large ? ORDER_LINES_MAX : SMALL_LINES_MAX);
    uint64_t units_max = operation == OPERATION_RESTOCK ? 60 : is_large ? 2 : 8;
    if (chance_hits(chance, 30)) {
        units_max = UNITS_MAX;
    }
    bool is_known = !chance_hits(chance, 40);
    for (size_t i = 0; i < count; i++) {
        uint64_t items = stage->model->item_count + (is_known ? 0 : 1);
        lines[i].upc = stage_item(chance_below(chance, items), NULL);
        lines[i].units = chance_between(chance, 1, units_max);
    }
    return shopper_begin_order(buyer->shopper, operation, lines, count);
}

static enum shopper_step
begin_buy(struct buyer *buyer)
{
    return begin_order(buyer, OPERATION_BUY);
}

static enum shopper_step
begin_restock(struct buyer *buyer)
{
    return begin_order(buyer, OPERATION_RESTOCK);
}

static enum shopper_step
begin_resolve(struct buyer *buyer)
{
    return shopper_begin_resolve(buyer->shopper);
}

static enum shopper_step
begin_void(struct buyer *buyer)
{
    return shopper_begin_void(buyer->shopper);
}

static enum shopper_step
begin_logout(struct buyer *buyer)
{
    return shopper_begin_logout(buyer->shopper);
}

static enum shopper_step
begin_ping(struct buyer *buyer)
{
    return shopper_begin_ping(buyer->shopper);
}

static const struct errand {
    const char *word;
    unsigned weight;       /* when somebody is logged in */
    unsigned weight_other; /* when nobody is */
    enum shopper_step (*begin)(struct buyer *buyer);
} errands[] = {
    {"login", 2, 60, begin_login},
    {"view", 8, 1, begin_view},
    {"buy", 60, 1, begin_buy},
    {"restock", 12, 1, begin_restock},
    {"resolve", 3, 1, begin_resolve},
    {"void", 6, 1, begin_void},
    {"logout", 3, 1, begin_logout},
    {"ping", 2, 1, begin_ping},
};

static void
begin(struct buyer *buyer, const struct errand *errand)
{
    const struct pending *pending = &local_inventory_state(buyer->inventory)->pending;
    trace_note(&buyer->stage->trace, "%d: begins to %s%s", buyer->number, errand->word,
        pending->exists ? ", with an order pending" : "");
    buyer->has_errand = true;
    buyer->errands++;
    buyer->sendings = 0;
    buyer->login_user = -1;
    buyer->is_view = false;
    follow(buyer, errand->begin(buyer));
}

static void
begin_any(struct buyer *buyer)
{
    const size_t count = sizeof errands / sizeof errands[0];
    bool is_in = local_inventory_state(buyer->inventory)->is_logged_in;
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += is_in ? errands[i].weight : errands[i].weight_other;
    }
    uint64_t left = chance_below(&buyer->stage->chance, sum);
    size_t number = 0;
    while (left >= (is_in ? errands[number].weight : errands[number].weight_other)) {
        left -= is_in ? errands[number].weight : errands[number].weight_other;
        number++;
    }
    begin(buyer, &errands[number]);
}

/* Sends the bytes of the shopper. */
static void
send_bytes(struct buyer *buyer)
{
    struct stage *stage = buyer->stage;
    const struct pending *pending = &local_inventory_state(buyer->inventory)->pending;
    const void *data;
    size_t size;
    shopper_request(buyer->shopper, &data, &size);
    if (pending->exists && size == pending->request_size &&
        memcmp(data, pending->request, size) == 0) {
        buyer->has_sent = true;
        buyer->sent_session = pending->order.session;
        buyer->sent_order = pending->order.number;
    }
    struct message message = {.to_broker = true,
        .buyer = buyer->number,
        .serial = ++stage->network.serial_last,
        .data = (unsigned char *)(uintptr_t)data,
        .size = size};
    stage_send(stage, message);
    buyer->awaited = message.serial;
    buyer->sendings++;
    trace_note(&stage->trace, "%d: sends %zu bytes (sending %" PRIu64 ")", buyer->number, size,
        message.serial);
}

static bool
is_under_way(const struct network *network, uint64_t serial)
{
    for (size_t i = 0; i < network->count; i++) {
        if (network->messages[i].serial == serial) {
            return true;
        }
    }
    return false;
}

static void
give_up(struct buyer *buyer)
{
    trace_note(&buyer->stage->trace, "%d: gives up", buyer->number);
    follow(buyer, shopper_give_up(buyer->shopper, "no answer"));
}

/* Goes on with an errand: sends, sends again, or gives up. */
static void
go_on(struct buyer *buyer)
{
    struct stage *stage = buyer->stage;
    struct chance *chance = &stage->chance;
    if (stage->is_calm) {
        bool is_hopeless = buyer->calm == CALM_NOT_YET && buyer->sendings > CALM_SENDINGS_MAX;
        if (is_hopeless) {
            give_up(buyer); /* a login while all sessions are taken */
        } else if (buyer->awaited == 0 || !is_under_way(&stage->network, buyer->awaited)) {
            send_bytes(buyer);
        }
        return;
    }
    if (buyer->awaited == 0) {
        if (buyer->step == SHOPPER_WAIT && chance_hits(chance, 100)) {
            give_up(buyer);
            return;
        }
        send_bytes(buyer);
        if (chance_hits(chance, stage->rough.doubling)) {
            send_bytes(buyer);
        }
    } else if (chance_hits(chance, stage->rough.impatience)) {
        if (chance_hits(chance, 200)) {
            give_up(buyer);
        } else {
            send_bytes(buyer);
        }
    }
}

/* The last things that a buyer does. */
static void
begin_calm(struct buyer *buyer)
{
    static const struct errand last[] = {
        [CALM_RESOLVE] = {.word = "resolve", .begin = begin_resolve},
        [CALM_VIEW] = {.word = "view", .begin = begin_view},
        [CALM_LOGOUT] = {.word = "logout", .begin = begin_logout},
    };
    if (buyer->calm == CALM_DONE) {
        return;
    }
    buyer->calm++;
    bool is_in = local_inventory_state(buyer->inventory)->is_logged_in;
    if (buyer->calm == CALM_RESOLVE || (buyer->calm < CALM_DONE && is_in)) {
        begin(buyer, &last[buyer->calm]);
    }
}

void
buyer_step(struct buyer *buyer)
{
    struct chance *chance = &buyer->stage->chance;
    if (buyer->inventory == NULL) {
        if (buyer->stage->is_calm || chance_hits(chance, 300)) {
            start(buyer);
        }
    } else if (buyer->has_errand) {
        go_on(buyer);
    } else if (buyer->disk.has_failed) {
        stop(buyer); /* an error that nobody was told of, but that may have left its mark */
    } else if (buyer->stage->is_calm) {
        begin_calm(buyer);
    } else if (chance_hits(chance, 100)) {
        stop(buyer);
    } else {
        begin_any(buyer);
    }
}

void
buyer_receive(struct buyer *buyer, const struct message *message)
{
    if (buyer->inventory == NULL || !buyer->has_errand || buyer->awaited != message->serial) {
        return; /* the socket that asked for it is closed */
    }
    trace_note(&buyer->stage->trace, "%d: receives the reply to sending %" PRIu64, buyer->number,
        message->serial);
    follow(buyer, shopper_receive(buyer->shopper, message->data, message->size));
}
