/* Names that are not looked at: control characters get through. */
#include "shared/pack.h"
#include "shared/text.h"

bool
__wrap_text_is_printable(const char *text, size_t size);

bool
__wrap_text_is_printable(const char *text, size_t size)
{
    (void)text;
    return size > 0;
}
