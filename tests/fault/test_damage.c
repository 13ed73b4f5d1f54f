/*
 * test_damage.c: every byte of a data directory is flipped, and every file cut at every byte, and
 * what recovery makes of it is held against the table in shared/store.h.
 *
 * usage: test_damage SUBJECT [BITS]     flip each of the lowest BITS bits (1), not one in turn
 *        test_damage SUBJECT spare      flip nothing; then the test has to fail
 */
#include "support/cmocka_headers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/fsck.h"
#include "fault/broker_subject.h"
#include "fault/client_subject.h"
#include "fault/subjects.h"
#include "shared/generations.h"
#include "shared/journal.h"

enum {
    RECORDS_MAX = 64,
    ZERO_STEP = 97 /* of the zeros behind the records, only every so many */
};

static struct {
    struct subject *subject;
    const char *directory;
    int bits;
    bool is_spared;         /* a planted fault: nothing is flipped */
    size_t steps;           /* that were done and answered */
    struct fake_disk *disk; /* two generations, with records in both journals */
    uint64_t flips;
    uint64_t cuts;
    uint64_t refused; /* as damaged */
    uint64_t torn;    /* taken for a torn tail */
} damage;

/* Where the records of a file are. */
struct layout {
    size_t count;                   /* the header included */
    size_t starts[RECORDS_MAX + 1]; /* with the end of the last one */
    size_t size;
};

enum sort {
    SNAPSHOT_OLD,
    JOURNAL_OLD,
    SNAPSHOT_NEW,
    JOURNAL_NEW,
    SORTS
};

static char names[SORTS][GENERATION_NAME_SIZE];

/* What has to come of it. */
enum verdict {
    WHOLE,   /* everything is there */
    TORN,    /* everything but the last steps is there, silently */
    REFUSED, /* ERROR_DAMAGED, with the file's name */
};

static const char *
path_of(enum sort sort)
{
    static char path[FILES_PATH_SIZE];
    assert_int_equal(files_join(path, sizeof path, damage.directory, names[sort]), 0);
    return path;
}

static int
note_record(void *context, uint64_t number, const msgpack_object *body, int64_t offset,
    struct diagnostic *diagnostic)
{
    struct layout *layout = context;
    (void)number;
    (void)body;
    (void)diagnostic;
    assert_in_range(layout->count, 0, RECORDS_MAX - 1);
    layout->starts[layout->count++] = (size_t)offset;
    return 0;
}

static void
lay_out(enum sort sort, struct layout *layout)
{
    struct journal_summary summary;
    struct diagnostic diagnostic = {""};
    *layout = (struct layout){.count = 1};
    if (journal_read(fake_disk_files(damage.disk), path_of(sort), note_record, layout, &summary,
            &diagnostic) != 0) {
        fail_msg("%s", diagnostic.text);
    }
    layout->starts[layout->count] = (size_t)summary.end;
    assert_non_null(fake_disk_get(damage.disk, path_of(sort), &layout->size));
}

/* Returns the record that `at` is in; `count` when it is behind all. */
static size_t
record_at(const struct layout *layout, size_t at)
{
    size_t record = 0;
    while (record < layout->count && layout->starts[record + 1] <= at) {
        record++;
    }
    return record;
}

/* Opens what `disk` holds and compares. `lost` steps may be missing with TORN. */
static void
expect(struct fake_disk *disk, enum sort sort, size_t at, const char *what, enum verdict verdict,
    size_t lost, int64_t offset)
{
    struct subject *subject = damage.subject;
    struct diagnostic why = {""};
    char words[64];
    int error = subject->calls->open(subject, fake_disk_files(disk), &why);
    if (verdict == REFUSED) {
        snprintf(words, sizeof words, "offset %" PRId64 ":", offset);
        if (error != ERROR_DAMAGED || strstr(why.text, damage.directory) == NULL ||
            (offset >= 0 &&
                (strstr(why.text, names[sort]) == NULL || strstr(why.text, words) == NULL))) {
            fail_msg("%s %s at %zu: should be refused as damaged at %" PRId64 ": %s", names[sort],
                what, at, offset, why.text);
        }
        damage.refused++;
        (void)subject->calls->close(subject, false, NULL);
        fake_disk_free(&disk);
        return;
    }
    if (error != 0) {
        fail_msg("%s %s at %zu: does not open: %s", names[sort], what, at, why.text);
    }
    size_t steps = verdict == TORN ? damage.steps - lost : damage.steps;
    if (!subject->calls->matches(subject, steps, &why)) {
        fail_msg("%s %s at %zu: %s", names[sort], what, at, why.text);
    }
    damage.torn += verdict == TORN;
    (void)subject->calls->close(subject, false, NULL);
    fake_disk_free(&disk);
}

/* With the newest snapshot good, nothing before it is read. */
static void
expect_damage(
    struct fake_disk *disk, enum sort sort, const struct layout *layout, size_t at, bool is_cut)
{
    const char *what = is_cut ? "cut" : "flipped";
    size_t record = record_at(layout, at);
    bool is_last = record + 1 >= layout->count;
    if (sort != JOURNAL_NEW || record == layout->count) {
        expect(disk, sort, at, what, WHOLE, 0, 0);
    } else if (record == 0) {
        expect(disk, sort, at, what, REFUSED, 0, 0);
    } else if (is_cut || is_last) {
        expect(disk, sort, at, what, TORN, layout->count - record, 0);
    } else {
        expect(disk, sort, at, what, REFUSED, 0, (int64_t)layout->starts[record]);
    }
}

/* With the newest snapshot damaged already, all else is read. */
static void
expect_double_damage(
    struct fake_disk *disk, enum sort sort, const struct layout *layout, size_t at, bool is_cut)
{
    const char *what = is_cut ? "cut, without the newest snapshot," : "flipped, likewise,";
    size_t record = record_at(layout, at);
    bool is_last = record + 1 >= layout->count;
    if (sort == SNAPSHOT_OLD) {
        expect(disk, sort, at, what, REFUSED, 0, -1);
    } else if (sort == SNAPSHOT_NEW) {
        expect(disk, sort, at, what, WHOLE, 0, 0);
    } else if (sort == JOURNAL_NEW) {
        expect_damage(disk, sort, layout, at, is_cut);
    } else if (record == layout->count) {
        expect(disk, sort, at, what, WHOLE, 0, 0);
    } else if (record == 0) {
        expect(disk, sort, at, what, REFUSED, 0, 0);
    } else if (is_cut || is_last) {
        expect(disk, JOURNAL_NEW, at, what, REFUSED, 0, 0); /* which does not follow */
    } else {
        expect(disk, sort, at, what, REFUSED, 0, (int64_t)layout->starts[record]);
    }
}

/* What stock-fsck has to say: all damage is told, but for what looks like a torn tail. */
static void
expect_told(
    struct fake_disk *disk, enum sort sort, const struct layout *layout, size_t at, bool is_cut)
{
    struct fsck fsck;
    struct diagnostic diagnostic = {""};
    size_t record = record_at(layout, at);
    bool is_torn = sort == JOURNAL_NEW && record > 0 && (is_cut || record + 1 >= layout->count);
    bool is_told = !is_torn && record < layout->count;
    int error = fsck_read(&fsck, fake_disk_files(disk), damage.directory, &diagnostic);
    if (error != 0) {
        fail_msg("%s at %zu: %s", names[sort], at, diagnostic.text);
    }
    if ((fsck.damage.text[0] != '\0') != is_told ||
        (is_told && (strstr(fsck.damage.text, damage.directory) == NULL ||
                        strstr(fsck.damage.text, "offset ") == NULL))) {
        fail_msg("%s %s at %zu, record %zu of %zu: '%s'", names[sort], is_cut ? "cut" : "flipped",
            at, record, layout->count, fsck.damage.text);
    }
    damage.refused += is_told;
    damage.torn += is_torn;
    fsck_fini(&fsck);
    fake_disk_free(&disk);
}

typedef void
expect_fn(
    struct fake_disk *disk, enum sort sort, const struct layout *layout, size_t at, bool is_cut);

static struct fake_disk *
copy_with(enum sort sort, const unsigned char *bytes, size_t size)
{
    struct fake_disk *disk = fake_disk_clone(damage.disk);
    fake_disk_put(disk, path_of(sort), bytes, size);
    return disk;
}

static void
damage_file(enum sort sort, expect_fn *judge)
{
    struct layout layout;
    lay_out(sort, &layout);
    unsigned char *bytes = malloc(layout.size);
    assert_non_null(bytes);
    size_t size = 0;
    memcpy(bytes, fake_disk_get(damage.disk, path_of(sort), &size), layout.size);
    size_t end = layout.starts[layout.count];
    for (size_t at = 0; at < layout.size; at += at < end + 64 ? 1 : ZERO_STEP) {
        for (int bit = 0; bit < damage.bits; bit++) {
            unsigned bit_number = damage.bits == 1 ? at % 8 : (unsigned)bit;
            unsigned char mask = (unsigned char)(damage.is_spared ? 0U : 1U << bit_number);
            bytes[at] ^= mask;
            judge(copy_with(sort, bytes, layout.size), sort, &layout, at, false);
            bytes[at] ^= mask;
            damage.flips++;
        }
        /* A cut right at the end of a record leaves the record. */
        judge(copy_with(sort, bytes, at), sort, &layout, at, true);
        damage.cuts++;
    }
    free(bytes);
}

static void
report(const char *of)
{
    printf("%s, %s: %" PRIu64 " flips, %" PRIu64 " cuts; %" PRIu64 " refused as damaged, %" PRIu64
           " taken for a torn tail, the others whole\n",
        damage.subject->name, of, damage.flips, damage.cuts, damage.refused, damage.torn);
    damage.flips = damage.cuts = damage.refused = damage.torn = 0;
}

static void
damage_anywhere_has_the_outcome_of_the_table(void **state)
{
    (void)state;
    for (int sort = 0; sort < SORTS; sort++) {
        damage_file((enum sort)sort, expect_damage);
    }
    report("one file damaged");
}

static void
damage_anywhere_is_told_by_fsck(void **state)
{
    (void)state;
    for (int sort = 0; sort < SORTS; sort++) {
        damage_file((enum sort)sort, expect_told);
    }
    report("read by fsck");
}

static void
damage_beside_a_damaged_snapshot_has_the_outcome_of_the_table(void **state)
{
    (void)state;
    size_t size = 0;
    const unsigned char *bytes = fake_disk_get(damage.disk, path_of(SNAPSHOT_NEW), &size);
    unsigned char *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    copy[size / 2] ^= 1;
    struct fake_disk *whole = damage.disk;
    damage.disk = copy_with(SNAPSHOT_NEW, copy, size);
    damage_file(SNAPSHOT_OLD, expect_double_damage);
    damage_file(JOURNAL_OLD, expect_double_damage);
    damage_file(JOURNAL_NEW, expect_double_damage);
    report("and the newest snapshot");
    fake_disk_free(&damage.disk);
    damage.disk = whole;
    free(copy);
}

static void
find_names(void)
{
    struct listing listing;
    assert_int_equal(listing_init(&listing, fake_disk_files(damage.disk), damage.directory), 0);
    assert_int_equal(listing.snapshots.count, 2);
    assert_int_equal(listing.journals.count, 2);
    for (int i = 0; i < 2; i++) {
        generation_name(names[i * 2], "snapshot", listing.snapshots.numbers[i]);
        generation_name(names[i * 2 + 1], "journal", listing.journals.numbers[i]);
    }
    listing_fini(&listing);
}

/* Two processes, the second killed too: two generations, with records in both. */
static int
make_directory(void **state)
{
    (void)state;
    struct course course = {.answered = 0};
    damage.disk = fake_disk_new();
    course_run(damage.subject, damage.disk, damage.steps / 2, false, &course);
    fake_disk_kill(damage.disk);
    course_run(damage.subject, damage.disk, damage.steps, false, &course);
    fake_disk_kill(damage.disk);
    find_names();
    return course.error;
}

static int
remove_directory(void **state)
{
    (void)state;
    fake_disk_free(&damage.disk);
    return 0;
}

int
main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_anywhere_has_the_outcome_of_the_table),
        cmocka_unit_test(damage_anywhere_is_told_by_fsck),
        cmocka_unit_test(damage_beside_a_damaged_snapshot_has_the_outcome_of_the_table),
    };
    damage.subject = count >= 2 ? subject_named(arguments[1]) : NULL;
    damage.is_spared = count == 3 && strcmp(arguments[2], "spare") == 0;
    damage.bits = count == 3 && !damage.is_spared ? (int)strtol(arguments[2], NULL, 10) : 1;
    if (damage.subject == NULL || damage.bits < 1 || damage.bits > 8) {
        fprintf(stderr, "usage: test_damage SUBJECT [BITS|spare]\n");
        return 2;
    }
    bool is_client = strcmp(damage.subject->name, "client") == 0;
    damage.directory = is_client ? CLIENT_SUBJECT_DIRECTORY : BROKER_SUBJECT_DIRECTORY;
    damage.steps = is_client ? 7 : damage.subject->step_count;
    int failed = cmocka_run_group_tests(tests, make_directory, remove_directory);
    damage.subject->calls->free(damage.subject);
    return failed;
}
