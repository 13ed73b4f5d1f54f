#include "shared/upc.h"

#include "shared/limits.h"

#include <assert.h>
#include <string.h>

void
upc_format(uint64_t upc, char text[UPC_TEXT_SIZE])
{
    assert(upc <= UPC_MAX);
    for (int i = UPC_TEXT_SIZE - 2; i >= 0; i--) {
        text[i] = (char)('0' + upc % 10);
        upc /= 10;
    }
    text[UPC_TEXT_SIZE - 1] = '\0';
}

bool
upc_parse(const char *text, uint64_t *upc)
{
    if (strlen(text) != UPC_TEXT_SIZE - 1 || strspn(text, "0123456789") != UPC_TEXT_SIZE - 1) {
        return false;
    }
    uint64_t value = 0;
    for (int i = 0; i < UPC_TEXT_SIZE - 1; i++) {
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *upc = value;
    return true;
}

bool
upc_is_valid(uint64_t upc)
{
    uint64_t sum = 0;
    uint64_t weight = 1;
    for (uint64_t rest = upc; rest > 0; rest /= 10) {
        sum += rest % 10 * weight;
        weight = 4 - weight;
    }
    return upc <= UPC_MAX && sum % 10 == 0;
}
