/*
 * test_memory.c: each allocation fails once: nothing leaks, nothing that was answered is lost, and
 * nothing is made of it but ERROR_MEMORY or a refusal that changes nothing.
 *
 * The program has an allocator of its own in front of the real one, so that it also reaches what
 * libraries take. The fake disk's own memory does not count.
 *
 * usage: test_memory SUBJECT [boast]     boast: count what failed as answered; then it has to fail
 */
#include "support/cmocka_headers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault/subjects.h"
#include "shared/protocol.h"
#include "support/allocator.h"

static struct subject *subject;

enum {
    MORE = 2,
    FAILURES_MAX = 100000
};

static int
pause_allocator(void *context, enum fake_call call, uint64_t number)
{
    (void)context;
    (void)call;
    (void)number;
    allocator_pause();
    return FAKE_GO;
}

static void
resume_allocator(void *context)
{
    (void)context;
    allocator_resume();
}

/* A run from step `start` on in which the allocation `number` fails. Returns whether there was such
 * a one. */
static bool
run_without_memory(size_t start, uint64_t number)
{
    struct fake_disk *disk = fake_disk_new();
    struct course course = {.answered = 0};
    course_run(subject, disk, start, false, &course);
    assert_int_equal(course.error, 0);
    fake_disk_kill(disk);
    struct diagnostic why = {""};
    fake_disk_set_hooks(disk, pause_allocator, resume_allocator, NULL);
    allocator_fail(number);
    course_run(subject, disk, subject->step_count, true, &course);
    bool failed = allocator_stop();
    fake_disk_set_hooks(disk, NULL, NULL, NULL);
    fake_disk_kill(disk);
    if (!course_judge(subject, disk, &course, MORE, &why)) {
        fail_msg("%s, allocation %" PRIu64 ": %s", subject->name, number, why.text);
    }
    if (course.error != 0 && course.error != ERROR_MEMORY && course.error != STEP_REFUSED) {
        fail_msg("%s, allocation %" PRIu64 ": %s: %s", subject->name, number,
            error_text(course.error), course.diagnostic.text);
    }
    fake_disk_free(&disk);
    return failed;
}

static void
fail_each_allocation(size_t start)
{
    uint64_t number = 1;
    while (run_without_memory(start, number)) {
        assert_in_range(++number, 1, FAILURES_MAX);
    }
    printf("%s, from step %zu on: %" PRIu64 " allocations, each failed once\n", subject->name,
        start, number - 1);
}

static void
what_was_answered_is_there_whichever_allocation_fails(void **state)
{
    (void)state;
    fail_each_allocation(0);
    fail_each_allocation(subject->step_count / 2);
    fail_each_allocation(subject->step_count);
}

static void
a_request_that_cannot_be_decoded_for_want_of_memory_is_answered_busy(void **state)
{
    (void)state;
    static struct request request = {.operation = OPERATION_BUY, .session = 1, .order = 1};
    static struct request decoded;
    static unsigned char bytes[MESSAGE_SIZE_MAX];
    struct buffer buffer;
    request.line_count = ORDER_LINES_MAX;
    for (size_t i = 0; i < ORDER_LINES_MAX; i++) {
        request.lines[i] = (struct line){.upc = i, .units = 1};
    }
    buffer_init(&buffer, bytes, sizeof bytes);
    request_encode(&buffer, &request);
    for (uint64_t number = 1;; number++) {
        struct unpacked unpacked;
        char message[MESSAGE_TEXT_SIZE] = "";
        allocator_fail(number);
        int error = unpacked_init(&unpacked);
        enum status status = STATUS_BUSY;
        if (error == 0) {
            status = request_decode(&unpacked, bytes, buffer.size, &decoded, message);
            unpacked_fini(&unpacked);
        }
        if (!allocator_stop()) {
            assert_int_equal(status, STATUS_OK);
            assert_true(number > 1 || !allocator_reaches_libraries());
            break;
        }
        assert_int_equal(status, STATUS_BUSY);
    }
}

static void
a_reply_that_cannot_be_decoded_for_want_of_memory_says_so(void **state)
{
    (void)state;
    static struct item items[PAGE_ITEMS_MAX];
    static unsigned char bytes[MESSAGE_SIZE_MAX];
    struct reply reply = {.status = STATUS_OK, .is_page = true, .items = items};
    struct buffer buffer;
    reply.item_count = PAGE_ITEMS_MAX;
    for (size_t i = 0; i < PAGE_ITEMS_MAX; i++) {
        items[i] = (struct item){.upc = i, .units = 5, .name = "thing"};
    }
    buffer_init(&buffer, bytes, sizeof bytes);
    reply_encode(&buffer, &reply);
    for (uint64_t number = 1;; number++) {
        struct reply decoded;
        allocator_fail(number);
        struct reply_memory *memory = reply_memory_new();
        int error = memory == NULL ? ERROR_MEMORY
                                   : reply_decode(memory, bytes, buffer.size, &decoded, NULL);
        reply_memory_free(&memory);
        if (!allocator_stop()) {
            assert_int_equal(error, 0);
            assert_true(number > 1);
            break;
        }
        assert_int_equal(error, ERROR_MEMORY);
    }
}

int
main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_answered_is_there_whichever_allocation_fails),
        cmocka_unit_test(a_request_that_cannot_be_decoded_for_want_of_memory_is_answered_busy),
        cmocka_unit_test(a_reply_that_cannot_be_decoded_for_want_of_memory_says_so),
    };
    course_boasts = count == 3 && strcmp(arguments[2], "boast") == 0;
    subject = count >= 2 ? subject_named(arguments[1]) : NULL;
    if (subject == NULL) {
        fprintf(stderr, "usage: test_memory SUBJECT [boast]\n");
        return 2;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    subject->calls->free(subject);
    return failed;
}
