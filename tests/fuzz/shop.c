#include "fuzz/shop.h"

#include <string.h>

int
shop_fill(void *context, struct stock *stock, struct diagnostic *diagnostic)
{
    static const struct item items[] = {
        {36000291452, 100, "Facial tissues, 160 sheets"},
        {46700000018, 30, "緑茶 green tea, 100 g"},
        {49000006346, 1000000000, "Cola, 330 ml can"},
        {68274000010, LEVEL_MAX, "AA batteries, pack of 4"},
        {98000000014, 0, "Crème brûlée mix, 200 g"},
    };
    (void)context;
    (void)diagnostic;
    int error = 0;
    for (size_t i = 0; error == 0 && i < sizeof items / sizeof items[0]; i++) {
        const struct item *item = &items[i];
        error = stock_add(stock, item->upc, item->name, strlen(item->name), item->units);
    }
    return error;
}
