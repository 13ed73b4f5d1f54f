/** subjects.h: the subjects by name, for tests that take one as an argument. */
#ifndef STOCKBUS_TESTS_SUBJECTS_H
#define STOCKBUS_TESTS_SUBJECTS_H

#include "fault/course.h"

/** Makes subject `name`: "broker", "small-broker" or "client". Returns NULL when there is none. */
struct subject *
subject_named(const char *name);

#endif
