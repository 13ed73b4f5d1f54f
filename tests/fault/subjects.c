#include "fault/subjects.h"

#include "fault/broker_subject.h"

#include <string.h>

struct subject *
subject_named(const char *name)
{
    if (strcmp(name, "broker") == 0) {
        return broker_subject_new(false);
    }
    if (strcmp(name, "small-broker") == 0) {
        return broker_subject_new(true);
    }
    return NULL;
}
