/*
 * The broker's decoder of requests. For any bytes of at most MESSAGE_SIZE_MAX:
 *
 * - it allocates at most 1 MiB;
 * - a refusal has a status that refuses, and a message that a reply can carry;
 * - what is accepted is within the limits, and packs to the same members in their shortest form;
 * - and that, decoded again with the same memory, packs to the same bytes.
 */
#include "fuzz/meter.h"
#include "fuzz/normal.h"
#include "fuzz/target.h"

#include "shared/protocol.h"
#include "shared/text.h"

#include <string.h>

enum {
    ALLOCATED_MAX = 1024 * 1024
};

static const char *const keys[] = {
    "v", "op", "session", "token", "order", "lines", "nonce", "user", "password", "items", "after"};

static void
check_refusal(enum status status, const char *message)
{
    REQUIRE(status == STATUS_BAD_REQUEST || status == STATUS_WRONG_VERSION ||
            status == STATUS_TOO_LARGE);
    size_t size = strnlen(message, MESSAGE_TEXT_SIZE);
    REQUIRE(size >= 1 && size < MESSAGE_TEXT_SIZE);
    REQUIRE(text_is_printable(message, size));
}

static void
check_lines(const struct request *request)
{
    bool is_view = request->operation == OPERATION_VIEW;
    REQUIRE(request->line_count <= (is_view ? PAGE_ITEMS_MAX : ORDER_LINES_MAX));
    for (size_t i = 0; i < request->line_count; i++) {
        const struct line *line = &request->lines[i];
        REQUIRE(line->upc <= UPC_MAX);
        REQUIRE(is_view || (line->units >= 1 && line->units <= UNITS_MAX));
    }
}

static void
check_limits(const struct request *request)
{
    enum operation operation = request->operation;
    bool is_order = operation == OPERATION_BUY || operation == OPERATION_RESTOCK;
    bool is_login = operation == OPERATION_LOGIN;
    REQUIRE(operation < OPERATION_COUNT);
    REQUIRE(request->session <= NUMBER_MAX && request->order <= NUMBER_MAX);
    REQUIRE((request->session != 0) == (operation != OPERATION_PING && !is_login));
    REQUIRE((request->order != 0) == (is_order || operation == OPERATION_VOID));
    REQUIRE(!is_order || request->line_count >= 1);
    REQUIRE(request->line_count == 0 || is_order || operation == OPERATION_VIEW);
    REQUIRE(request->after <= UPC_MAX);
    size_t user_size = strnlen(request->user, sizeof request->user);
    size_t password_size = strnlen(request->password, sizeof request->password);
    REQUIRE(user_size <= USER_SIZE_MAX && (user_size != 0) == is_login);
    REQUIRE(password_size <= PASSWORD_SIZE_MAX && (password_size != 0) == is_login);
    check_lines(request);
}

/* Packs the request, and sees that it is what came, and that it means the same. */
static void
check_packed(struct unpacked *unpacked, struct request *request, size_t size)
{
    static unsigned char packed[MESSAGE_SIZE_MAX];
    static unsigned char expected[MESSAGE_SIZE_MAX];
    struct buffer buffer;
    struct buffer normal;
    char message[MESSAGE_TEXT_SIZE];

    buffer_init(&buffer, packed, sizeof packed);
    request_encode(&buffer, request);
    REQUIRE(!buffer.overflow && buffer.size <= size);
    buffer_init(&normal, expected, sizeof expected);
    normal_pack_map(&normal, &unpacked->object, keys, sizeof keys / sizeof keys[0]);
    REQUIRE(normal.size == buffer.size && memcmp(expected, packed, buffer.size) == 0);

    REQUIRE(request_decode(unpacked, expected, normal.size, request, message) == STATUS_OK);
    buffer_init(&buffer, packed, sizeof packed);
    request_encode(&buffer, request);
    REQUIRE(buffer.size == normal.size && memcmp(expected, packed, buffer.size) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct request request;
    char message[MESSAGE_TEXT_SIZE];
    struct unpacked unpacked;
    if (size > MESSAGE_SIZE_MAX) {
        return 0;
    }
    meter_start();
    int error = unpacked_init(&unpacked);
    enum status status =
        error == 0 ? request_decode(&unpacked, data, size, &request, message) : STATUS_BUSY;
    REQUIRE(meter_stop() <= ALLOCATED_MAX);
    if (status == STATUS_OK) {
        check_limits(&request);
        check_packed(&unpacked, &request, size);
    } else {
        check_refusal(status, message);
    }
    unpacked_fini(&unpacked);
    return 0;
}
