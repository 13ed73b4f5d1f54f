/**
 * interrupt.h: Ctrl-C as something to wait for, instead of something that ends the process.
 *
 * One handler a process, so this is the one module with a state of its own.
 */
#ifndef STOCKBUS_CLIENT_INTERRUPT_H
#define STOCKBUS_CLIENT_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

/** Catches SIGINT from here on. Returns 0 or an error. */
int
interrupt_catch(void);

/** From here on a line is edited, or not: then the terminal shows no ^C by itself. */
void
interrupt_set_editing(bool editing);

/** Returns a descriptor that is readable once Ctrl-C was pressed; -1 before interrupt_catch(). */
int
interrupt_fd(void);

/** Was Ctrl-C pressed since the last call? */
bool
interrupt_take(void);

/** Waits `wait_ms` milliseconds. Returns 0, or ERROR_INTERRUPTED at once when Ctrl-C is pressed.
 * Other signals do not end the wait. */
int
interrupt_wait(int64_t wait_ms);

#endif
