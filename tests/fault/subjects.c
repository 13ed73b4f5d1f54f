#include "fault/subjects.h"

#include "fault/broker_subject.h"
#include "fault/client_subject.h"

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
    return strcmp(name, "client") == 0 ? client_subject_new() : NULL;
}
