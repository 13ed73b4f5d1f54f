#include "fault/broker_subject.h"

#include "broker/engine.h"
#include "support/cmocka_headers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_MAX = 2,
    STEPS_MAX = 48,
    SLOTS = 4,
    ITEMS_MAX = 1000,
    ITEMS_SMALL = 6,
    LEVEL_FIRST = 100000000,
    ALL_ITEMS = -1
};

/* Large numbers, that take many bytes. */
static const uint64_t upc_first = 100000000000;

/** One request of the script. */
struct ask {
    enum operation operation;
    int slot;         /**< whose */
    int lines;        /**< how many, or ALL_ITEMS but for a few */
    uint64_t units;   /**< of each line */
    int order_offset; /**< 0: the next number; -1: the last one again; 1: one too far */
};

/** The model of one session. */
struct model_session {
    uint64_t number; /**< 0: there is none yet */
    uint8_t token[TOKEN_SIZE];
    bool is_open;
    uint64_t order;      /**< number of the last order */
    struct request last; /**< that order */
    unsigned char reply[256];
    size_t reply_size;
};

struct model {
    uint64_t levels[ITEMS_MAX];
    struct model_session sessions[SLOTS];
    uint64_t position;
};

/** A step: what is asked, and what is answered without faults. */
struct step {
    size_t count;
    struct request requests[BATCH_MAX];
    unsigned char replies[BATCH_MAX][MESSAGE_SIZE_MAX];
    size_t reply_sizes[BATCH_MAX];
};

struct broker_subject {
    struct subject subject;
    bool is_small;
    size_t item_count;
    struct step *steps;
    struct model *models; /**< behind 0, 1, 2 … steps */
    struct engine *engine;
    struct exchange *exchanges[BATCH_MAX];
};

static const char *const users[SLOTS] = {"north", "depot", "south", "south"};

/* The world: the same numbers and the same time in each run of a step. */

static uint64_t world_seed;
static uint64_t world_ms = 1700000000000;

static void
world_random(void *data, size_t size)
{
    struct random_stream stream = {world_seed++};
    unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)random_next(&stream);
    }
}

static uint64_t
world_now_ms(void)
{
    return world_ms;
}

void
broker_subject_wait(uint64_t ms)
{
    world_ms += ms;
}

/* The script. A row of one or two requests is a step. */

#define LOGIN(slot)                    \
    {                                  \
        OPERATION_LOGIN, slot, 0, 0, 0 \
    }
#define LOGOUT(slot)                    \
    {                                   \
        OPERATION_LOGOUT, slot, 0, 0, 0 \
    }
#define VIEW(slot)                    \
    {                                 \
        OPERATION_VIEW, slot, 0, 0, 0 \
    }
#define BUY(slot, lines, units)              \
    {                                        \
        OPERATION_BUY, slot, lines, units, 0 \
    }
#define STOCK(slot, lines, units)                \
    {                                            \
        OPERATION_RESTOCK, slot, lines, units, 0 \
    }
#define VOID(slot)                    \
    {                                 \
        OPERATION_VOID, slot, 0, 0, 0 \
    }
#define AGAIN(slot, lines, units)             \
    {                                         \
        OPERATION_BUY, slot, lines, units, -1 \
    }
#define BEYOND(slot, lines, units)           \
    {                                        \
        OPERATION_BUY, slot, lines, units, 1 \
    }
#define NOTHING                     \
    {                               \
        OPERATION_COUNT, 0, 0, 0, 0 \
    }
#define TWO_LARGE                                            \
    {                                                        \
        BUY(0, ALL_ITEMS, 70000), STOCK(1, ALL_ITEMS, 70000) \
    }

static const struct ask script[][BATCH_MAX] = {
    {LOGIN(0), NOTHING},
    {LOGIN(1), NOTHING},
    {LOGIN(2), NOTHING},
    {BUY(0, 1, 3), BUY(2, 1, 4)},
    {BUY(0, 1, 1000000000), STOCK(1, 1, 50)},
    {AGAIN(0, 1, 1000000000), AGAIN(2, 1, 4)},
    {VOID(0), VIEW(2)},
    {BUY(2, 2, 1000000000), BEYOND(0, 1, 1)},
    {BUY(0, 2, 1), STOCK(1, 3, 2)},
    {LOGOUT(2), VIEW(0)},
    {LOGIN(3), NOTHING},
    {BUY(3, 1, 7), VIEW(2)},
    TWO_LARGE,
    TWO_LARGE,
    {BUY(3, 3, 1), VOID(1)},
    TWO_LARGE,
    TWO_LARGE,
    TWO_LARGE,
    {STOCK(0, 1, 1), BUY(3, ALL_ITEMS, 70000)},
    TWO_LARGE,
    TWO_LARGE,
    TWO_LARGE,
    {BUY(3, 1, 1), STOCK(1, 1, 1)},
    TWO_LARGE,
    TWO_LARGE,
    TWO_LARGE,
    TWO_LARGE,
    {LOGOUT(1), BUY(0, 2, 2)},
    {BUY(3, 1, 2), VIEW(0)},
    {LOGIN(2), NOTHING},
    {BUY(2, 1, 1), BUY(0, 1, 1)},
};

enum {
    SCRIPT_STEPS = sizeof script / sizeof *script,
    SMALL_STEPS = 12
};

static void
set_lines(const struct broker_subject *broker, const struct ask *ask, struct request *request)
{
    size_t most = broker->item_count - 2;
    request->line_count = ask->lines == ALL_ITEMS ? most : (size_t)ask->lines;
    for (size_t i = 0; i < request->line_count; i++) {
        request->lines[i] = (struct line){.upc = upc_first + i, .units = ask->units};
    }
}

static void
make_request(const struct broker_subject *broker, const struct model *model, const struct ask *ask,
    struct request *request)
{
    const struct model_session *session = &model->sessions[ask->slot];
    *request = (struct request){.operation = ask->operation};
    if (ask->operation == OPERATION_LOGIN) {
        snprintf(request->user, sizeof request->user, "%s", users[ask->slot]);
        return;
    }
    request->session = session->number;
    memcpy(request->token, session->token, TOKEN_SIZE);
    set_lines(broker, ask, request);
    if (ask->operation == OPERATION_VIEW) {
        request->line_count = 0;
    } else if (ask->operation != OPERATION_LOGOUT) {
        request->order = session->order + 1 + (uint64_t)(int64_t)ask->order_offset;
    }
}

/* The model. */

static void
model_move(struct model *model, const struct request *request)
{
    for (size_t i = 0; i < request->line_count; i++) {
        uint64_t *level = &model->levels[request->lines[i].upc - upc_first];
        if (request->operation == OPERATION_BUY) {
            assert_true(*level >= request->lines[i].units);
            *level -= request->lines[i].units;
        } else {
            *level += request->lines[i].units;
        }
    }
}

/* Takes in a reply. Returns whether it tells of a change. */
static bool
model_learn(struct model *model, const struct ask *ask, const struct request *request,
    const struct reply *reply, const unsigned char *bytes, size_t size)
{
    struct model_session *session = &model->sessions[ask->slot];
    if (request->operation == OPERATION_LOGIN) {
        assert_int_equal(reply->status, STATUS_OK);
        *session = (struct model_session){.number = reply->session, .is_open = true};
        memcpy(session->token, reply->token, TOKEN_SIZE);
        return true;
    }
    if (request->operation == OPERATION_LOGOUT) {
        assert_int_equal(reply->status, STATUS_OK);
        session->is_open = false;
        return true;
    }
    if (request->operation == OPERATION_VIEW) {
        return false;
    }
    if (request->order != session->order + 1) {
        if (request->order == session->order) {
            assert_int_equal(size, session->reply_size);
            assert_memory_equal(bytes, session->reply, size);
        } else {
            assert_int_equal(reply->status, STATUS_ORDER_GAP);
        }
        return false;
    }
    if (reply->status == STATUS_OK) {
        model_move(model, request);
    }
    session->order = request->order;
    session->last = *request;
    assert_in_range(size, 1, sizeof session->reply);
    memcpy(session->reply, bytes, size);
    session->reply_size = size;
    return true;
}

/* The engine. */

static int
fill(void *context, struct stock *stock, struct diagnostic *diagnostic)
{
    const struct broker_subject *broker = context;
    for (size_t i = 0; i < broker->item_count; i++) {
        int error = stock_add(stock, upc_first + i, "item", 4, LEVEL_FIRST);
        if (error != 0) {
            return diagnostic_set(diagnostic, error, "filling the stock: %s", error_text(error));
        }
    }
    return 0;
}

static int
broker_close(struct subject *subject, bool in_order, struct diagnostic *diagnostic)
{
    struct broker_subject *broker = (struct broker_subject *)subject;
    return engine_close(&broker->engine, in_order, diagnostic);
}

static int
broker_open(struct subject *subject, struct files *files, struct diagnostic *diagnostic)
{
    struct broker_subject *broker = (struct broker_subject *)subject;
    const struct environment environment = {
        .files = files, .random = world_random, .now_ms = world_now_ms};
    const struct engine_options options = {
        .directory = BROKER_SUBJECT_DIRECTORY,
        .segment_size = engine_segment_size_min(BATCH_MAX),
        .batch_max = BATCH_MAX,
        .limits = {.sessions_max = 16, .sessions_user_max = 8},
        .fill = fill,
        .fill_context = broker,
    };
    struct store_report report;
    world_seed = 1;
    int error = engine_open(&broker->engine, &environment, &options, &report, diagnostic);
    for (int slot = 0; error == 0 && slot < SLOTS; slot++) {
        error = ledger_permit(
            engine_ledger(broker->engine), users[slot], strcmp(users[slot], "depot") == 0);
        diagnostic_set(diagnostic, error, "giving accounts: %s", error_text(error));
    }
    if (error != 0) {
        (void)broker_close(subject, false, NULL);
    }
    return error;
}

static size_t
encode(const struct reply *reply, unsigned char *bytes)
{
    struct buffer buffer;
    buffer_init(&buffer, bytes, MESSAGE_SIZE_MAX);
    reply_encode(&buffer, reply);
    assert_false(buffer.overflow);
    return buffer.size;
}

static int
apply(struct broker_subject *broker, const struct request *requests, size_t count,
    struct diagnostic *diagnostic)
{
    for (size_t i = 0; i < count; i++) {
        broker->exchanges[i]->request = requests[i];
    }
    return engine_apply(broker->engine, broker->exchanges, count, diagnostic);
}

static bool
may_change(const struct request *request)
{
    return request->operation != OPERATION_VIEW;
}

/* Was the batch refused for want of space or memory? Views have to be served all the same. */
static bool
is_refused(const struct broker_subject *broker, const struct step *step)
{
    bool refused = false;
    for (size_t i = 0; i < step->count; i++) {
        enum status status = broker->exchanges[i]->reply.status;
        refused |=
            may_change(&step->requests[i]) && (status == STATUS_NO_SPACE || status == STATUS_BUSY);
    }
    return refused;
}

static int
broker_step(struct subject *subject, size_t number, struct diagnostic *diagnostic)
{
    struct broker_subject *broker = (struct broker_subject *)subject;
    const struct step *step = &broker->steps[number];
    static unsigned char bytes[MESSAGE_SIZE_MAX];
    world_seed = (number + 1) * 100;
    int error = apply(broker, step->requests, step->count, diagnostic);
    if (error != 0) {
        return error;
    }
    if (is_refused(broker, step)) {
        broker_subject_wait(1000);
        diagnostic_set(diagnostic, 0, "step %zu is refused", number);
        return STEP_REFUSED;
    }
    for (size_t i = 0; i < step->count; i++) {
        size_t size = encode(&broker->exchanges[i]->reply, bytes);
        if (size != step->reply_sizes[i] || memcmp(bytes, step->replies[i], size) != 0) {
            return diagnostic_set(diagnostic, STEP_WRONG,
                "step %zu, request %zu: replies %s, not what it should", number, i,
                status_word(broker->exchanges[i]->reply.status));
        }
    }
    return 0;
}

static int
broker_upkeep(struct subject *subject, size_t number, struct diagnostic *diagnostic)
{
    struct broker_subject *broker = (struct broker_subject *)subject;
    if (number % 3 == 1 || !engine_wants_upkeep(broker->engine)) {
        return 0; /* sometimes it comes late */
    }
    int error = engine_upkeep(broker->engine, diagnostic);
    return error == ERROR_NO_SPACE || error == ERROR_MEMORY ? STEP_REFUSED : error;
}

static bool
broker_is_doubtful(const struct subject *subject)
{
    (void)subject;
    return true;
}

/* Does the session answer as it should: to a view, and to its last order once more? */
static bool
session_matches(struct broker_subject *broker, const struct model *model, int slot,
    struct diagnostic *diagnostic)
{
    static unsigned char bytes[MESSAGE_SIZE_MAX];
    static struct request request;
    const struct model_session *session = &model->sessions[slot];
    if (session->number == 0) {
        return true;
    }
    request = (struct request){.operation = OPERATION_VIEW, .session = session->number};
    memcpy(request.token, session->token, TOKEN_SIZE);
    int error = apply(broker, &request, 1, diagnostic);
    enum status status = broker->exchanges[0]->reply.status;
    if (error != 0 || status != (session->is_open ? STATUS_OK : STATUS_SESSION_ENDED)) {
        diagnostic_set(diagnostic, 0, "session %" PRIu64 ": a view gives %s", session->number,
            status_word(status));
        return false;
    }
    if (!session->is_open || session->order == 0) {
        return true;
    }
    error = apply(broker, &session->last, 1, diagnostic);
    const struct reply *reply = &broker->exchanges[0]->reply;
    size_t size = encode(reply, bytes);
    if (error != 0 || size != session->reply_size || memcmp(bytes, session->reply, size) != 0) {
        diagnostic_set(diagnostic, 0,
            "session %" PRIu64 ": order %" PRIu64 " again gives %s, "
            "not the same bytes",
            session->number, session->order, status_word(reply->status));
        return false;
    }
    return true;
}

static bool
broker_matches(struct subject *subject, size_t steps, struct diagnostic *diagnostic)
{
    struct broker_subject *broker = (struct broker_subject *)subject;
    const struct model *model = &broker->models[steps];
    static struct reply stamp;
    stamp = (struct reply){.status = STATUS_OK};
    engine_stamp(broker->engine, &stamp);
    if (stamp.position != model->position) {
        diagnostic_set(diagnostic, 0, "it is at position %" PRIu64 ", not %" PRIu64, stamp.position,
            model->position);
        return false;
    }
    const struct stock *stock = &engine_ledger(broker->engine)->stock;
    for (size_t i = 0; i < broker->item_count; i++) {
        const struct item *item = stock_find(stock, upc_first + i);
        if (item == NULL || item->units != model->levels[i]) {
            diagnostic_set(diagnostic, 0, "item %zu has %" PRIu64 " units, not %" PRIu64, i,
                item == NULL ? 0 : item->units, model->levels[i]);
            return false;
        }
    }
    for (int slot = 0; slot < SLOTS; slot++) {
        if (!session_matches(broker, model, slot, diagnostic)) {
            return false;
        }
    }
    return true;
}

static void
broker_free(struct subject *subject)
{
    struct broker_subject *broker = (struct broker_subject *)subject;
    (void)broker_close(subject, false, NULL);
    for (int i = 0; i < BATCH_MAX; i++) {
        free(broker->exchanges[i]);
    }
    free(broker->steps);
    free(broker->models);
    free(broker);
}

static const struct subject_calls broker_calls = {
    .open = broker_open,
    .step = broker_step,
    .upkeep = broker_upkeep,
    .is_doubtful = broker_is_doubtful,
    .matches = broker_matches,
    .close = broker_close,
    .free = broker_free,
};

/* Does step `number` without faults, keeps what it answers, and lets the model learn it. */
static void
learn_step(struct broker_subject *broker, size_t number)
{
    struct step *step = &broker->steps[number];
    struct model *model = &broker->models[number + 1];
    struct diagnostic diagnostic = {""};
    bool changed = false;
    *model = broker->models[number];
    for (size_t i = 0; i < BATCH_MAX && script[number][i].operation != OPERATION_COUNT; i++) {
        make_request(broker, model, &script[number][i], &step->requests[i]);
        step->count++;
    }
    world_seed = (number + 1) * 100;
    if (apply(broker, step->requests, step->count, &diagnostic) != 0) {
        fail_msg("step %zu: %s", number, diagnostic.text);
    }
    for (size_t i = 0; i < step->count; i++) {
        const struct ask *ask = &script[number][i];
        const struct reply *reply = &broker->exchanges[i]->reply;
        step->reply_sizes[i] = encode(reply, step->replies[i]);
        changed |= model_learn(
            model, ask, &step->requests[i], reply, step->replies[i], step->reply_sizes[i]);
    }
    model->position += changed;
}

struct subject *
broker_subject_new(bool is_small)
{
    struct broker_subject *broker = calloc(1, sizeof *broker);
    assert_non_null(broker);
    broker->subject = (struct subject){
        &broker_calls, is_small ? "small broker" : "broker", is_small ? SMALL_STEPS : SCRIPT_STEPS};
    broker->is_small = is_small;
    broker->item_count = is_small ? ITEMS_SMALL : ITEMS_MAX;
    broker->steps = calloc(STEPS_MAX, sizeof *broker->steps);
    broker->models = calloc(STEPS_MAX + 1, sizeof *broker->models);
    assert_non_null(broker->steps);
    assert_non_null(broker->models);
    for (int i = 0; i < BATCH_MAX; i++) {
        broker->exchanges[i] = calloc(1, sizeof *broker->exchanges[i]);
        assert_non_null(broker->exchanges[i]);
    }
    for (size_t i = 0; i < broker->item_count; i++) {
        broker->models[0].levels[i] = LEVEL_FIRST;
    }
    struct fake_disk *disk = fake_disk_new();
    struct diagnostic diagnostic = {""};
    if (broker_open(&broker->subject, fake_disk_files(disk), &diagnostic) != 0) {
        fail_msg("%s", diagnostic.text);
    }
    for (size_t number = 0; number < broker->subject.step_count; number++) {
        learn_step(broker, number);
        if (!broker_matches(&broker->subject, number + 1, &diagnostic)) {
            fail_msg("behind step %zu: %s", number, diagnostic.text);
        }
    }
    (void)broker_close(&broker->subject, false, NULL);
    fake_disk_free(&disk);
    return &broker->subject;
}
