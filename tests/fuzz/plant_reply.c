/* A status of which only the first and the last letter are looked at. */
#include "shared/protocol.h"

#include <string.h>

bool
__real_status_parse(const msgpack_object *word, enum status *status);

bool
__wrap_status_parse(const msgpack_object *word, enum status *status);

bool
__wrap_status_parse(const msgpack_object *word, enum status *status)
{
    for (int i = 0; i < STATUS_COUNT && word->type == MSGPACK_OBJECT_STR; i++) {
        const char *known = status_word((enum status)i);
        uint32_t size = word->via.str.size;
        if (size == strlen(known) && word->via.str.ptr[0] == known[0] &&
            word->via.str.ptr[size - 1] == known[size - 1]) {
            *status = (enum status)i;
            return true;
        }
    }
    return false;
}
