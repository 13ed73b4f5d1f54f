#include "simulator/seller.h"

#include "broker/engine.h"
#include "simulator/seller_check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    UNITS_START_MAX = 300,
    CATALOG_LARGE = 100,     /* items; with so many, there is enough of each for large orders */
    NO_SPACE_MEMORY_MS = 250 /* the engine does not look at a full disk at every turn */
};

/* The engine's environment has no context. */
static struct seller *current;

static void
draw(void *data, size_t size)
{
    chance_fill(&current->stage->chance, data, size);
    for (size_t i = 0; size == TOKEN_SIZE && i < current->taken_count; i++) {
        struct taken *taken = &current->taken[i];
        static const uint8_t none[TOKEN_SIZE];
        if (taken->is_for_engine && taken->exchange->request.operation == OPERATION_LOGIN &&
            memcmp(taken->token, none, TOKEN_SIZE) == 0) {
            memcpy(taken->token, data, TOKEN_SIZE);
            return;
        }
    }
}

static uint64_t
now_ms(void)
{
    return current->stage->now_ms;
}

static int
fill(void *context, struct stock *stock, struct diagnostic *diagnostic)
{
    const struct model *model = ((const struct seller *)context)->stage->model;
    int error = 0;
    (void)diagnostic;
    for (uint64_t i = 0; error == 0 && i < model->item_count; i++) {
        char name[32];
        uint64_t upc = stage_item(i, name);
        error = stock_add(stock, upc, name, strlen(name), model->units[i]);
    }
    return error;
}

void
seller_init(struct seller *seller, struct stage *stage)
{
    memset(seller, 0, sizeof *seller);
    seller->stage = stage;
    seller->memory = reply_memory_new();
    if (seller->memory == NULL || unpacked_init(&seller->unpacked) != 0) {
        abort();
    }
    disk_init(&seller->disk, stage);
    for (size_t i = 0; i < SELLER_BATCH_MAX; i++) {
        seller->exchanges[i] = calloc(1, sizeof *seller->exchanges[i]);
        if (seller->exchanges[i] == NULL) {
            abort();
        }
    }
    struct model *model = stage->model;
    for (uint64_t i = 0; i < model->item_count; i++) {
        bool is_huge = i == 3 && chance_hits(&stage->chance, 100);
        bool is_ample = model->item_count >= CATALOG_LARGE;
        model->units[i] = chance_below(&stage->chance, UNITS_START_MAX) * (is_ample ? 20 : 1);
        model->units[i] += is_ample ? UNITS_START_MAX : 0;
        model->units[i] += is_huge ? LEVEL_MAX - 30 * UNITS_START_MAX : 0;
        model->units_initial += model->units[i];
    }
}

/* Forgets the requests that were taken. */
static void
drop_taken(struct seller *seller)
{
    for (size_t i = 0; i < seller->taken_count; i++) {
        free(seller->taken[i].message.data);
    }
    seller->taken_count = 0;
    seller->is_in_doubt = false;
}

void
seller_fini(struct seller *seller)
{
    (void)engine_close(&seller->engine, false, NULL);
    drop_taken(seller);
    reply_memory_free(&seller->memory);
    unpacked_fini(&seller->unpacked);
    for (size_t i = 0; i < SELLER_BATCH_MAX; i++) {
        free(seller->exchanges[i]);
    }
    disk_fini(&seller->disk);
}

/* The process is over, by its disk or by its own will. */
static void
die(struct seller *seller)
{
    trace_note(&seller->stage->trace, "broker: dies");
    (void)engine_close(&seller->engine, false, NULL);
    disk_crash(&seller->disk);
    seller->attempt_count = 0;
    seller->stage->crashes_seller++;
}

uint64_t
seller_units(const struct seller *seller)
{
    return ledger_units(engine_ledger(seller->engine));
}

void
seller_kill(struct seller *seller)
{
    if (seller->engine != NULL) {
        disk_kill(&seller->disk);
        die(seller);
    }
}

/* An error came up: it must have a reason, and is the end of the process. */
static void
fail(struct seller *seller, const char *doing, const struct diagnostic *diagnostic)
{
    if (!disk_is_dead(&seller->disk) && !seller->disk.has_failed && !seller->is_full) {
        trace_fail(&seller->stage->trace, "the broker fails on a good disk, %s: %s", doing,
            diagnostic->text);
    }
    die(seller);
}

static bool
has_no_space(const struct seller *seller)
{
    return seller->is_full || seller->disk.has_failed ||
           (seller->no_space_ms != 0 &&
               seller->stage->now_ms < seller->no_space_ms + NO_SPACE_MEMORY_MS);
}

/* Takes the requests of the batch in the order of their decisions into the model. */
static void
take_into_model(struct seller *seller, struct expectation *expected)
{
    struct model *model = seller->stage->model;
    bool changes = false;
    for (size_t i = 0; i < seller->taken_count; i++) {
        struct taken *taken = &seller->taken[i];
        if (!taken->is_for_engine) {
            continue;
        }
        model_take(model, &taken->exchange->request, taken->message.buyer, model->position + 1,
            taken->token, &expected[i]);
        changes = changes || expected[i].changes;
    }
    model->position += changes ? 1 : 0;
}

/* Settles whether the record that was being written when the process died is there. */
static void
settle_doubt(struct seller *seller)
{
    struct stage *stage = seller->stage;
    struct reply reply = {.status = STATUS_OK};
    engine_stamp(seller->engine, &reply);
    if (seller->has_history && memcmp(seller->history, reply.history, HISTORY_SIZE) != 0) {
        trace_fail(&stage->trace, "the history has changed");
    }
    memcpy(seller->history, reply.history, HISTORY_SIZE);
    seller->has_history = true;
    if (seller->is_in_doubt && reply.position == stage->model->position + 1) {
        struct expectation expected[SELLER_BATCH_MAX];
        take_into_model(seller, expected);
        trace_note(&stage->trace, "broker: the record in doubt is there");
    }
    if (reply.position != stage->model->position) {
        trace_fail(&stage->trace, "the broker starts at position %" PRIu64 ", not %" PRIu64,
            reply.position, stage->model->position);
    }
    drop_taken(seller);
}

static int
open_engine(struct seller *seller, struct store_report *report, struct diagnostic *diagnostic)
{
    const struct roughness *rough = &seller->stage->rough;
    const struct environment environment = {
        .files = disk_files(&seller->disk), .random = draw, .now_ms = now_ms};
    const struct engine_options options = {.directory = "var/broker",
        .segment_size = engine_segment_size_min(rough->batch_max) * (int64_t)rough->segment_factor,
        .batch_max = rough->batch_max,
        .limits = {.sessions_max = 1000, .sessions_user_max = (uint32_t)rough->sessions_user_max},
        .fill = fill,
        .fill_context = seller};
    int error = engine_open(&seller->engine, &environment, &options, report, diagnostic);
    for (int i = 0; error == 0 && i < STAGE_USERS; i++) {
        if (ledger_permit(engine_ledger(seller->engine), stage_users[i], i == STAGE_USERS - 1) !=
            0) {
            abort();
        }
    }
    return error;
}

void
seller_start(struct seller *seller)
{
    struct stage *stage = seller->stage;
    struct store_report report = {.is_new = false};
    struct diagnostic diagnostic = {""};
    current = seller;
    disk_arm(&seller->disk, stage->is_calm ? 0 : stage->rough.seller_calls);
    trace_note(&stage->trace, "broker: starts");
    int error = open_engine(seller, &report, &diagnostic);
    if (error != 0) {
        fail(seller, "starting", &diagnostic);
        return;
    }
    seller->starts++;
    trace_note(&stage->trace,
        "broker: serves: snapshot %" PRIu64 ", %" PRIu64 " records, %" PRIu64 " torn bytes",
        report.snapshot_generation, report.records, report.torn_bytes);
    if (report.warning.text[0] != '\0') {
        trace_fail(&stage->trace, "a snapshot is damaged: %s", report.warning.text);
    }
    if (report.is_new && seller->has_history) {
        trace_fail(&stage->trace, "the broker begins anew");
    }
    settle_doubt(seller);
    seller_check_ledger(seller);
}

void
seller_set_full(struct seller *seller, bool is_full)
{
    int64_t used = fake_disk_used(seller->disk.fake);
    seller->is_full = is_full;
    seller->no_space_ms = seller->stage->now_ms;
    fake_disk_set_capacity(seller->disk.fake, is_full ? used : INT64_MAX);
    trace_note(&seller->stage->trace, "broker: the disk %s", is_full ? "is full" : "has room");
}

/* The stand-in for accounts: answers a login, or leaves it to the engine. */
static bool
take_login(struct seller *seller, const struct request *request, struct reply *reply)
{
    struct stage *stage = seller->stage;
    struct attempt *attempt = NULL;
    for (size_t i = 0; i < seller->attempt_count && i < SELLER_ATTEMPTS_MAX; i++) {
        if (memcmp(seller->attempts[i].nonce, request->nonce, NONCE_SIZE) == 0) {
            attempt = &seller->attempts[i];
        }
    }
    if (attempt == NULL) {
        attempt = &seller->attempts[seller->attempt_count++ % SELLER_ATTEMPTS_MAX];
        *attempt = (struct attempt){.session = 0};
        memcpy(attempt->nonce, request->nonce, NONCE_SIZE);
        while (chance_hits(&stage->chance, stage->rough.login_busy)) {
            attempt->busy_left++;
        }
    }
    if (attempt->busy_left > 0) {
        attempt->busy_left--;
        *reply = (struct reply){.status = STATUS_BUSY, .retry_ms = 20};
    } else if (strcmp(request->password, "right") != 0) {
        *reply = (struct reply){.status = STATUS_BAD_CREDENTIALS};
    } else if (attempt->session == 0) {
        return true;
    } else {
        *reply = (struct reply){.status = STATUS_OK, .session = attempt->session};
        memcpy(reply->token, attempt->token, TOKEN_SIZE);
    }
    return false;
}

/* Remembers the session that was begun for a login. */
static void
note_login(struct seller *seller, const struct request *request, const struct reply *reply)
{
    for (size_t i = 0; i < seller->attempt_count && i < SELLER_ATTEMPTS_MAX; i++) {
        struct attempt *attempt = &seller->attempts[i];
        if (reply->status == STATUS_OK && memcmp(attempt->nonce, request->nonce, NONCE_SIZE) == 0) {
            attempt->session = reply->session;
            memcpy(attempt->token, reply->token, TOKEN_SIZE);
        }
    }
}

/* Takes one message and decodes it. */
static void
take_message(struct seller *seller, struct message message)
{
    char reason[MESSAGE_TEXT_SIZE] = "";
    size_t number = seller->taken_count++;
    struct taken *taken = &seller->taken[number];
    *taken = (struct taken){.message = message, .exchange = seller->exchanges[number]};
    struct exchange *exchange = taken->exchange;
    enum status status =
        request_decode(&seller->unpacked, message.data, message.size, &exchange->request, reason);
    seller->requests++;
    if (status != STATUS_OK) {
        exchange->reply = (struct reply){.status = status};
        exchange->request.operation = OPERATION_COUNT;
    } else {
        taken->is_for_engine = exchange->request.operation != OPERATION_LOGIN ||
                               take_login(seller, &exchange->request, &exchange->reply);
    }
    trace_note(&seller->stage->trace,
        "broker: takes %s of session %" PRIu64 ", order %" PRIu64 " from %d (sending %" PRIu64 ")",
        status != STATUS_OK ? "rubbish" : operation_word(exchange->request.operation),
        status != STATUS_OK ? 0 : exchange->request.session,
        status != STATUS_OK ? 0 : exchange->request.order, message.buyer, message.serial);
}

/* Takes up to `count` requests off the network. */
static void
take_messages(struct seller *seller, size_t count)
{
    struct stage *stage = seller->stage;
    struct network *network = &stage->network;
    size_t at = 0;
    while (seller->taken_count < count && at < network->count) {
        if (!network->messages[at].to_broker || !stage_may_deliver(stage, at)) {
            at++;
        } else if (!stage->is_calm && chance_hits(&stage->chance, stage->rough.loss)) {
            network_lose(network, at);
        } else {
            take_message(seller, network_take(network, at));
        }
    }
}

/* Lets the engine decide. Returns false when that was the end of the process. */
static bool
apply(struct seller *seller)
{
    struct exchange *batch[SELLER_BATCH_MAX];
    size_t count = 0;
    struct diagnostic diagnostic = {""};
    for (size_t i = 0; i < seller->taken_count; i++) {
        if (seller->taken[i].is_for_engine) {
            batch[count++] = seller->taken[i].exchange;
        }
    }
    if (count > 0 && engine_apply(seller->engine, batch, count, &diagnostic) != 0) {
        seller->is_in_doubt = true;
        fail(seller, "applying a batch", &diagnostic);
        return false;
    }
    return true;
}

/* Those that were turned away for want of room are for the model as if they had never come. */
static void
take_out_refused(struct seller *seller, struct expectation *expected)
{
    for (size_t i = 0; i < seller->taken_count; i++) {
        struct taken *taken = &seller->taken[i];
        const struct exchange *exchange = taken->exchange;
        expected[i] = (struct expectation){.status = exchange->reply.status};
        if (!taken->is_for_engine || exchange->reply.status != STATUS_NO_SPACE) {
            continue;
        }
        if (!has_no_space(seller) || exchange->request.operation == OPERATION_PING ||
            exchange->request.operation == OPERATION_VIEW) {
            trace_fail(&seller->stage->trace, "no_space, and there is room");
        }
        taken->is_for_engine = false;
    }
}

static void
send_reply(struct seller *seller, const struct taken *taken, const struct expectation *expected)
{
    static unsigned char bytes[MESSAGE_SIZE_MAX];
    struct stage *stage = seller->stage;
    struct exchange *exchange = taken->exchange;
    struct buffer buffer;
    engine_stamp(seller->engine, &exchange->reply);
    buffer_init(&buffer, bytes, sizeof bytes);
    reply_encode(&buffer, &exchange->reply);
    seller_check_reply(seller, taken, expected, &buffer);
    if (exchange->request.operation == OPERATION_LOGIN) {
        note_login(seller, &exchange->request, &exchange->reply);
    }
    struct message message = {.buyer = taken->message.buyer,
        .serial = taken->message.serial,
        .data = buffer.data,
        .size = buffer.size};
    if (message.buyer >= 0) {
        stage_send(stage, message);
    }
    if (message.buyer >= 0 && !stage->is_calm &&
        chance_hits(&stage->chance, stage->rough.doubling)) {
        stage_send(stage, message);
    }
}

void
seller_serve(struct seller *seller)
{
    struct stage *stage = seller->stage;
    struct expectation expected[SELLER_BATCH_MAX];
    if (seller->engine == NULL) {
        return;
    }
    current = seller;
    take_messages(seller, chance_between(&stage->chance, 1, stage->rough.batch_max));
    if (!apply(seller)) {
        return;
    }
    take_out_refused(seller, expected);
    take_into_model(seller, expected);
    if (!stage->is_calm && seller->taken_count > 0 && chance_hits(&stage->chance, 10)) {
        disk_kill(&seller->disk);
        die(seller); /* everything is on disk, and nobody hears of it */
    } else {
        for (size_t i = 0; i < seller->taken_count; i++) {
            send_reply(seller, &seller->taken[i], &expected[i]);
        }
    }
    drop_taken(seller);
}

void
seller_upkeep(struct seller *seller)
{
    struct diagnostic diagnostic = {""};
    if (seller->engine == NULL || !engine_wants_upkeep(seller->engine)) {
        return;
    }
    current = seller;
    trace_note(&seller->stage->trace, "broker: upkeep");
    int error = engine_upkeep(seller->engine, &diagnostic);
    bool may_go_on = error == ERROR_NO_SPACE && !disk_is_dead(&seller->disk);
    if (error != 0 && !(may_go_on && has_no_space(seller))) {
        fail(seller, "in the upkeep", &diagnostic);
    }
}

void
seller_stop(struct seller *seller)
{
    struct diagnostic diagnostic = {""};
    if (seller->engine == NULL) {
        return;
    }
    current = seller;
    trace_note(&seller->stage->trace, "broker: stops");
    if (engine_close(&seller->engine, true, &diagnostic) != 0) {
        fail(seller, "stopping", &diagnostic);
        return;
    }
    seller->attempt_count = 0;
    disk_release(&seller->disk);
}
