#include "support/cmocka_headers.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "pipeline/reading.h"
#include "shared/error.h"

static const struct guard_bounds bounds = {
    .depth_max = READING_OBJECT_DEPTH_MAX, .elements_max = READING_OBJECT_ELEMENTS_MAX};

/* A packed object and what it is packed with. */
struct packed {
    unsigned char data[512];
    struct buffer buffer;
    msgpack_packer packer;
};

static void
packed_init(struct packed *packed)
{
    buffer_init(&packed->buffer, packed->data, sizeof packed->data);
    pack_into(&packed->packer, &packed->buffer);
}

static int
unpack_reading(const struct packed *packed, struct reading *reading, const char **reason)
{
    struct unpacked unpacked;
    size_t used = 0;
    enum guard_verdict verdict;
    assert_false(packed->buffer.overflow);
    assert_int_equal(unpacked_init(&unpacked), 0);
    assert_int_equal(
        unpack(&unpacked, packed->data, packed->buffer.size, &bounds, &used, &verdict), 0);
    assert_int_equal(used, packed->buffer.size);
    int error = reading_unpack(&unpacked.object, reading, reason);
    unpacked_fini(&unpacked);
    return error;
}

static const struct reading largest = {
    .id = READING_ID_MAX,
    .sequence = READING_SEQUENCE_MAX,
    .time_ns = INT64_MAX,
    .value = -DBL_MAX,
    .producer = READING_PRODUCER_MAX,
    .sensor = "nineteen.characters",
    .unit = "sevenlo",
};

static const struct reading smallest = {
    .id = 0,
    .sequence = 1,
    .time_ns = 0,
    .value = 0,
    .producer = 1,
    .sensor = "s",
    .unit = "%",
};

static void
assert_reading_equal(const struct reading *a, const struct reading *b)
{
    assert_true(a->id == b->id);
    assert_true(a->sequence == b->sequence);
    assert_true(a->time_ns == b->time_ns);
    assert_true(a->value == b->value);
    assert_int_equal(a->producer, b->producer);
    assert_string_equal(a->sensor, b->sensor);
    assert_string_equal(a->unit, b->unit);
}

static void
the_ends_of_all_ranges_come_back_as_they_were(void **state)
{
    (void)state;
    const struct reading *const readings[] = {&largest, &smallest};
    for (int i = 0; i < 2; i++) {
        struct packed packed;
        struct reading back;
        const char *reason = NULL;
        packed_init(&packed);
        packed.buffer.size = reading_pack(readings[i], packed.data);
        assert_true(packed.buffer.size <= READING_SIZE_MAX);
        assert_int_equal(unpack_reading(&packed, &back, &reason), 0);
        assert_reading_equal(&back, readings[i]);
    }
}

/* Packs the members of a map one by one, so that each can be left out, doubled or bent. */
enum {
    MEMBERS = 7
};

static void
pack_member(msgpack_packer *packer, int member)
{
    static const char *const keys[MEMBERS] = {
        "id", "producer", "sequence", "time_ns", "sensor", "unit", "value"};
    pack_text(packer, keys[member]);
    switch (member) {
    case 4:
        pack_text(packer, "door.opened");
        break;
    case 5:
        pack_text(packer, "s");
        break;
    case 6:
        msgpack_pack_float(packer, 2.5F);
        break;
    default:
        msgpack_pack_uint64(packer, 7);
    }
}

static void
members_come_in_any_order_and_others_are_skipped(void **state)
{
    (void)state;
    struct packed packed;
    struct reading back;
    const char *reason = NULL;
    packed_init(&packed);
    msgpack_pack_map(&packed.packer, MEMBERS + 2);
    pack_text(&packed.packer, "place");
    pack_text(&packed.packer, "north");
    for (int member = MEMBERS - 1; member >= 0; member--) {
        pack_member(&packed.packer, member);
    }
    msgpack_pack_int(&packed.packer, 3); /* a key that is no text */
    msgpack_pack_nil(&packed.packer);
    assert_int_equal(unpack_reading(&packed, &back, &reason), 0);
    assert_true(back.id == 7 && back.sequence == 7 && back.producer == 7 && back.time_ns == 7);
    assert_string_equal(back.sensor, "door.opened");
    assert_string_equal(back.unit, "s");
    assert_true(back.value == 2.5);
}

static void
a_member_that_is_missing_or_doubled_is_named(void **state)
{
    (void)state;
    for (int bad = 0; bad < MEMBERS; bad++) {
        for (int times = 0; times <= 2; times += 2) {
            struct packed packed;
            struct reading back = smallest;
            const char *reason = NULL;
            packed_init(&packed);
            msgpack_pack_map(&packed.packer, (size_t)(MEMBERS - 1 + times));
            for (int member = 0; member < MEMBERS; member++) {
                for (int i = 0; i < (member == bad ? times : 1); i++) {
                    pack_member(&packed.packer, member);
                }
            }
            assert_int_equal(unpack_reading(&packed, &back, &reason), ERROR_DAMAGED);
            assert_non_null(strstr(reason, "has no valid"));
            assert_reading_equal(&back, &smallest);
        }
    }
}

/* Packs a good reading whose one member has a bad value, given as the bytes of an object. */
static void
refuse(int bad, const char *bytes, size_t size)
{
    static const char *const keys[MEMBERS] = {
        "id", "producer", "sequence", "time_ns", "sensor", "unit", "value"};
    struct packed packed;
    struct reading back;
    const char *reason = NULL;
    packed_init(&packed);
    msgpack_pack_map(&packed.packer, MEMBERS);
    for (int member = 0; member < MEMBERS; member++) {
        if (member == bad) {
            pack_text(&packed.packer, keys[member]);
            buffer_append(&packed.buffer, bytes, size);
        } else {
            pack_member(&packed.packer, member);
        }
    }
    assert_int_equal(unpack_reading(&packed, &back, &reason), ERROR_DAMAGED);
    assert_non_null(strstr(reason, keys[bad]));
}

static void
values_out_of_range_or_of_another_type_are_refused(void **state)
{
    (void)state;
    refuse(0, "\xcf\x00\x20\x00\x00\x00\x00\x00\x00", 9); /* 2^53 */
    refuse(0, "\xff", 1);                                 /* -1 */
    refuse(1, "\x00", 1);
    refuse(1, "\xcd\x04\x01", 3); /* 1025 */
    refuse(2, "\x00", 1);
    refuse(3, "\xff", 1);
    refuse(3, "\xcf\x80\x00\x00\x00\x00\x00\x00\x00", 9); /* 2^63 */
    refuse(4, "\xa0", 1);                                 /* empty */
    refuse(4, "\xb4xxxxxxxxxxxxxxxxxxxx", 21);            /* 20 bytes */
    refuse(4, "\xa2x\n", 3);
    refuse(4, "\xa2x\xff", 3); /* no UTF-8 */
    refuse(5, "\xa8xxxxxxxx", 9);
    refuse(5, "\x05", 1);
    refuse(6, "\x05", 1);
    refuse(6, "\xca\x7f\x80\x00\x00", 5);                 /* infinity */
    refuse(6, "\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", 9); /* not a number */
}

static void
what_is_no_map_is_no_reading(void **state)
{
    (void)state;
    struct packed packed;
    struct reading back;
    const char *reason = NULL;
    packed_init(&packed);
    msgpack_pack_int(&packed.packer, 0);
    assert_int_equal(unpack_reading(&packed, &back, &reason), ERROR_DAMAGED);
    assert_string_equal(reason, "is not a map");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ends_of_all_ranges_come_back_as_they_were),
        cmocka_unit_test(members_come_in_any_order_and_others_are_skipped),
        cmocka_unit_test(a_member_that_is_missing_or_doubled_is_named),
        cmocka_unit_test(values_out_of_range_or_of_another_type_are_refused),
        cmocka_unit_test(what_is_no_map_is_no_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
