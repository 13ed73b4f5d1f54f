#include "broker/service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

/* Writes where `fd` listens as an endpoint. Returns whether it has an address. */
static bool
write_endpoint(int fd, char endpoint[ENDPOINT_SIZE])
{
    struct sockaddr_in6 ipv6;
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char host[INET6_ADDRSTRLEN];
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        return false;
    }
    if (address.ss_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, &address, sizeof ipv4);
        inet_ntop(AF_INET, &ipv4.sin_addr, host, sizeof host);
        snprintf(endpoint, ENDPOINT_SIZE, "tcp://%s:%u", host, ntohs(ipv4.sin_port));
        return true;
    }
    memcpy(&ipv6, &address, sizeof ipv6);
    inet_ntop(AF_INET6, &ipv6.sin6_addr, host, sizeof host);
    snprintf(endpoint, ENDPOINT_SIZE, "tcp://[%s]:%u", host, ntohs(ipv6.sin6_port));
    return true;
}

/* ZeroMQ would end the process over a descriptor that does not listen. */
static bool
is_listening(int fd)
{
    return sd_is_socket(fd, AF_INET, SOCK_STREAM, 1) > 0 ||
           sd_is_socket(fd, AF_INET6, SOCK_STREAM, 1) > 0;
}

/* A lane that blocks in accept() would hold up all others. */
static bool
unblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

int
service_take_sockets(struct service_sockets *sockets, struct diagnostic *diagnostic)
{
    int count = sd_listen_fds(1);
    *sockets = (struct service_sockets){.count = 0};
    if (count < 0) {
        return diagnostic_set(
            diagnostic, ERROR_INVALID, "the sockets handed over: %s", strerror(-count));
    }
    if (count > LANES_MAX) {
        return diagnostic_set(diagnostic, ERROR_INVALID,
            "%d sockets were handed over; at most %d can be lanes", count, LANES_MAX);
    }
    for (int i = 0; i < count; i++) {
        char endpoint[ENDPOINT_SIZE];
        int fd = SD_LISTEN_FDS_START + i;
        if (!is_listening(fd) || !write_endpoint(fd, endpoint)) {
            return diagnostic_set(diagnostic, ERROR_INVALID,
                "descriptor %d, which was handed over, is no listening TCP socket", fd);
        }
        if (i > 0 && strcmp(endpoint, sockets->endpoint) != 0) {
            return diagnostic_set(diagnostic, ERROR_INVALID,
                "descriptor %d, which was handed over, listens on %s and not on %s as the first",
                fd, endpoint, sockets->endpoint);
        }
        if (!unblock(fd)) {
            return diagnostic_set(diagnostic, ERROR_INVALID,
                "descriptor %d, which was handed over: %s", fd, strerror(errno));
        }
        memcpy(sockets->endpoint, endpoint, sizeof endpoint);
        sockets->fds[i] = fd;
    }
    sockets->count = (size_t)count;
    return 0;
}

/* Whether anybody listens to what is told makes no difference to the broker. */

void
service_ready(const char *endpoint)
{
    (void)sd_notifyf(0, "READY=1\nSTATUS=serving on %s", endpoint);
}

void
service_reloading(void)
{
    (void)sd_notify(0, "RELOADING=1");
}

void
service_reloaded(void)
{
    (void)sd_notify(0, "READY=1");
}

void
service_stopping(bool writes_snapshot)
{
    (void)sd_notify(0, writes_snapshot ? "STOPPING=1\nSTATUS=writing the snapshot" : "STOPPING=1");
}
