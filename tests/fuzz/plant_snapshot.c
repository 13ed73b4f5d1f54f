/* An item whose UPC is out of order is passed over. */
#include "broker/stock.h"
#include "shared/error.h"

int
__real_stock_add(
    struct stock *stock, uint64_t upc, const char *name, size_t name_size, uint64_t units);

int
__wrap_stock_add(
    struct stock *stock, uint64_t upc, const char *name, size_t name_size, uint64_t units);

int
__wrap_stock_add(
    struct stock *stock, uint64_t upc, const char *name, size_t name_size, uint64_t units)
{
    int error = __real_stock_add(stock, upc, name, name_size, units);
    return error == ERROR_INVALID ? 0 : error;
}
