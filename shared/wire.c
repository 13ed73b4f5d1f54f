#include "shared/wire.h"

#include "shared/error.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static void
wipe_and_free(void *data, void *size)
{
    sodium_memzero(data, (size_t)(uintptr_t)size);
    free(data);
}

int
wire_send_wiped(void *socket, const void *data, size_t size)
{
    zmq_msg_t message;
    void *copy = malloc(size);
    if (copy == NULL) {
        return ERROR_MEMORY;
    }
    memcpy(copy, data, size);
    if (zmq_msg_init_data(&message, copy, size, wipe_and_free, (void *)(uintptr_t)size) != 0) {
        wipe_and_free(copy, (void *)(uintptr_t)size);
        return ERROR_MEMORY;
    }
    if (zmq_msg_send(&message, socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&message);
        return ERROR_NETWORK;
    }
    return 0;
}
