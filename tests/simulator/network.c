#include "simulator/network.h"

#include <stdlib.h>
#include <string.h>

void
network_send(struct network *network, const struct message *message)
{
    if (network->count == NETWORK_MESSAGES_MAX) {
        network_lose(network, 0);
    }
    struct message *copy = &network->messages[network->count];
    *copy = *message;
    copy->data = malloc(message->size + 1);
    if (copy->data == NULL) {
        abort();
    }
    memcpy(copy->data, message->data, message->size);
    network->count++;
    network->sent++;
}

struct message
network_take(struct network *network, size_t number)
{
    struct message message = network->messages[number];
    network->count--;
    memmove(&network->messages[number], &network->messages[number + 1],
        (network->count - number) * sizeof message);
    return message;
}

void
network_lose(struct network *network, size_t number)
{
    struct message message = network_take(network, number);
    free(message.data);
    network->lost++;
}

void
network_clear(struct network *network)
{
    while (network->count > 0) {
        network_lose(network, network->count - 1);
    }
}
