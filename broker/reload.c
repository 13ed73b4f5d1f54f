#include "broker/reload.h"

#include "broker/log.h"
#include "broker/service.h"

struct permission {
    struct ledger *ledger;
    int error;
};

static void
permit(void *context, const char *name, bool may_restock)
{
    struct permission *permission = context;
    if (permission->error == 0) {
        permission->error = ledger_permit(permission->ledger, name, may_restock);
    }
}

int
reload_permit(struct engine *engine, struct accounts *accounts)
{
    struct permission permission = {.ledger = engine_ledger(engine)};
    ledger_forbid_all(permission.ledger);
    accounts_each(accounts, permit, &permission);
    return permission.error;
}

static void
warn_of_key(void *context, const char *sentence)
{
    (void)context;
    log_line(LEVEL_WARNING, "%s; it lets nobody in", sentence);
}

static void
read_keys(struct keys *keys)
{
    struct diagnostic diagnostic = {""};
    if (keys_reload(keys, warn_of_key, NULL, &diagnostic) != 0) {
        log_line(LEVEL_WARNING, "%s; the keys stay as they were, also those that were taken off",
            diagnostic.text);
    } else {
        log_line(
            LEVEL_NOTICE, "read the keys again; those that may connect: %zu", keys_count(keys));
    }
}

static void
read_accounts(struct engine *engine, struct accounts *accounts)
{
    struct diagnostic diagnostic = {""};
    if (accounts_reload(accounts, &diagnostic) != 0) {
        log_line(LEVEL_WARNING,
            "%s; the accounts stay as they were, also those that were taken off", diagnostic.text);
    } else if (reload_permit(engine, accounts) != 0) {
        log_line(LEVEL_ERROR, "out of memory: some accounts are shut out until the next reload");
    } else {
        log_line(LEVEL_NOTICE, "read the accounts again");
        if (accounts_are_uneven(accounts)) {
            log_line(LEVEL_WARNING, ACCOUNTS_UNEVEN_TEXT);
        }
    }
}

void
reload(struct engine *engine, struct accounts *accounts, struct keys *keys)
{
    service_reloading();
    read_accounts(engine, accounts);
    if (keys != NULL) {
        read_keys(keys);
    }
    service_reloaded();
}
