/**
 * broker_subject.h: the broker's engine on rails: logins, purchases large and small, refusals,
 * deliveries, orders given up, logouts, full journals and snapshots beside them.
 *
 * What it should do comes from a model that knows replies alone: it adds and subtracts the units of
 * the orders that were filled, and keeps the bytes of the last reply of each session.
 */
#ifndef STOCKBUS_TESTS_BROKER_SUBJECT_H
#define STOCKBUS_TESTS_BROKER_SUBJECT_H

#include "fault/course.h"

/** Where its data is. */
#define BROKER_SUBJECT_DIRECTORY "data"

/** Makes the subject; it runs once without faults, and ends the test where that goes wrong. With
 * `is_small` there are few items and small orders, and no journal fills up. */
struct subject *
broker_subject_new(bool is_small);

/** Lets the clock of all brokers go on by `ms`. */
void
broker_subject_wait(uint64_t ms);

#endif
