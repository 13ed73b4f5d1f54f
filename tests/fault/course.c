#include "fault/course.h"

enum {
    REFUSED_MAX = 4
};

static size_t
pick_first(struct choices *choices, size_t count)
{
    (void)choices;
    (void)count;
    return 0;
}

static size_t
pick_last(struct choices *choices, size_t count)
{
    (void)choices;
    return count - 1;
}

struct choices nothing_survives = {pick_first};
struct choices everything_survives = {pick_last};

int
call_fault_before(void *context, enum fake_call call, uint64_t number)
{
    struct call_fault *fault = context;
    if (number < fault->first || number - fault->first >= fault->count ||
        (fault->calls != 0 && (fault->calls & 1U << call) == 0)) {
        return FAKE_GO;
    }
    fault->hits++;
    return fault->verdict;
}

bool course_boasts;

/* Does one step, again where it is refused. Returns 0, STEP_REFUSED, STEP_WRONG or an error. */
static int
take_step(struct subject *subject, size_t number, struct course *course)
{
    int result = STEP_REFUSED;
    for (int i = 0; i < REFUSED_MAX && result == STEP_REFUSED; i++) {
        result = subject->calls->step(subject, number, &course->diagnostic);
    }
    return result;
}

void
course_run(struct subject *subject, struct fake_disk *disk, size_t end, bool in_order,
    struct course *course)
{
    struct files *files = fake_disk_files(disk);
    course->in_doubt = false;
    course->error = subject->calls->open(subject, files, &course->diagnostic);
    if (course->error != 0) {
        return;
    }
    while (course->error == 0 && course->answered < end) {
        course->error = take_step(subject, course->answered, course);
        if (course->error == 0) {
            course->answered++;
            int result = subject->calls->upkeep(subject, course->answered - 1, &course->diagnostic);
            course->error = result == STEP_REFUSED ? 0 : result;
        } else {
            course->is_wrong = course->error == STEP_WRONG;
            course->in_doubt =
                course->error != STEP_REFUSED && subject->calls->is_doubtful(subject);
        }
    }
    if (course_boasts && course->error != 0 && course->answered < end) {
        course->answered++;
    }
    bool may_keep = in_order && (course->error == 0 || course->error == STEP_REFUSED);
    int error = subject->calls->close(subject, may_keep, &course->diagnostic);
    if (course->error == 0) {
        course->error = error;
    }
}

/* Opens what is there and sees which step it stands behind. */
static bool
open_and_compare(struct subject *subject, struct fake_disk *disk, size_t answered, bool in_doubt,
    size_t *steps, struct diagnostic *why)
{
    struct diagnostic reason = {""};
    int error = subject->calls->open(subject, fake_disk_files(disk), &reason);
    if (error != 0) {
        diagnostic_set(why, 0, "behind step %zu: does not open: %s", answered, reason.text);
        return false;
    }
    *steps = answered;
    if (subject->calls->matches(subject, answered, &reason)) {
        return true;
    }
    *steps = answered + 1;
    struct diagnostic other = {""};
    if (in_doubt && subject->calls->matches(subject, answered + 1, &other)) {
        return true;
    }
    diagnostic_set(why, 0, "behind step %zu: %s", answered, reason.text);
    (void)subject->calls->close(subject, false, NULL);
    return false;
}

bool
course_judge(struct subject *subject, struct fake_disk *disk, const struct course *course,
    size_t more, struct diagnostic *why)
{
    if (course->is_wrong) {
        *why = course->diagnostic;
        return false;
    }
    size_t steps = 0;
    if (!open_and_compare(subject, disk, course->answered, course->in_doubt, &steps, why)) {
        return false;
    }
    (void)subject->calls->close(subject, false, NULL);
    fake_disk_kill(disk);

    struct course next = {.answered = steps};
    size_t end = steps + more < subject->step_count ? steps + more : subject->step_count;
    course_run(subject, disk, end, false, &next);
    if (next.error != 0) {
        diagnostic_set(why, 0, "going on behind step %zu: %s", steps, next.diagnostic.text);
        return false;
    }
    fake_disk_crash(disk, &nothing_survives);
    if (!open_and_compare(subject, disk, end, false, &steps, why)) {
        return false;
    }
    (void)subject->calls->close(subject, false, NULL);
    fake_disk_kill(disk);
    return true;
}
