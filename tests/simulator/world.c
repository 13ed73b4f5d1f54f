#include "simulator/world.h"

#include "simulator/buyer_check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALM_STEPS_MAX = 200000
};

static unsigned
draw(struct chance *chance, uint64_t low, uint64_t high)
{
    return (unsigned)chance_between(chance, low, high);
}

/*
 * Draws how rough this simulation is. One draw a statement: the order of initialisers is the
 * compiler's.
 */
static void
draw_roughness(struct chance *chance, struct roughness *rough)
{
    static const uint64_t batches[] = {1, 1, 2, 4, 8};
    memset(rough, 0, sizeof *rough);
    if (chance_hits(chance, 800)) {
        rough->loss = draw(chance, 0, 200);
        rough->disorder = draw(chance, 0, 700);
        rough->doubling = draw(chance, 0, 300);
        rough->delay = draw(chance, 0, 100);
    }
    bool seller_lives_long = chance_hits(chance, 300);
    if (chance_hits(chance, 900)) {
        rough->buyer_calls = draw(chance, 40, 1500);
        rough->seller_calls = draw(chance, 30, seller_lives_long ? 20000 : 1500);
    }
    rough->impatience = draw(chance, 5, 150);
    rough->login_busy = draw(chance, 0, 600);
    rough->large_orders = draw(chance, 0, 60);
    rough->power_loss = draw(chance, 0, 1000);
    rough->full_disk = chance_hits(chance, 200) ? 10 : 0;
    rough->batch_max = batches[chance_below(chance, 5)];
    rough->segment_factor = draw(chance, 1, 2);
    rough->sessions_user_max = chance_hits(chance, 150) ? 4 : 500;
}

/* Makes it one in which journals fill up: large orders for many items, and few deaths between. */
static void
make_heavy(struct chance *chance, struct roughness *rough)
{
    rough->large_orders = draw(chance, 300, 900);
    rough->batch_max = 1;
    rough->segment_factor = 1;
    rough->seller_calls = draw(chance, 0, 1) * 20000;
    rough->full_disk = draw(chance, 0, 1) * 20;
}

static void
begin(struct world *world, uint64_t seed)
{
    struct stage *stage = &world->stage;
    stage->chance = (struct chance){.stream = {.state = seed}};
    draw_roughness(&stage->chance, &stage->rough);
    bool is_heavy = chance_hits(&stage->chance, 200);
    if (is_heavy) {
        make_heavy(&stage->chance, &stage->rough);
    }
    bool is_large = is_heavy || chance_hits(&stage->chance, 100);
    uint64_t items =
        chance_between(&stage->chance, is_large ? 200 : 1, is_large ? STAGE_ITEMS_MAX : 24);
    stage->model = model_new(items, stage->rough.sessions_user_max);
    seller_init(&world->seller, stage);
    world->buyer_count = (int)chance_between(&stage->chance, 1, STAGE_BUYERS_MAX);
    for (int i = 0; i < world->buyer_count; i++) {
        buyer_init(&world->buyers[i], stage, i);
    }
    trace_note(&stage->trace, "%d buyers, %" PRIu64 " items, batches of %" PRIu64,
        world->buyer_count, items, stage->rough.batch_max);
}

static void
end(struct world *world)
{
    for (int i = 0; i < world->buyer_count; i++) {
        buyer_fini(&world->buyers[i]);
    }
    seller_fini(&world->seller);
    network_clear(&world->stage.network);
    model_free(&world->stage.model);
}

/* Delivers the reply that is on its way longest, or another one, or loses it. */
static void
deliver(struct world *world)
{
    struct stage *stage = &world->stage;
    struct network *network = &stage->network;
    for (size_t i = 0; i < network->count; i++) {
        if (network->messages[i].to_broker || !stage_may_deliver(stage, i)) {
            continue;
        }
        if (!stage->is_calm && chance_hits(&stage->chance, stage->rough.loss)) {
            network_lose(network, i);
            return;
        }
        struct message message = network_take(network, i);
        buyer_receive(&world->buyers[message.buyer], &message);
        free(message.data);
        return;
    }
}

/* Somebody who has no session asks for things. */
static void
send_strange(struct stage *stage)
{
    static struct request request;
    static unsigned char bytes[MESSAGE_SIZE_MAX];
    struct buffer buffer;
    request = (struct request){.operation = OPERATION_BUY, .line_count = 1};
    request.session = chance_between(&stage->chance, 1, stage->model->session_count + 2);
    request.order = chance_between(&stage->chance, 1, 5);
    request.lines[0] = (struct line){.upc = stage_item(0, NULL), .units = 1};
    chance_fill(&stage->chance, request.token, sizeof request.token);
    buffer_init(&buffer, bytes, sizeof bytes);
    request_encode(&buffer, &request);
    if (chance_hits(&stage->chance, 300)) {
        buffer.size = chance_below(&stage->chance, buffer.size); /* and this is not even whole */
    }
    struct message message = {
        .to_broker = true, .buyer = -1, .data = buffer.data, .size = buffer.size};
    stage_send(stage, message);
}

/* What comes over the broker besides requests. */
static void
trouble_seller(struct world *world)
{
    struct stage *stage = &world->stage;
    struct seller *seller = &world->seller;
    struct network *network = &stage->network;
    /* A disk stays full for longer: long enough for a few journals to fill up. */
    unsigned full_disk = stage->rough.full_disk;
    if (chance_hits(&stage->chance, seller->is_full ? (full_disk + 4) / 5 : full_disk)) {
        seller_set_full(seller, !seller->is_full);
    }
    if (seller->engine == NULL) {
        if (network->count > 0 && network->messages[0].to_broker &&
            chance_hits(&stage->chance, 300)) {
            network_lose(network, 0);
        }
        if (chance_hits(&stage->chance, 150)) {
            seller_start(seller);
        }
        return;
    }
    if (chance_hits(&stage->chance, 100)) {
        seller_upkeep(seller);
    }
    if (stage->rough.seller_calls > 0 && chance_hits(&stage->chance, 2)) {
        seller_kill(seller);
    }
    if (chance_hits(&stage->chance, 2)) {
        seller_stop(seller);
    }
}

static void
step(struct world *world)
{
    struct stage *stage = &world->stage;
    struct chance *chance = &stage->chance;
    struct buyer *buyer = &world->buyers[chance_below(chance, (uint64_t)world->buyer_count)];
    stage->now_ms++;
    switch (chance_below(chance, 8)) {
    case 0:
    case 1:
    case 2:
        buyer_step(buyer);
        break;
    case 3:
    case 4:
        deliver(world);
        break;
    case 5:
    case 6:
        seller_serve(&world->seller);
        break;
    default:
        trouble_seller(world);
        if (stage->rough.buyer_calls > 0 && chance_hits(chance, 10)) {
            buyer_kill(buyer);
        }
        if (chance_hits(chance, 20)) {
            send_strange(stage);
        }
        break;
    }
}

/* Stops all faults. */
static void
calm_down(struct world *world)
{
    struct stage *stage = &world->stage;
    stage->is_calm = true;
    trace_note(&stage->trace, "from here on nothing goes wrong");
    world->seller.disk.calls_left = 0;
    seller_set_full(&world->seller, false);
    for (int i = 0; i < world->buyer_count; i++) {
        world->buyers[i].disk.calls_left = 0;
    }
}

static bool
is_settled(const struct world *world)
{
    for (int i = 0; i < world->buyer_count; i++) {
        const struct buyer *buyer = &world->buyers[i];
        if (buyer->inventory == NULL || buyer->has_errand || buyer->calm != CALM_DONE) {
            return false;
        }
    }
    return true;
}

static void
settle(struct world *world)
{
    struct stage *stage = &world->stage;
    calm_down(world);
    for (int steps = 0; !is_settled(world); steps++) {
        if (steps == CALM_STEPS_MAX) {
            trace_fail(&stage->trace, "a client gets no answer, though nothing goes wrong");
        }
        stage->now_ms++;
        if (world->seller.engine == NULL) {
            seller_start(&world->seller);
        }
        for (int i = 0; i < world->buyer_count; i++) {
            buyer_step(&world->buyers[i]);
        }
        seller_serve(&world->seller);
        seller_upkeep(&world->seller);
        for (size_t i = stage->network.count; i > 0; i--) {
            deliver(world);
        }
    }
}

/* Counts all units, and sees that the broker starts again with the same. */
static void
take_stock(struct world *world)
{
    struct stage *stage = &world->stage;
    const struct model *model = stage->model;
    uint64_t held = 0;
    for (int i = 0; i < world->buyer_count; i++) {
        held += buyer_check_settled(&world->buyers[i]);
    }
    seller_stop(&world->seller);
    seller_start(&world->seller);
    uint64_t on_hand = seller_units(&world->seller);
    trace_note(&stage->trace,
        "initial %" PRIu64 " + restocked %" PRIu64 " = on hand %" PRIu64 " + bought %" PRIu64,
        model->units_initial, model->units_restocked, on_hand, held);
    if (model->units_initial + model->units_restocked != on_hand + held) {
        trace_fail(&stage->trace, "units are not conserved");
    }
}

static void
add_figures(const struct world *world, uint64_t steps, struct figures *figures)
{
    const struct stage *stage = &world->stage;
    figures->steps += steps;
    figures->requests += world->seller.requests;
    figures->orders += stage->model->orders;
    figures->refusals += stage->model->refusals;
    figures->repetitions += stage->model->repetitions;
    figures->restocked += stage->model->units_restocked;
    figures->sent += stage->network.sent;
    figures->lost += stage->network.lost;
    figures->crashes_seller += stage->crashes_seller;
    figures->crashes_buyer += stage->crashes_buyer;
    figures->faults += stage->faults;
    figures->file_calls += fake_disk_calls(world->seller.disk.fake);
    for (int i = 0; i < world->buyer_count; i++) {
        figures->errands += world->buyers[i].errands;
        figures->answers += world->buyers[i].answers;
        figures->file_calls += fake_disk_calls(world->buyers[i].disk.fake);
    }
}

void
world_run(struct world *world, uint64_t steps, struct figures *figures)
{
    begin(world, world->stage.trace.seed);
    for (uint64_t i = 0; i < steps; i++) {
        step(world);
    }
    settle(world);
    take_stock(world);
    add_figures(world, steps, figures);
    end(world);
}
