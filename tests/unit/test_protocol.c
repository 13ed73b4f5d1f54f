#include "support/cmocka_headers.h"

#include <stdlib.h>
#include <string.h>

#include "shared/protocol.h"

static struct unpacked unpacked;
static char message[MESSAGE_TEXT_SIZE];

static enum status
decode(const void *data, size_t size, struct request *request)
{
    return request_decode(&unpacked, data, size, request, message);
}

/* A request of every operation, with every member it may have. */
static void
fill(struct request *request, enum operation operation)
{
    memset(request, 0, sizeof *request);
    request->operation = operation;
    if (operation == OPERATION_LOGIN) {
        memset(request->nonce, 7, sizeof request->nonce);
        snprintf(request->user, sizeof request->user, "north");
        snprintf(request->password, sizeof request->password, "\xc3\xa4pfel");
    } else if (operation != OPERATION_PING) {
        request->session = NUMBER_MAX;
        memset(request->token, 9, sizeof request->token);
    }
    if (operation == OPERATION_BUY || operation == OPERATION_RESTOCK ||
        operation == OPERATION_VOID) {
        request->order = 3;
    }
    if (operation == OPERATION_BUY || operation == OPERATION_RESTOCK) {
        request->line_count = ORDER_LINES_MAX;
        for (size_t i = 0; i < ORDER_LINES_MAX; i++) {
            request->lines[i] = (struct line){UPC_MAX - i, UNITS_MAX - i};
        }
    }
    if (operation == OPERATION_VIEW) {
        request->continues = true;
        request->after = 36000291452;
    }
}

static void
a_request_decodes_to_what_was_encoded(void **state)
{
    (void)state;
    static struct request request;
    static struct request back;
    static unsigned char bytes[MESSAGE_SIZE_MAX];
    for (int operation = 0; operation < OPERATION_COUNT; operation++) {
        struct buffer buffer;
        fill(&request, (enum operation)operation);
        memset(&back, 0, sizeof back);
        buffer_init(&buffer, bytes, sizeof bytes);
        request_encode(&buffer, &request);
        assert_false(buffer.overflow);
        assert_int_equal(decode(bytes, buffer.size, &back), STATUS_OK);
        assert_memory_equal(&back, &request, sizeof request);
        /* No prefix of it is a request, and nothing may follow it. */
        for (size_t size = 0; size < buffer.size; size++) {
            assert_int_not_equal(decode(bytes, size, &back), STATUS_OK);
        }
        assert_int_equal(decode(bytes, buffer.size + 1, &back), STATUS_BAD_REQUEST);
        assert_non_null(strstr(message, "1 bytes stand behind"));
    }
}

/* Requests that are refused, as MessagePack bytes, with the status and a word of the message. */
static const struct {
    const char *bytes;
    size_t size;
    enum status status;
    const char *word;
} refused[] = {
#define BYTES(text) (text), sizeof(text) - 1
    {BYTES(""), STATUS_BAD_REQUEST, "ends inside"},
    {BYTES("\xc0"), STATUS_BAD_REQUEST, "not a map"},
    {BYTES("\x80"), STATUS_BAD_REQUEST, "'v' is missing"},
    {BYTES("\x81\xa1v\x01"), STATUS_BAD_REQUEST, "'op' is missing"},
    {BYTES("\x82\xa1v\x02\xa2op\xa4ping"), STATUS_WRONG_VERSION, "not 2"},
    {BYTES("\x83\xa1x\x01\xa1v\x02\xa2op\xa3"
           "fly"),
        STATUS_WRONG_VERSION, "not 2"},
    {BYTES("\x82\xa1v\xff\xa2op\xa4ping"), STATUS_BAD_REQUEST, "'v' is not an integer"},
    {BYTES("\x82\xa1v\x01\xa2op\xa4pong"), STATUS_BAD_REQUEST, "'op' is not"},
    {BYTES("\x82\xa1v\x01\xa2op\x01"), STATUS_BAD_REQUEST, "'op' is not"},
    {BYTES("\x83\xa1v\x01\xa2op\xa4ping\xa1v\x01"), STATUS_BAD_REQUEST, "'v' stands twice"},
    {BYTES("\x83\xa1v\x01\xa2op\xa4ping\xa3odd\x01"), STATUS_BAD_REQUEST, "'odd' is no member"},
    {BYTES("\x83\xa1v\x01\xa2op\xa4ping\x07\x01"), STATUS_BAD_REQUEST, "a key is no member"},
    {BYTES("\x83\xa1v\x01\xa2op\xa4ping\xa2\xff\xff\x01"), STATUS_BAD_REQUEST,
        "a key is no member"},
    {BYTES("\x83\xa1v\x01\xa2op\xa4ping\xa5order\x01"), STATUS_BAD_REQUEST,
        "'order' is no member of 'ping'"},
    {BYTES("\x82\xa1v\x01\xa2op\xa6logout"), STATUS_BAD_REQUEST, "'session' is missing"},
    {BYTES("\x83\xa1v\x01\xa2op\xa6logout\xa7session\x00"), STATUS_BAD_REQUEST,
        "'session' is not an integer from 1"},
    {BYTES("\x83\xa1v\x01\xa2op\xa6logout\xa7session\x01"), STATUS_BAD_REQUEST,
        "'token' is missing"},
    {BYTES("\x84\xa1v\x01\xa2op\xa6logout\xa7session\x01\xa5token\xc4\x01x"), STATUS_BAD_REQUEST,
        "'token' is not a byte string of 16"},
    {BYTES("\xdd\xff\xff\xff\xff"), STATUS_TOO_LARGE, "too many objects"},
    {BYTES("\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0"), STATUS_BAD_REQUEST, "nested too deeply"},
#undef BYTES
};

static void
bad_requests_are_refused_with_a_reason(void **state)
{
    (void)state;
    static struct request request;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_int_equal(
            decode(refused[i].bytes, refused[i].size, &request), (int)refused[i].status);
        if (strstr(message, refused[i].word) == NULL) {
            fail_msg("'%s' lacks '%s'", message, refused[i].word);
        }
    }
}

/* Packs an order with one line whose two values are written by hand. */
static enum status
decode_line(const char *upc, size_t upc_size, const char *units, size_t units_size)
{
    static struct request request;
    unsigned char bytes[256];
    struct buffer buffer;
    msgpack_packer packer;
    uint8_t token[TOKEN_SIZE] = {0};
    buffer_init(&buffer, bytes, sizeof bytes);
    pack_into(&packer, &buffer);
    msgpack_pack_map(&packer, 6);
    pack_uint_member(&packer, "v", PROTOCOL_VERSION);
    pack_text(&packer, "op");
    pack_text(&packer, "buy");
    pack_uint_member(&packer, "session", 1);
    pack_text(&packer, "token");
    pack_bytes(&packer, token, sizeof token);
    pack_uint_member(&packer, "order", 1);
    pack_text(&packer, "lines");
    msgpack_pack_array(&packer, 1);
    msgpack_pack_array(&packer, 2);
    buffer_append(&buffer, upc, upc_size);
    buffer_append(&buffer, units, units_size);
    return decode(bytes, buffer.size, &request);
}

static void
lines_hold_to_their_ranges(void **state)
{
    (void)state;
    assert_int_equal(decode_line("\x01", 1, "\x01", 1), STATUS_OK);
    assert_int_equal(decode_line("\x01", 1, "\x00", 1), STATUS_BAD_REQUEST);
    assert_int_equal(decode_line("\x01", 1, "\xff", 1), STATUS_BAD_REQUEST);
    assert_non_null(strstr(message, "line 1 has units"));
    assert_int_equal(decode_line("\x01", 1, "\xce\x3b\x9a\xca\x00", 5), STATUS_OK);
    assert_int_equal(decode_line("\x01", 1, "\xce\x3b\x9a\xca\x01", 5), STATUS_BAD_REQUEST);
    assert_int_equal(decode_line("\x01", 1, "\xca\x3f\x80\x00\x00", 5), STATUS_BAD_REQUEST);
    assert_int_equal(decode_line("\xcf\x00\x00\x00\xe8\xd4\xa5\x0f\xff", 9, "\x01", 1), STATUS_OK);
    assert_int_equal(
        decode_line("\xcf\x00\x00\x00\xe8\xd4\xa5\x10\x00", 9, "\x01", 1), STATUS_BAD_REQUEST);
    assert_non_null(strstr(message, "line 1 has a UPC"));
    assert_int_equal(decode_line("\xa1x", 2, "\x01", 1), STATUS_BAD_REQUEST);
    assert_int_equal(decode_line("\xff", 1, "\x01", 1), STATUS_BAD_REQUEST);
}

static void
too_many_lines_are_too_large(void **state)
{
    (void)state;
    static struct request request;
    static unsigned char bytes[MESSAGE_SIZE_MAX];
    struct buffer buffer;
    fill(&request, OPERATION_BUY);
    buffer_init(&buffer, bytes, sizeof bytes);
    request_encode(&buffer, &request);
    /* The count of lines stands in an array 16 header behind the key. */
    unsigned char *header = NULL;
    for (size_t i = 0; header == NULL; i++) {
        header = memcmp(bytes + i, "\xa5lines\xdc", 7) == 0 ? bytes + i + 7 : NULL;
    }
    header[0] = (ORDER_LINES_MAX + 1) >> 8;
    header[1] = (ORDER_LINES_MAX + 1) & 0xff;
    buffer_append(&buffer, "\x92\x01\x01", 3);
    assert_int_equal(decode(bytes, buffer.size, &request), STATUS_TOO_LARGE);
    assert_non_null(strstr(message, "1001 lines"));
}

static void
a_reply_decodes_to_what_was_encoded(void **state)
{
    (void)state;
    static unsigned char bytes[MESSAGE_SIZE_MAX];
    struct reply_memory *memory = reply_memory_new();
    const struct item items[] = {
        {36000291452, 97, "Tissues"}, {UPC_MAX, LEVEL_MAX, "\xe2\x98\x83"}};
    const struct reply replies[] = {
        {.status = STATUS_OK, .history = "1234567", .position = 12},
        {.status = STATUS_OK, .position = 1, .session = 7, .token = "abcdefghijklmno"},
        {.status = STATUS_OK, .position = 1, .order = 2, .units = 3000},
        {.status = STATUS_UNKNOWN_ITEM, .order = 2, .upc = 5},
        {.status = STATUS_INSUFFICIENT_STOCK, .order = 2, .upc = 5, .available = 0},
        {.status = STATUS_BUSY, .retry_ms = 50, .message = "later"},
        {.status = STATUS_OK, .is_page = true, .items = items, .item_count = 2, .more = true},
        {.status = STATUS_OK, .is_page = true, .items = items, .item_count = 0},
    };
    assert_non_null(memory);
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        struct buffer buffer;
        struct reply back;
        struct diagnostic diagnostic = {""};
        buffer_init(&buffer, bytes, sizeof bytes);
        reply_encode(&buffer, &replies[i]);
        assert_false(buffer.overflow);
        assert_int_equal(reply_decode(memory, bytes, buffer.size, &back, &diagnostic), 0);
        assert_int_equal(back.status, replies[i].status);
        assert_memory_equal(back.history, replies[i].history, HISTORY_SIZE);
        assert_memory_equal(back.token, replies[i].token, TOKEN_SIZE);
        assert_int_equal(back.position, replies[i].position);
        assert_int_equal(back.session, replies[i].session);
        assert_int_equal(back.order, replies[i].order);
        assert_int_equal(back.units, replies[i].units);
        assert_int_equal(back.upc, replies[i].upc);
        assert_int_equal(back.available, replies[i].available);
        assert_int_equal(back.retry_ms, replies[i].retry_ms);
        assert_int_equal(back.is_page, replies[i].is_page);
        assert_int_equal(back.more, replies[i].more);
        assert_int_equal(back.item_count, replies[i].item_count);
        for (size_t k = 0; k < back.item_count; k++) {
            assert_int_equal(back.items[k].upc, items[k].upc);
            assert_int_equal(back.items[k].units, items[k].units);
            assert_string_equal(back.items[k].name, items[k].name);
        }
        assert_int_equal(back.message[0] == '\0', back.status == STATUS_OK);
        for (size_t size = 0; size < buffer.size; size++) {
            assert_int_equal(reply_decode(memory, bytes, size, &back, &diagnostic), ERROR_DAMAGED);
        }
    }
    reply_memory_free(&memory);
    reply_memory_free(&memory);
}

static void
a_reply_with_members_of_a_later_version_is_understood(void **state)
{
    (void)state;
    static const char bytes[] = "\x85\xa1v\x01\xa6status\xa2ok\xa7history\xc4\x08"
                                "12345678\xa8position\x05\xa6gossip\x93\x01\x02\xc0";
    struct reply_memory *memory = reply_memory_new();
    struct reply reply;
    assert_int_equal(reply_decode(memory, bytes, sizeof bytes - 1, &reply, NULL), 0);
    assert_int_equal(reply.position, 5);
    reply_memory_free(&memory);
}

/* A reply of `size` bytes behind a map header that counts `count` members. */
static int
decode_reply(int count, const char *members, size_t size)
{
    unsigned char bytes[256];
    struct reply_memory *memory = reply_memory_new();
    struct reply reply = {.position = 77};
    assert_non_null(memory);
    assert_true(size < sizeof bytes);
    bytes[0] = (unsigned char)(0x80 + count);
    memcpy(bytes + 1, members, size);
    int error = reply_decode(memory, bytes, 1 + size, &reply, NULL);
    assert_true(error == 0 || reply.position == 77);
    reply_memory_free(&memory);
    return error;
}

static void
a_reply_has_each_member_once_and_speaks_this_version(void **state)
{
#define V      "\xa1v\x01"
#define STATUS "\xa6status\xa2ok"
#define HISTORY           \
    "\xa7history\xc4\x08" \
    "12345678"
#define POSITION "\xa8position\x05"
    static const struct {
        const char *members;
        size_t size;
        int count;
        int error;
    } cases[] = {
#define MEMBERS(text) (text), sizeof(text) - 1
        {MEMBERS(V STATUS HISTORY POSITION), 4, 0},
        {MEMBERS(POSITION HISTORY STATUS V), 4, 0},
        {MEMBERS(V V STATUS HISTORY), 4, ERROR_DAMAGED},
        {MEMBERS(V V STATUS HISTORY POSITION), 5, ERROR_DAMAGED},
        {MEMBERS("\xa1v\x63\xa1v\x63" STATUS HISTORY), 4, ERROR_DAMAGED},
        {MEMBERS("\xa1v\x63" STATUS HISTORY POSITION), 4, ERROR_DAMAGED},
        {MEMBERS("\xa1v\x00" STATUS HISTORY POSITION), 4, ERROR_DAMAGED},
        {MEMBERS("\xa1v\xa1"
                 "1" STATUS HISTORY POSITION),
            4, ERROR_DAMAGED},
        {MEMBERS(V STATUS HISTORY POSITION POSITION), 5, ERROR_DAMAGED},
        {MEMBERS(V STATUS STATUS HISTORY POSITION), 5, ERROR_DAMAGED},
        {MEMBERS(V STATUS HISTORY POSITION "\xa4more\xc2\xa4more\xc3"), 6, ERROR_DAMAGED},
        {MEMBERS(V STATUS HISTORY POSITION "\xa5order\x01\xa5order\x02"), 6, ERROR_DAMAGED},
        {MEMBERS(V STATUS HISTORY), 3, ERROR_DAMAGED},
        {MEMBERS(V STATUS POSITION), 3, ERROR_DAMAGED},
        {MEMBERS(V HISTORY POSITION), 3, ERROR_DAMAGED},
        {MEMBERS(STATUS HISTORY POSITION), 3, ERROR_DAMAGED},
#undef MEMBERS
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int error = decode_reply(cases[i].count, cases[i].members, cases[i].size);
        if (error != cases[i].error) {
            fail_msg("case %zu gives %d", i, error);
        }
    }
}

static void
what_was_never_made_can_be_freed(void **state)
{
    struct unpacked nothing;
    (void)state;
    memset(&nothing, 0, sizeof nothing);
    unpacked_fini(&nothing);
    assert_int_equal(unpacked_init(&nothing), 0);
    unpacked_fini(&nothing);
    unpacked_fini(&nothing);
}

static void
the_largest_page_fits_a_message(void **state)
{
    (void)state;
    static unsigned char bytes[MESSAGE_SIZE_MAX];
    static struct item items[PAGE_ITEMS_MAX];
    char name[ITEM_NAME_SIZE_MAX + 1];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    size_t size = 0;
    size_t count = 0;
    while (count < PAGE_ITEMS_MAX) {
        items[count] = (struct item){UPC_MAX, LEVEL_MAX, name};
        size += reply_item_size(&items[count]);
        if (size > PAGE_SIZE_MAX) {
            break;
        }
        count++;
    }
    struct reply reply = {.status = STATUS_OK,
        .position = NUMBER_MAX,
        .is_page = true,
        .items = items,
        .item_count = count,
        .more = true};
    struct buffer buffer;
    buffer_init(&buffer, bytes, sizeof bytes);
    reply_encode(&buffer, &reply);
    assert_false(buffer.overflow);
}

static void
upcs_are_twelve_digits_with_a_check_digit(void **state)
{
    (void)state;
    char text[UPC_TEXT_SIZE];
    uint64_t upc = 0;
    assert_true(upc_parse("036000291452", &upc));
    assert_int_equal(upc, 36000291452);
    upc_format(upc, text);
    assert_string_equal(text, "036000291452");
    assert_true(upc_is_valid(upc));
    assert_false(upc_is_valid(upc + 1));
    assert_false(upc_is_valid(UPC_MAX + 1));
    assert_false(upc_parse("36000291452", &upc));
    assert_false(upc_parse("0360002914520", &upc));
    assert_false(upc_parse("03600029145x", &upc));
    assert_false(upc_parse("-36000291452", &upc));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_decodes_to_what_was_encoded),
        cmocka_unit_test(bad_requests_are_refused_with_a_reason),
        cmocka_unit_test(lines_hold_to_their_ranges),
        cmocka_unit_test(too_many_lines_are_too_large),
        cmocka_unit_test(a_reply_decodes_to_what_was_encoded),
        cmocka_unit_test(a_reply_with_members_of_a_later_version_is_understood),
        cmocka_unit_test(a_reply_has_each_member_once_and_speaks_this_version),
        cmocka_unit_test(what_was_never_made_can_be_freed),
        cmocka_unit_test(the_largest_page_fits_a_message),
        cmocka_unit_test(upcs_are_twelve_digits_with_a_check_digit),
    };
    if (unpacked_init(&unpacked) != 0) {
        return EXIT_FAILURE;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unpacked_fini(&unpacked);
    return failed;
}
