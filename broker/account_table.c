#include "broker/account_table.h"

#include "broker/lines.h"
#include "shared/array.h"
#include "shared/pack.h"
#include "shared/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
has_role(const char *roles, const char *role)
{
    size_t size = strlen(role);
    for (const char *at = roles; *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (length == size && memcmp(at, role, size) == 0) {
            return true;
        }
        at += length + (at[length] == ',');
    }
    return false;
}

/* Are all roles known, and is "buy" among them? Nobody is kept from buying, so it may not lack. */
static bool
roles_are_valid(const char *roles)
{
    for (const char *at = roles; *at != '\0';) {
        size_t length = strcspn(at, ",");
        char role[16];
        snprintf(role, sizeof role, "%.*s", (int)length, at);
        if (length >= sizeof role || (strcmp(role, "buy") != 0 && strcmp(role, "restock") != 0 &&
                                         strcmp(role, "demo") != 0)) {
            return false;
        }
        at += length + (at[length] == ',');
    }
    return has_role(roles, "buy");
}

static int
add_account(struct account_table *table, const struct account *account)
{
    struct account *rows = array_grow(table->rows, table->count, &table->count_max, sizeof *rows);
    if (rows == NULL) {
        return ERROR_MEMORY;
    }
    table->rows = rows;
    table->rows[table->count++] = *account;
    return 0;
}

const struct account *
account_table_find(const struct account_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->rows[i].name, name) == 0) {
            return &table->rows[i];
        }
    }
    return NULL;
}

static int
take_line(void *context, char *line, long number, struct diagnostic *diagnostic)
{
    struct account_table *table = context;
    struct account account = {.may_restock = false};
    char *rest = line;
    const char *name = lines_word(&rest);
    const char *roles = lines_word(&rest);
    (void)number;
    if (strlen(name) > USER_SIZE_MAX || !text_is_printable(name, strlen(name))) {
        return diagnostic_set(
            diagnostic, ERROR_INVALID, "a user name has 1 to 32 bytes of printable UTF-8");
    }
    if (!roles_are_valid(roles)) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "user '%s': '%.40s' are not roles out of buy, restock, demo, with buy among them", name,
            roles);
    }
    if (strncmp(rest, "$argon2id$", 10) != 0 || strpbrk(rest, " \t") != NULL) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "user '%s': an argon2id hash is expected (make one with stockd --hash-password)", name);
    }
    if (passhash_parse(rest, &account.hash) != 0) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "user '%s': no password can match this hash (make one with stockd --hash-password)",
            name);
    }
    if (account_table_find(table, name) != NULL) {
        return diagnostic_set(diagnostic, ERROR_INVALID, "user '%s' stands twice", name);
    }
    snprintf(account.name, sizeof account.name, "%s", name);
    account.may_restock = has_role(roles, "restock");
    account.is_demo = has_role(roles, "demo");
    table->demo_count += account.is_demo ? 1 : 0;
    int error = add_account(table, &account);
    return error == 0 ? 0 : diagnostic_set(diagnostic, error, "%s", error_text(error));
}

/* Not before all are read: a name that stands twice is told wherever the broker serves. */
static void
leave_out_demo(struct account_table *table)
{
    size_t kept = 0;
    for (size_t i = 0; i < table->count; i++) {
        if (!table->rows[i].is_demo) {
            table->rows[kept++] = table->rows[i];
        }
    }
    table->count = kept;
    table->demo_count = 0;
}

/* How long a check takes, in no unit. A double: the product of what a hash may say is too large. */
static double
cost_of(const struct account *account)
{
    return (double)account->hash.rounds * (double)account->hash.memory;
}

static void
find_dearest(struct account_table *table)
{
    for (size_t i = 1; i < table->count; i++) {
        const struct passhash *hash = &table->rows[i].hash;
        const struct passhash *first = &table->rows[0].hash;
        table->is_uneven |= hash->rounds != first->rounds || hash->memory != first->memory;
        if (cost_of(&table->rows[i]) > cost_of(&table->rows[table->dearest])) {
            table->dearest = i;
        }
    }
}

void
account_table_free(struct account_table *table)
{
    free(table->rows);
    *table = (struct account_table){.demo = table->demo};
}

int
account_table_read(
    struct account_table *table, const char *path, bool demo, struct diagnostic *diagnostic)
{
    struct account_table fresh = {.demo = demo};
    int error = lines_read(path, take_line, &fresh, diagnostic);
    if (!demo) {
        leave_out_demo(&fresh);
    }
    if (error == 0 && fresh.count == 0) {
        error = diagnostic_set(diagnostic, ERROR_INVALID, "%s: holds no account%s", path,
            demo ? "" : " that may log in beyond loopback");
    }
    if (error != 0) {
        account_table_free(&fresh);
        return error;
    }
    find_dearest(&fresh);
    *table = fresh;
    return 0;
}
