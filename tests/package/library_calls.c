/*
 * Calls libstockbus as it is told on standard input, one call a line, and answers each with one
 * line:
 *
 *     RESULT ERROR ORDER BEFORE USER [UPC=UNITS(NAME)...] | MESSAGE [! WARNING]
 *
 * where ORDER and BEFORE are NUMBER:made:LINES, NUMBER:ERROR:LINES, or NUMBER:ERROR?:LINES where it
 * is unknown whether it was made, with a + before the lines of a restock; a * behind USER says that
 * an order is pending; and - stands for what is not there.
 */
#include "client/stockbus.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORDS_MAX = 2100
};

static char *words[WORDS_MAX];
static size_t word_count;

static void
put_order(const struct stockbus_order *order)
{
    if (order == NULL) {
        printf("- ");
    } else {
        printf("%" PRIu64 ":%s%s:%s%zu ", order->number,
            order->ending == STOCKBUS_MADE ? "made" : order->error,
            order->ending == STOCKBUS_UNKNOWN ? "?" : "", order->is_restock ? "+" : "",
            order->line_count);
    }
}

static int
order(struct stockbus *client)
{
    static struct stockbus_line lines[WORDS_MAX / 2];
    size_t count = (word_count - 1) / 2;
    for (size_t i = 0; i < count; i++) {
        lines[i].upc = strtoull(words[1 + 2 * i], NULL, 10);
        lines[i].units = strtoull(words[2 + 2 * i], NULL, 10);
    }
    return strcmp(words[0], "buy") == 0 ? stockbus_buy(client, lines, count)
                                        : stockbus_restock(client, lines, count);
}

static int
view(struct stockbus *client, const struct stockbus_item **items, size_t *count)
{
    static uint64_t upcs[WORDS_MAX];
    for (size_t i = 1; i < word_count; i++) {
        upcs[i - 1] = strtoull(words[i], NULL, 10);
    }
    return stockbus_inventory(client, upcs, word_count - 1, items, count);
}

static int
open_encrypted(struct stockbus **client)
{
    struct stockbus_config config = STOCKBUS_CONFIG_INIT;
    stockbus_close(client);
    config.endpoint = words[1];
    config.state = words[2];
    config.broker_key = words[3];
    config.secret_key = word_count > 4 ? words[4] : NULL;
    return stockbus_open(client, &config);
}

/*
 * open ENDPOINT STATE TIMEOUT [SIZE [TAIL]]: as a program does whose configuration has that size,
 * and TAIL in its last byte.
 */
static int
open_client(struct stockbus **client)
{
    union {
        struct stockbus_config config;
        unsigned char bytes[2 * sizeof(struct stockbus_config)];
    } given = {.bytes = {0}};
    given.config = (struct stockbus_config)STOCKBUS_CONFIG_INIT;
    stockbus_close(client);
    given.config.endpoint = words[1];
    given.config.state = strcmp(words[2], "none") == 0 ? NULL : words[2];
    given.config.timeout_ms = strtol(words[3], NULL, 10);
    if (word_count > 4) {
        given.config.size = strtoul(words[4], NULL, 10);
    }
    if (word_count > 5) {
        given.bytes[given.config.size - 1] = (unsigned char)strtoul(words[5], NULL, 10);
    }
    return stockbus_open(client, &given.config);
}

static int
call(struct stockbus **client, const struct stockbus_item **items, size_t *count)
{
    const char *name = words[0];
    if (strcmp(name, "open") == 0) {
        return open_client(client);
    }
    if (strcmp(name, "encrypt") == 0) {
        return open_encrypted(client);
    }
    if (strcmp(name, "login") == 0) {
        return stockbus_login(*client, words[1], words[2]);
    }
    if (strcmp(name, "logout") == 0) {
        return stockbus_logout(*client);
    }
    if (strcmp(name, "inventory") == 0) {
        return view(*client, items, count);
    }
    if (strcmp(name, "local") == 0) {
        return stockbus_local(*client, word_count > 1 ? words[1] : NULL, items, count);
    }
    if (strcmp(name, "resolve") == 0) {
        return stockbus_resolve(*client, (enum stockbus_doubt)strtol(words[1], NULL, 10));
    }
    return order(*client);
}

int
main(void)
{
    static char line[32 * WORDS_MAX];
    struct stockbus *client = NULL;
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin) != NULL) {
        const struct stockbus_item *items = NULL;
        size_t count = 0;
        word_count = 0;
        char *rest = line;
        for (char *word; (word = strtok_r(rest, " \n", &rest)) != NULL;) {
            words[word_count++] = word;
        }
        int result = call(&client, &items, &count);
        const char *error = stockbus_error(client);
        const char *user = stockbus_user(client);
        printf("%d %s ", result, error != NULL ? error : "-");
        put_order(stockbus_order(client));
        put_order(stockbus_order_before(client));
        printf("%s%s ", user != NULL ? user : "-", stockbus_is_pending(client) ? "*" : "");
        for (size_t i = 0; i < count; i++) {
            printf("%" PRIu64 "=%" PRIu64 "(%s) ", items[i].upc, items[i].units,
                items[i].name != NULL ? items[i].name : "-");
        }
        const char *warning = stockbus_warning(client);
        printf("| %s%s%s\n", stockbus_message(client), warning[0] != '\0' ? "! " : "", warning);
    }
    stockbus_close(&client);
    return 0;
}
