/** cmocka_headers.h: cmocka, with the headers that it wants before its own. */
#ifndef STOCKBUS_TESTS_CMOCKA_HEADERS_H
#define STOCKBUS_TESTS_CMOCKA_HEADERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
