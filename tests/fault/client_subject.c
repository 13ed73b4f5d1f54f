#include "fault/client_subject.h"

#include "client/local_inventory.h"
#include "support/cmocka_headers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    USERS = 2,
    PROCESS_STEPS = 4, /* steps that one process does */
    LEARNING_STEP = 8, /* before it, each step is one record */
};

enum act {
    ACT_LOG_IN,
    ACT_PEND,
    ACT_SETTLE,
    ACT_RELEASE,
    ACT_ASIDE,
    ACT_LOG_OUT,
};

/** A step. */
struct deed {
    enum act act;
    int user;
    enum operation operation; /**< of what is pending */
    uint64_t units;
    size_t request_size;
    enum status status; /**< of the outcome */
};

struct model {
    bool is_logged_in;
    int user;
    uint64_t session;
    uint64_t order_next;
    uint64_t position;
    const struct deed *pending;
    uint64_t units[USERS];
    size_t asides;
};

static const uint64_t upc = 36000291452;
static const char *const users[USERS] = {"north", "south"};

/* Members in their order: act, user, operation, units, size of the request, status. */
#define LOG_IN(who)                                       \
    {                                                     \
        ACT_LOG_IN, who, OPERATION_COUNT, 0, 0, STATUS_OK \
    }
#define LOG_OUT                                          \
    {                                                    \
        ACT_LOG_OUT, 0, OPERATION_COUNT, 0, 0, STATUS_OK \
    }
#define PEND_BUY(count, size)                              \
    {                                                      \
        ACT_PEND, 0, OPERATION_BUY, count, size, STATUS_OK \
    }
#define PEND_STOCK(count, size)                                \
    {                                                          \
        ACT_PEND, 0, OPERATION_RESTOCK, count, size, STATUS_OK \
    }
#define SETTLE(outcome)                               \
    {                                                 \
        ACT_SETTLE, 0, OPERATION_COUNT, 0, 0, outcome \
    }
#define RELEASE(outcome)                               \
    {                                                  \
        ACT_RELEASE, 0, OPERATION_COUNT, 0, 0, outcome \
    }
#define ASIDE(outcome)                               \
    {                                                \
        ACT_ASIDE, 0, OPERATION_COUNT, 0, 0, outcome \
    }

static const struct deed deeds[] = {
    LOG_IN(0),
    PEND_BUY(3, 90),
    SETTLE(STATUS_OK),
    PEND_BUY(1000, 90),
    SETTLE(STATUS_INSUFFICIENT_STOCK),
    PEND_BUY(7, 1500),
    SETTLE(STATUS_OK),
    PEND_STOCK(7, 300),
    SETTLE(STATUS_FORBIDDEN),
    LOG_OUT,
    LOG_IN(1),
    PEND_BUY(2, 60000),
    RELEASE(STATUS_BUSY),
    PEND_BUY(2, 60000),
    SETTLE(STATUS_OK),
    PEND_STOCK(5, 500),
    SETTLE(STATUS_OK),
    PEND_BUY(9, 1024),
    ASIDE(STATUS_SESSION_ENDED),
    LOG_IN(0),
    PEND_BUY(11, 512),
    SETTLE(STATUS_ORDER_VOIDED),
    PEND_BUY(12, 90),
    SETTLE(STATUS_OK),
};

enum {
    DEEDS = sizeof deeds / sizeof *deeds
};

struct client_subject {
    struct subject subject;
    struct files *files;
    struct local_inventory *inventory;
    bool is_doubtful;
    struct model models[DEEDS + 1]; /**< behind 0, 1, 2 … steps */
};

static int
client_close(struct subject *subject, bool in_order, struct diagnostic *diagnostic)
{
    struct client_subject *client = (struct client_subject *)subject;
    (void)in_order; /* it is the same for a client */
    return local_inventory_close(&client->inventory, diagnostic);
}

static int
client_open(struct subject *subject, struct files *files, struct diagnostic *diagnostic)
{
    struct client_subject *client = (struct client_subject *)subject;
    static const uint8_t history[HISTORY_SIZE] = {1, 2, 3};
    client->files = files;
    client->is_doubtful = false;
    int error = local_inventory_open(
        &client->inventory, files, CLIENT_SUBJECT_DIRECTORY, history, diagnostic);
    if (error == 0) {
        error = local_inventory_secure(client->inventory, diagnostic);
        if (error != 0) {
            (void)client_close(subject, false, NULL);
        }
    }
    return error;
}

static struct reply
reply_to(size_t number, enum status status)
{
    struct reply reply = {.status = status, .history = {9}, .position = number + 1};
    reply.session = number + 1;
    memset(reply.token, (int)number, sizeof reply.token);
    return reply;
}

static void
make_bytes(unsigned char *bytes, size_t size, size_t number)
{
    struct random_stream stream = {number};
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)random_next(&stream);
    }
}

static int
client_step(struct subject *subject, size_t number, struct diagnostic *diagnostic)
{
    struct client_subject *client = (struct client_subject *)subject;
    const struct deed *deed = &deeds[number];
    static unsigned char bytes[MESSAGE_SIZE_MAX];
    static struct order order;
    struct reply reply = reply_to(number, deed->status);
    int error = 0;
    make_bytes(bytes, sizeof bytes, number);
    switch (deed->act) {
    case ACT_LOG_IN:
        error = local_inventory_log_in(client->inventory, users[deed->user], &reply, diagnostic);
        break;
    case ACT_PEND:
        order = (struct order){.operation = deed->operation, .line_count = 1};
        order.lines[0] = (struct line){.upc = upc, .units = deed->units};
        error =
            local_inventory_pend(client->inventory, &order, bytes, deed->request_size, diagnostic);
        break;
    case ACT_SETTLE:
        error = local_inventory_settle(client->inventory, &reply, bytes, 100, diagnostic);
        break;
    case ACT_RELEASE:
        error = local_inventory_release(client->inventory, deed->status, diagnostic);
        break;
    case ACT_ASIDE:
        error = local_inventory_set_aside(client->inventory, deed->status, diagnostic);
        break;
    case ACT_LOG_OUT:
        error = local_inventory_log_out(client->inventory, diagnostic);
        break;
    }
    client->is_doubtful = error != 0 && local_inventory_is_doubtful(client->inventory);
    return error;
}

static int
client_upkeep(struct subject *subject, size_t number, struct diagnostic *diagnostic)
{
    struct client_subject *client = (struct client_subject *)subject;
    if (number >= LEARNING_STEP) {
        local_inventory_learn(client->inventory, upc, "something to buy");
    }
    if (number % PROCESS_STEPS != PROCESS_STEPS - 1) {
        return 0;
    }
    int error = client_close(subject, true, diagnostic);
    return error != 0 ? error : client_open(subject, client->files, diagnostic);
}

static bool
client_is_doubtful(const struct subject *subject)
{
    return ((const struct client_subject *)subject)->is_doubtful;
}

static uint64_t
units_of(const struct local_state *state, const char *user)
{
    const struct holder *holder = local_state_find_holder(state, user);
    return holder == NULL || holder->count != 1 ? 0 : holder->lines[0].units;
}

static bool
pending_matches(const struct local_state *state, const struct model *model)
{
    static unsigned char bytes[MESSAGE_SIZE_MAX];
    const struct pending *pending = &state->pending;
    if (!pending->exists || model->pending == NULL) {
        return pending->exists == (model->pending != NULL);
    }
    make_bytes(bytes, sizeof bytes, (size_t)(model->pending - deeds));
    return pending->order.operation == model->pending->operation &&
           pending->order.number == model->order_next &&
           pending->order.lines[0].units == model->pending->units &&
           pending->request_size == model->pending->request_size &&
           memcmp(pending->request, bytes, pending->request_size) == 0;
}

static bool
client_matches(struct subject *subject, size_t steps, struct diagnostic *diagnostic)
{
    const struct client_subject *client = (struct client_subject *)subject;
    const struct model *model = &client->models[steps];
    const struct local_state *state = local_inventory_state(client->inventory);
    const char *wrong = NULL;
    if (state->is_logged_in != model->is_logged_in) {
        wrong = "whether somebody is logged in";
    } else if (model->is_logged_in &&
               (strcmp(state->user, users[model->user]) != 0 || state->session != model->session ||
                   state->order_next != model->order_next ||
                   state->token[0] != (uint8_t)(model->session - 1))) {
        wrong = "the session";
    } else if (!pending_matches(state, model)) {
        wrong = "the pending order";
    } else if (units_of(state, users[0]) != model->units[0] ||
               units_of(state, users[1]) != model->units[1]) {
        wrong = "the items";
    } else if (state->aside_count != model->asides) {
        wrong = "what was set aside";
    } else if (state->position != model->position) {
        wrong = "the position of the broker";
    }
    if (wrong != NULL) {
        diagnostic_set(diagnostic, 0, "%s is not what it was", wrong);
    }
    return wrong == NULL;
}

static void
client_free(struct subject *subject)
{
    (void)client_close(subject, false, NULL);
    free(subject);
}

static const struct subject_calls client_calls = {
    .open = client_open,
    .step = client_step,
    .upkeep = client_upkeep,
    .is_doubtful = client_is_doubtful,
    .matches = client_matches,
    .close = client_close,
    .free = client_free,
};

static void
model_learn(struct model *model, size_t number)
{
    const struct deed *deed = &deeds[number];
    switch (deed->act) {
    case ACT_LOG_IN:
        model->is_logged_in = true;
        model->user = deed->user;
        model->session = number + 1;
        model->order_next = 1;
        model->position = number + 1;
        break;
    case ACT_PEND:
        model->pending = deed;
        break;
    case ACT_SETTLE:
        if (deed->status == STATUS_OK && model->pending->operation == OPERATION_BUY) {
            model->units[model->user] += model->pending->units;
        }
        model->pending = NULL;
        model->order_next++;
        model->position = number + 1;
        break;
    case ACT_RELEASE:
        model->pending = NULL;
        break;
    case ACT_ASIDE:
        model->pending = NULL;
        model->is_logged_in = false;
        model->asides++;
        break;
    case ACT_LOG_OUT:
        model->is_logged_in = false;
        break;
    }
}

struct subject *
client_subject_new(void)
{
    struct client_subject *client = calloc(1, sizeof *client);
    assert_non_null(client);
    client->subject = (struct subject){&client_calls, "client", DEEDS};
    for (size_t number = 0; number < DEEDS; number++) {
        client->models[number + 1] = client->models[number];
        model_learn(&client->models[number + 1], number);
    }
    return &client->subject;
}
