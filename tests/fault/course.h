/**
 * course.h: runs something that keeps its data on a disk through faults, and judges what is left.
 *
 * A subject is a program on rails: a fixed row of steps, each of which promises that its effect is
 * on disk when it has answered. It knows from a run without faults what each step answers and what
 * its state is behind each. A course is one run of it on a fake disk where anything may fail. What
 * the disk holds afterwards is judged by opening it again: the state must be that behind the last
 * step that answered or, where another step was under way, the one behind that; and serving goes on
 * from there, with the same answers as ever.
 */
#ifndef STOCKBUS_TESTS_COURSE_H
#define STOCKBUS_TESTS_COURSE_H

#include "shared/error.h"
#include "support/fake_disk.h"

/** How a step ended, besides 0 and the errors that are final. */
enum {
    STEP_REFUSED = 1, /**< nothing was changed, it may be tried again */
    STEP_WRONG = 2,   /**< it answered something else than without faults */
};

struct subject;

/** What a subject does. A `diagnostic` gets a sentence whenever the result is not 0 or true. */
struct subject_calls {
    /** Opens what is in the directory. Returns 0 or an error. */
    int (*open)(struct subject *subject, struct files *files, struct diagnostic *diagnostic);
    /** Does step `number` (from 0). Returns 0, STEP_REFUSED, STEP_WRONG, or an error: final. */
    int (*step)(struct subject *subject, size_t number, struct diagnostic *diagnostic);
    /** Does the work between steps. Returns 0, STEP_REFUSED or an error: final. */
    int (*upkeep)(struct subject *subject, size_t number, struct diagnostic *diagnostic);
    /** May the step that failed have happened all the same? */
    bool (*is_doubtful)(const struct subject *subject);
    /** Is the state the one behind `steps` steps? */
    bool (*matches)(struct subject *subject, size_t steps, struct diagnostic *diagnostic);
    /** Closes it, in good order or as if killed. Returns 0 or an error. Closed already is fine. */
    int (*close)(struct subject *subject, bool in_order, struct diagnostic *diagnostic);
    void (*free)(struct subject *subject);
};

/** Others embed it as their first member. */
struct subject {
    const struct subject_calls *calls;
    const char *name;
    size_t step_count;
};

/** How a run went. */
struct course {
    size_t answered; /**< steps in all, also those of earlier runs */
    bool in_doubt;   /**< another one was under way */
    bool is_wrong;   /**< an answer was not what it should be; see the diagnostic */
    int error;       /**< that ended it; 0: it came to its end */
    struct diagnostic diagnostic;
};

/**
 * Opens the subject, does steps `course->answered` to before `end`, and closes it in good order, or
 * as if killed when `in_order` is false or something failed for good. A step that is refused is
 * tried a few times.
 */
void
course_run(struct subject *subject, struct fake_disk *disk, size_t end, bool in_order,
    struct course *course);

/** Counts a step that failed as answered: a planted fault, which the judge has to see. */
extern bool course_boasts;

/**
 * Judges what `course` left on `disk`, which no longer fails: opens it, compares, does
 * `more` further steps, ends as if killed, takes the power away with nothing unsynced surviving,
 * opens and compares again.
 *
 * Returns whether all is as promised, with the reason why not in `why`.
 */
bool
course_judge(struct subject *subject, struct fake_disk *disk, const struct course *course,
    size_t more, struct diagnostic *why);

/** Choices by which nothing unsynced survives. */
extern struct choices nothing_survives;

/** Choices by which everything does. */
extern struct choices everything_survives;

/** A hook that fails calls, for fake_disk_set_hooks() with itself as context. */
struct call_fault {
    uint64_t first; /**< call that fails, as fake_disk_calls() counts them */
    uint64_t count; /**< how many do from there on */
    int verdict;
    unsigned calls; /**< which calls: bit 1 << enum fake_call; 0: all */
    uint64_t hits;  /**< how often it struck */
};

/** The hook; `context` is a struct call_fault. */
int
call_fault_before(void *context, enum fake_call call, uint64_t number);

#endif
