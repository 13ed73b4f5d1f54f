/*
 * A REP socket that sends back what it gets: what libzmq alone can do, with nothing on disk.
 * usage: echo     (prints its port; ends on any signal)
 */
#include <stdio.h>
#include <string.h>
#include <zmq.h>

int
main(void)
{
    char endpoint[64];
    size_t size = sizeof endpoint;
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_REP);
    zmq_msg_t message;
    const int backlog = 1024;
    zmq_setsockopt(socket, ZMQ_BACKLOG, &backlog, sizeof backlog);
    if (zmq_bind(socket, "tcp://127.0.0.1:*") != 0 ||
        zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size) != 0) {
        perror("echo");
        return 1;
    }
    puts(strrchr(endpoint, ':') + 1);
    fflush(stdout);
    zmq_msg_init(&message);
    while (zmq_msg_recv(&message, socket, 0) >= 0 && zmq_msg_send(&message, socket, 0) >= 0) {
    }
    return 0;
}
