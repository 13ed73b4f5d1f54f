/**
 * client_subject.h: a client's local inventory on rails: logins, orders written down and settled,
 * released or set aside, logouts, and a new process every few steps.
 *
 * What it should hold comes from a model that adds up what the steps say.
 */
#ifndef STOCKBUS_TESTS_CLIENT_SUBJECT_H
#define STOCKBUS_TESTS_CLIENT_SUBJECT_H

#include "fault/course.h"

/** Where its data is. */
#define CLIENT_SUBJECT_DIRECTORY "state/of/client"

/** Makes the subject. */
struct subject *
client_subject_new(void);

#endif
