/* The bytes that PROTOCOL.md and tests/vectors/ promise, against shared/protocol.h. */

#include "support/vectors.h"

#include "shared/protocol.h"
#include "shared/text.h"

static const char document[] = SOURCE_DIRECTORY "/PROTOCOL.md";
static const char session_file[] = SOURCE_DIRECTORY "/tests/vectors/session.txt";
static const char refused_file[] = SOURCE_DIRECTORY "/tests/vectors/refused.txt";

static struct unpacked unpacked;

static void
the_document_shows_the_vectors_that_are_tested(void **state)
{
    (void)state;
    struct vectors *shown = vectors_read(document, "```vectors\n");
    struct vectors *tested = vectors_read(session_file, NULL);
    assert_true(tested->count > 20);
    assert_int_equal(shown->count, tested->count);
    for (size_t i = 0; i < tested->count; i++) {
        const struct vector *a = &shown->rows[i];
        const struct vector *b = &tested->rows[i];
        assert_string_equal(a->kind, b->kind);
        assert_string_equal(a->name, b->name);
        assert_string_equal(a->meaning, b->meaning);
        assert_int_equal(a->size, b->size);
        assert_memory_equal(a->data, b->data, b->size);
    }
    vectors_free(shown);
    vectors_free(tested);
}

static size_t
encode_request_again(const struct vector *vector, unsigned char *bytes)
{
    static struct request request;
    char message[MESSAGE_TEXT_SIZE];
    struct buffer buffer;
    assert_int_equal(
        request_decode(&unpacked, vector->data, vector->size, &request, message), STATUS_OK);
    buffer_init(&buffer, bytes, MESSAGE_SIZE_MAX);
    request_encode(&buffer, &request);
    assert_false(buffer.overflow);
    return buffer.size;
}

static size_t
encode_reply_again(struct reply_memory *memory, const struct vector *vector, unsigned char *bytes)
{
    struct reply reply;
    struct diagnostic diagnostic = {""};
    struct buffer buffer;
    assert_int_equal(reply_decode(memory, vector->data, vector->size, &reply, &diagnostic), 0);
    buffer_init(&buffer, bytes, MESSAGE_SIZE_MAX);
    reply_encode(&buffer, &reply);
    assert_false(buffer.overflow);
    return buffer.size;
}

static void
requests_and_replies_are_encoded_as_the_vectors_say(void **state)
{
    (void)state;
    static unsigned char bytes[MESSAGE_SIZE_MAX];
    struct vectors *vectors = vectors_read(session_file, NULL);
    struct reply_memory *memory = reply_memory_new();
    assert_non_null(memory);
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector *vector = &vectors->rows[i];
        bool is_request = strcmp(vector->kind, "request") == 0;
        assert_true(is_request || strcmp(vector->kind, "reply") == 0);
        size_t size = is_request ? encode_request_again(vector, bytes)
                                 : encode_reply_again(memory, vector, bytes);
        if (size != vector->size || memcmp(bytes, vector->data, size) != 0) {
            fail_msg("%s %s is encoded in another way", vector->kind, vector->name);
        }
    }
    reply_memory_free(&memory);
    vectors_free(vectors);
}

static void
every_operation_has_a_vector(void **state)
{
    (void)state;
    struct vectors *vectors = vectors_read(session_file, NULL);
    for (int operation = 0; operation < OPERATION_COUNT; operation++) {
        char word[32];
        bool found = false;
        int size = snprintf(word, sizeof word, "\xa2op%c%s",
            (char)(0xa0 | strlen(operation_word((enum operation)operation))),
            operation_word((enum operation)operation));
        for (size_t i = 0; i < vectors->count; i++) {
            const struct vector *vector = &vectors->rows[i];
            found |= strcmp(vector->kind, "request") == 0 && vector->size >= 4 + (size_t)size &&
                     memcmp(vector->data + 4, word, (size_t)size) == 0;
        }
        if (!found) {
            fail_msg("no vector shows '%s'", operation_word((enum operation)operation));
        }
    }
    vectors_free(vectors);
}

static void
bad_requests_get_the_status_that_the_vectors_say(void **state)
{
    (void)state;
    static struct request request;
    struct vectors *vectors = vectors_read(refused_file, NULL);
    assert_true(vectors->count > 50);
    for (size_t i = 0; i < vectors->count; i++) {
        const struct vector *vector = &vectors->rows[i];
        char message[MESSAGE_TEXT_SIZE] = "";
        assert_string_equal(vector->kind, "refused");
        if (strcmp(vector->status, "closed") == 0) {
            assert_true(vector->size > MESSAGE_SIZE_MAX); /* it never gets to the decoder */
            continue;
        }
        assert_true(vector->size <= MESSAGE_SIZE_MAX);
        enum status status =
            request_decode(&unpacked, vector->data, vector->size, &request, message);
        if (strcmp(status_word(status), vector->status) != 0) {
            fail_msg("%s: %s, not %s", vector->name, status_word(status), vector->status);
        }
        assert_true(message[0] != '\0' && text_is_printable(message, strlen(message)));
    }
    vectors_free(vectors);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_shows_the_vectors_that_are_tested),
        cmocka_unit_test(requests_and_replies_are_encoded_as_the_vectors_say),
        cmocka_unit_test(every_operation_has_a_vector),
        cmocka_unit_test(bad_requests_get_the_status_that_the_vectors_say),
    };
    if (unpacked_init(&unpacked) != 0) {
        return EXIT_FAILURE;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unpacked_fini(&unpacked);
    return failed;
}
