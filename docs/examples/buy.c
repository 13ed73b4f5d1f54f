/* Buys one pack of tissues. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <stockbus.h>

int
main(void)
{
    struct stockbus_config config = STOCKBUS_CONFIG_INIT;
    struct stockbus_line line = {.upc = 36000291452, .units = 1};
    const struct stockbus_item *items;
    struct stockbus *client;
    size_t count;

    config.endpoint = getenv("STOCK_ENDPOINT");
    config.state = "buy-state";
    int result = stockbus_open(&client, &config);
    if (result == STOCKBUS_DONE && stockbus_user(client) == NULL) {
        result = stockbus_login(client, "north", "apple");
    }
    if (result == STOCKBUS_DONE) {
        result = stockbus_buy(client, &line, 1);
    }
    if (result == STOCKBUS_DONE) {
        result = stockbus_local(client, NULL, &items, &count);
    }
    for (size_t i = 0; result == STOCKBUS_DONE && i < count; i++) {
        const char *name = items[i].name != NULL ? items[i].name : "?";
        printf("%" PRIu64 " of %s\n", items[i].units, name);
    }
    if (result != STOCKBUS_DONE) {
        fprintf(stderr, "%s\n", stockbus_message(client));
    }
    stockbus_close(&client);
    return result;
}
