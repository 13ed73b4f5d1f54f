/* A replay that lets the numbers of orders skip. */
#include "broker/ledger.h"

int
__real_ledger_apply(struct ledger *ledger, const struct event *event, uint64_t position,
    struct diagnostic *diagnostic);

int
__wrap_ledger_apply(struct ledger *ledger, const struct event *event, uint64_t position,
    struct diagnostic *diagnostic);

int
__wrap_ledger_apply(struct ledger *ledger, const struct event *event, uint64_t position,
    struct diagnostic *diagnostic)
{
    struct session *session = sessions_find(&ledger->sessions, event->session);
    if (session != NULL && event->kind != EVENT_LOGIN && event->kind != EVENT_LOGOUT &&
        event->order > session->last.order) {
        session->last.order = event->order - 1;
    }
    return __real_ledger_apply(ledger, event, position, diagnostic);
}
