#include "shared/protocol.h"

#include "shared/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    BY_PING = 1 << OPERATION_PING,
    BY_LOGIN = 1 << OPERATION_LOGIN,
    BY_VIEW = 1 << OPERATION_VIEW,
    BY_BUY = 1 << OPERATION_BUY,
    BY_RESTOCK = 1 << OPERATION_RESTOCK,
    BY_VOID = 1 << OPERATION_VOID,
    BY_LOGOUT = 1 << OPERATION_LOGOUT,
    BY_STATS = 1 << OPERATION_STATS,
    BY_ORDERS = BY_BUY | BY_RESTOCK,
    BY_USERS = BY_VIEW | BY_ORDERS | BY_VOID | BY_LOGOUT | BY_STATS,
    BY_ALL = BY_PING | BY_LOGIN | BY_USERS
};

/*
 * Takes the value of a member into the request. On failure the status to answer; `message` may say
 * more than that the member is not what it has to be.
 */
typedef enum status
take_fn(const msgpack_object *value, struct request *request, char *message);

static enum status
verdict(bool good)
{
    return good ? STATUS_OK : STATUS_BAD_REQUEST;
}

/* NOLINTBEGIN(readability-non-const-parameter): the table's functions have one signature */
static enum status
take_version(const msgpack_object *value, struct request *request, char *message)
{
    uint64_t version;
    (void)request;
    if (!object_uint(value, 0, UINT64_MAX, &version)) {
        return STATUS_BAD_REQUEST;
    }
    if (version != PROTOCOL_VERSION) {
        snprintf(message, MESSAGE_TEXT_SIZE, "this broker speaks protocol version %d, not %" PRIu64,
            PROTOCOL_VERSION, version);
        return STATUS_WRONG_VERSION;
    }
    return STATUS_OK;
}

static enum status
take_operation(const msgpack_object *value, struct request *request, char *message)
{
    (void)message;
    return verdict(operation_parse(value, &request->operation));
}

static enum status
take_session(const msgpack_object *value, struct request *request, char *message)
{
    (void)message;
    return verdict(object_uint(value, 1, NUMBER_MAX, &request->session));
}

static enum status
take_token(const msgpack_object *value, struct request *request, char *message)
{
    (void)message;
    return verdict(object_bytes(value, request->token, sizeof request->token));
}

static enum status
take_order(const msgpack_object *value, struct request *request, char *message)
{
    (void)message;
    return verdict(object_uint(value, 1, NUMBER_MAX, &request->order));
}

/* Sees that an array of lines or UPCs has from `min` to ORDER_LINES_MAX elements. */
static enum status
take_count(const msgpack_object *value, uint32_t min, struct request *request, char *message)
{
    if (!object_array(value, 0) || value->via.array.size < min) {
        return STATUS_BAD_REQUEST;
    }
    if (value->via.array.size > ORDER_LINES_MAX) {
        snprintf(message, MESSAGE_TEXT_SIZE, "%" PRIu32 " lines are more than %d",
            value->via.array.size, ORDER_LINES_MAX);
        return STATUS_TOO_LARGE;
    }
    request->line_count = value->via.array.size;
    return STATUS_OK;
}

static enum status
take_lines(const msgpack_object *value, struct request *request, char *message)
{
    enum status status = take_count(value, 1, request, message);
    for (size_t i = 0; status == STATUS_OK && i < request->line_count; i++) {
        const msgpack_object *line = &value->via.array.ptr[i];
        const char *reason = NULL;
        if (!object_array(line, 2)) {
            reason = "is not [upc, units]";
        } else if (!object_uint(&line->via.array.ptr[0], 0, UPC_MAX, &request->lines[i].upc)) {
            reason = "has a UPC that is not an integer of at most 12 digits";
        } else if (!object_uint(&line->via.array.ptr[1], 1, UNITS_MAX, &request->lines[i].units)) {
            reason = "has units that are not an integer from 1 to 1000000000";
        }
        if (reason != NULL) {
            snprintf(message, MESSAGE_TEXT_SIZE, "'lines': line %zu %s", i + 1, reason);
            status = STATUS_BAD_REQUEST;
        }
    }
    return status;
}

static enum status
take_items(const msgpack_object *value, struct request *request, char *message)
{
    enum status status = take_count(value, 1, request, message);
    if (status == STATUS_OK && request->line_count > PAGE_ITEMS_MAX) {
        snprintf(message, MESSAGE_TEXT_SIZE, "%zu items are more than %d in one view",
            request->line_count, PAGE_ITEMS_MAX);
        return STATUS_TOO_LARGE;
    }
    for (size_t i = 0; status == STATUS_OK && i < request->line_count; i++) {
        status = verdict(object_uint(&value->via.array.ptr[i], 0, UPC_MAX, &request->lines[i].upc));
    }
    return status;
}

static enum status
take_after(const msgpack_object *value, struct request *request, char *message)
{
    (void)message;
    request->continues = true;
    return verdict(object_uint(value, 0, UPC_MAX, &request->after));
}

static enum status
take_nonce(const msgpack_object *value, struct request *request, char *message)
{
    (void)message;
    return verdict(object_bytes(value, request->nonce, sizeof request->nonce));
}

static enum status
take_user(const msgpack_object *value, struct request *request, char *message)
{
    (void)message;
    return verdict(object_copy_text(value, USER_SIZE_MAX, request->user));
}

static enum status
take_password(const msgpack_object *value, struct request *request, char *message)
{
    (void)message;
    return verdict(object_copy_text(value, PASSWORD_SIZE_MAX, request->password));
}
/* NOLINTEND(readability-non-const-parameter) */

/* The members of requests; the first two are looked at before all others. */
static const struct member {
    const char *key;
    unsigned required_by; /* operations that must have it */
    unsigned allowed_by;  /* operations that may have it */
    take_fn *take;
    const char *expected;
} members[] = {
    {"v", BY_ALL, BY_ALL, take_version, "an integer"},
    {"op", BY_ALL, BY_ALL, take_operation, "an operation of this protocol version"},
    {"session", BY_USERS, BY_USERS, take_session, "an integer from 1 to 9007199254740991"},
    {"token", BY_USERS, BY_USERS, take_token, "a byte string of 16"},
    {"order", BY_ORDERS | BY_VOID, BY_ORDERS | BY_VOID, take_order,
        "an integer from 1 to 9007199254740991"},
    {"lines", BY_ORDERS, BY_ORDERS, take_lines, "an array of at least one line"},
    {"items", 0, BY_VIEW, take_items, "an array of at least one UPC"},
    {"after", 0, BY_VIEW, take_after, "a UPC"},
    {"nonce", BY_LOGIN, BY_LOGIN, take_nonce, "a byte string of 16"},
    {"user", BY_LOGIN, BY_LOGIN, take_user, "a text of 1 to 32 bytes of printable UTF-8"},
    {"password", BY_LOGIN, BY_LOGIN, take_password, "a text of 1 to 128 bytes of printable UTF-8"},
};

enum {
    MEMBER_VERSION,
    MEMBER_OPERATION,
    MEMBERS_FIRST,
    MEMBER_COUNT = sizeof members / sizeof members[0]
};

/* Sorts the values of a map by member. Returns what is wrong, or STATUS_OK. */
static enum status
find_members(
    const msgpack_object_map *map, const msgpack_object *values[MEMBER_COUNT], char *message)
{
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object *key = &map->ptr[i].key;
        size_t m = 0;
        while (m < MEMBER_COUNT && !object_is_text(key, members[m].key)) {
            m++;
        }
        if (m == MEMBER_COUNT) {
            const char *text;
            size_t size;
            if (object_text(key, 32, &text, &size)) {
                snprintf(message, MESSAGE_TEXT_SIZE, "'%.*s' is no member of a request", (int)size,
                    text);
            } else {
                snprintf(message, MESSAGE_TEXT_SIZE, "a key is no member of a request");
            }
            return STATUS_BAD_REQUEST;
        }
        if (values[m] != NULL) {
            snprintf(message, MESSAGE_TEXT_SIZE, "'%s' stands twice", members[m].key);
            return STATUS_BAD_REQUEST;
        }
        values[m] = &map->ptr[i].val;
    }
    return STATUS_OK;
}

static enum status
take_member(size_t m, const msgpack_object *value, struct request *request, char *message)
{
    enum status status = members[m].take(value, request, message);
    if (status != STATUS_OK && message[0] == '\0') {
        snprintf(message, MESSAGE_TEXT_SIZE, "'%s' is not %s", members[m].key, members[m].expected);
    }
    return status;
}

/*
 * Looks for another version before anything else: what its requests may have is not for this one to
 * judge.
 */
static enum status
check_version(const msgpack_object_map *map, struct request *request, char *message)
{
    for (uint32_t i = 0; i < map->size; i++) {
        if (object_is_text(&map->ptr[i].key, members[MEMBER_VERSION].key)) {
            return take_member(MEMBER_VERSION, &map->ptr[i].val, request, message);
        }
    }
    return STATUS_OK; /* it is missing, which is found out with the others */
}

static enum status
take_members(const msgpack_object *values[MEMBER_COUNT], struct request *request, char *message)
{
    enum status status = STATUS_OK;
    for (size_t m = 0; status == STATUS_OK && m < MEMBERS_FIRST; m++) {
        if (values[m] == NULL) {
            snprintf(message, MESSAGE_TEXT_SIZE, "'%s' is missing", members[m].key);
            return STATUS_BAD_REQUEST;
        }
        status = take_member(m, values[m], request, message);
    }
    unsigned by = 1U << request->operation;
    for (size_t m = MEMBERS_FIRST; status == STATUS_OK && m < MEMBER_COUNT; m++) {
        if (values[m] != NULL && (members[m].allowed_by & by) == 0) {
            snprintf(message, MESSAGE_TEXT_SIZE, "'%s' is no member of '%s'", members[m].key,
                operation_word(request->operation));
            return STATUS_BAD_REQUEST;
        }
        if (values[m] == NULL && (members[m].required_by & by) != 0) {
            snprintf(message, MESSAGE_TEXT_SIZE, "'%s' is missing", members[m].key);
            return STATUS_BAD_REQUEST;
        }
        if (values[m] != NULL) {
            status = take_member(m, values[m], request, message);
        }
    }
    if (status == STATUS_OK && request->continues && request->line_count > 0) {
        snprintf(message, MESSAGE_TEXT_SIZE, "'items' and 'after' exclude each other");
        return STATUS_BAD_REQUEST;
    }
    return status;
}

enum status
request_decode(struct unpacked *unpacked, const void *data, size_t size, struct request *request,
    char *message)
{
    size_t used = 0;
    enum guard_verdict bounds = GUARD_OK;
    const msgpack_object *values[MEMBER_COUNT] = {NULL};

    message[0] = '\0';
    int error = unpack(unpacked, data, size, &message_bounds, &used, &bounds);
    if (error == ERROR_MEMORY) {
        snprintf(message, MESSAGE_TEXT_SIZE, "out of memory");
        return STATUS_BUSY;
    }
    if (error != 0) {
        snprintf(message, MESSAGE_TEXT_SIZE, "the request %s (byte %zu)", guard_text(bounds), used);
        return bounds == GUARD_ELEMENTS ? STATUS_TOO_LARGE : STATUS_BAD_REQUEST;
    }
    if (used != size) {
        snprintf(message, MESSAGE_TEXT_SIZE, "%zu bytes stand behind the request", size - used);
        return STATUS_BAD_REQUEST;
    }
    if (unpacked->object.type != MSGPACK_OBJECT_MAP) {
        snprintf(message, MESSAGE_TEXT_SIZE, "the request is not a map");
        return STATUS_BAD_REQUEST;
    }
    /* The lines are not cleared: only `line_count` of them are ever looked at. */
    memset(request, 0, offsetof(struct request, lines));
    memset(&request->continues, 0, sizeof *request - offsetof(struct request, continues));
    enum status status = check_version(&unpacked->object.via.map, request, message);
    if (status == STATUS_OK) {
        status = find_members(&unpacked->object.via.map, values, message);
    }
    return status != STATUS_OK ? status : take_members(values, request, message);
}

static void
pack_lines(msgpack_packer *packer, const struct request *request)
{
    pack_text(packer, "lines");
    msgpack_pack_array(packer, request->line_count);
    for (size_t i = 0; i < request->line_count; i++) {
        msgpack_pack_array(packer, 2);
        msgpack_pack_uint64(packer, request->lines[i].upc);
        msgpack_pack_uint64(packer, request->lines[i].units);
    }
}

static void
pack_view(msgpack_packer *packer, const struct request *request)
{
    if (request->line_count > 0) {
        pack_text(packer, "items");
        msgpack_pack_array(packer, request->line_count);
        for (size_t i = 0; i < request->line_count; i++) {
            msgpack_pack_uint64(packer, request->lines[i].upc);
        }
    } else if (request->continues) {
        pack_uint_member(packer, "after", request->after);
    }
}

void
request_encode(struct buffer *buffer, const struct request *request)
{
    unsigned by = 1U << request->operation;
    bool has_view =
        request->operation == OPERATION_VIEW && (request->line_count > 0 || request->continues);
    msgpack_packer packer;
    pack_into(&packer, buffer);

    size_t count = 2;
    count += (by & BY_USERS) != 0 ? 2 : 0;
    count += (by & (BY_ORDERS | BY_VOID)) != 0 ? 1 : 0;
    count += (by & BY_ORDERS) != 0 ? 1 : 0;
    count += (by & BY_LOGIN) != 0 ? 3 : 0;
    count += has_view ? 1 : 0;
    msgpack_pack_map(&packer, count);
    pack_uint_member(&packer, "v", PROTOCOL_VERSION);
    pack_text(&packer, "op");
    pack_text(&packer, operation_word(request->operation));
    if ((by & BY_USERS) != 0) {
        pack_uint_member(&packer, "session", request->session);
        pack_text(&packer, "token");
        pack_bytes(&packer, request->token, sizeof request->token);
    }
    if ((by & (BY_ORDERS | BY_VOID)) != 0) {
        pack_uint_member(&packer, "order", request->order);
    }
    if ((by & BY_ORDERS) != 0) {
        pack_lines(&packer, request);
    }
    if ((by & BY_LOGIN) != 0) {
        pack_text(&packer, "nonce");
        pack_bytes(&packer, request->nonce, sizeof request->nonce);
        pack_text(&packer, "user");
        pack_text(&packer, request->user);
        pack_text(&packer, "password");
        pack_text(&packer, request->password);
    }
    if (has_view) {
        pack_view(&packer, request);
    }
}
