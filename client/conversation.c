#include "client/conversation.h"

#include "client/clock.h"
#include "client/interrupt.h"

#include <sodium.h>
#include <stdio.h>

enum {
    ATTEMPT_FIRST_MS = 1000, /* how long the first copy of a request is waited for */
    ATTEMPT_LEAST_MS = 50,
    ATTEMPTS_AIM = 5, /* shorter where the timeout would allow fewer attempts than this */
    MAY_GIVE_UP_MS = 500,
    BUSY_TOLD_MS = 1000, /* a busy broker's shorter waits are not worth a word */
    REASON_SIZE = 700
};

static int64_t
smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Takes up to a quarter off, so that clients that lost the same broker do not return as one. */
static int64_t
jitter(int64_t wait_ms)
{
    return wait_ms - (int64_t)randombytes_uniform((uint32_t)(wait_ms / 4 + 1));
}

static int64_t
first_wait_ms(int64_t timeout_ms)
{
    int64_t wait_ms = smaller(ATTEMPT_FIRST_MS, timeout_ms / ATTEMPTS_AIM);
    return wait_ms < ATTEMPT_LEAST_MS ? ATTEMPT_LEAST_MS : wait_ms;
}

/* Sends the request once. Returns 0 with the reply, or why there is none. */
static int
attempt(const struct conversation *conversation, int64_t wait_ms, const void **reply, size_t *size)
{
    const void *request;
    size_t request_size;
    int64_t end_ms = clock_now_ms() + wait_ms;
    shopper_request(conversation->shopper, &request, &request_size);
    int error = link_send(conversation->link, request, request_size);
    if (error == 0) {
        error = link_receive(conversation->link, wait_ms, interrupt_fd(), reply, size);
    }
    if (error == 0) {
        return 0;
    }
    link_reset(conversation->link);
    int64_t left_ms = end_ms - clock_now_ms();
    if (error != ERROR_TIMEOUT && error != ERROR_INTERRUPTED && left_ms > 0) {
        return interrupt_wait(left_ms) == 0 ? error : ERROR_INTERRUPTED;
    }
    return error;
}

static enum shopper_step
give_up(const struct conversation *conversation, int error, int64_t waited_ms)
{
    char reason[REASON_SIZE];
    const char *endpoint = link_endpoint(conversation->link);
    if (error == ERROR_INTERRUPTED) {
        (void)interrupt_take();
        snprintf(reason, sizeof reason, "the wait for %s was given up", endpoint);
    } else {
        snprintf(reason, sizeof reason, "no answer from %s in %.1f seconds%s", endpoint,
            (double)waited_ms / 1000,
            link_is_encrypted(conversation->link) ? " (is it running at that address, does it "
                                                    "encrypt, is this client's key in its folder, "
                                                    "and --broker-key its own?)"
                                                  : "");
    }
    return shopper_give_up(conversation->shopper, reason);
}

/* Tells once what is being waited for, and why for so long. */
static void
tell_wait(const struct conversation *conversation, const char *why, bool *noticed)
{
    char awaited[REASON_SIZE / 4];
    char text[REASON_SIZE];
    if (*noticed || conversation->notice == NULL) {
        return;
    }
    shopper_describe_wait(conversation->shopper, awaited, sizeof awaited);
    snprintf(text, sizeof text, "%s %s; waiting for %s… (Ctrl-C ends the wait, never an order)",
        link_endpoint(conversation->link), why, awaited);
    conversation->notice(conversation->context, text);
    *noticed = true;
}

static void
note_away(const struct conversation *conversation, bool is_away)
{
    if (conversation->is_away != NULL) {
        *conversation->is_away = is_away;
    }
}

/* Sends the request until there is a reply, and hands that to the shopper. */
static enum shopper_step
exchange(const struct conversation *conversation, bool *noticed)
{
    const void *reply;
    size_t size;
    bool optional = shopper_may_give_up(conversation->shopper);
    int64_t timeout_ms =
        optional ? smaller(conversation->timeout_ms, MAY_GIVE_UP_MS) : conversation->timeout_ms;
    int64_t begin_ms = clock_now_ms();
    int64_t wait_ms = optional ? timeout_ms : first_wait_ms(timeout_ms);
    for (;;) {
        int64_t left_ms = timeout_ms - (clock_now_ms() - begin_ms);
        int64_t attempt_ms = smaller(jitter(wait_ms), left_ms > 0 ? left_ms : 1);
        int error = attempt(conversation, attempt_ms, &reply, &size);
        note_away(conversation, error != 0);
        if (error == 0) {
            return shopper_receive(conversation->shopper, reply, size);
        }
        int64_t waited_ms = clock_now_ms() - begin_ms;
        if (optional || error == ERROR_INTERRUPTED || waited_ms >= timeout_ms) {
            return give_up(conversation, error, waited_ms);
        }
        tell_wait(conversation, "has not answered yet", noticed);
        wait_ms *= 2;
    }
}

/* Waits as long as a busy broker asked for. */
static enum shopper_step
wait_while_busy(const struct conversation *conversation, int64_t end_ms, bool *noticed)
{
    int64_t wait_ms = jitter(shopper_wait_ms(conversation->shopper));
    if (clock_now_ms() + wait_ms > end_ms) {
        char reason[REASON_SIZE];
        snprintf(reason, sizeof reason, "%s is too busy", link_endpoint(conversation->link));
        return shopper_give_up(conversation->shopper, reason);
    }
    if (wait_ms >= BUSY_TOLD_MS) {
        tell_wait(conversation, "is busy", noticed);
    }
    if (interrupt_wait(wait_ms) != 0) {
        return give_up(conversation, ERROR_INTERRUPTED, 0);
    }
    return SHOPPER_SEND;
}

enum outcome
conversation_run(const struct conversation *conversation, enum shopper_step step)
{
    bool noticed = false;
    int64_t busy_end_ms = clock_now_ms() + conversation->timeout_ms * BUSY_TIMEOUT_FACTOR;
    while (step != SHOPPER_END) {
        step = step == SHOPPER_SEND ? exchange(conversation, &noticed)
                                    : wait_while_busy(conversation, busy_end_ms, &noticed);
    }
    if (conversation->link != NULL && shopper_is_login(conversation->shopper)) {
        link_reset(
            conversation->link); /* libzmq keeps what was sent in buffers of the connection */
    }
    return shopper_result(conversation->shopper)->outcome;
}
