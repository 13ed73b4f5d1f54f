/**
 * wire.h: sends messages over ZeroMQ that leave nothing behind in memory.
 *
 * libzmq copies what zmq_send() is given, and frees the copy as it is. A password or a token would
 * stay there until the memory is used for something else.
 */
#ifndef STOCKBUS_SHARED_WIRE_H
#define STOCKBUS_SHARED_WIRE_H

#include <stddef.h>

/**
 * Sends one frame without blocking; libzmq's copy of it is wiped when it has gone out. `data` stays
 * the caller's, to be wiped as well. For the thread that owns the socket.
 *
 * Returns 0, ERROR_MEMORY, or ERROR_NETWORK where the socket takes nothing now.
 */
int
wire_send_wiped(void *socket, const void *data, size_t size);

#endif
