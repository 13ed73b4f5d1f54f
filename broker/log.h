/**
 * log.h: what the broker tells on standard error, one line a happening.
 */
#ifndef STOCKBUS_BROKER_LOG_H
#define STOCKBUS_BROKER_LOG_H

/** Writes "stockd: " and the sentence as one line, in one call. Any thread. */
void
log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
