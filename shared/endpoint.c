#include "shared/endpoint.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cuts "tcp://HOST:PORT" into its parts. Returns false when it is not of that form. */
static bool
split(const char *text, char host[ENDPOINT_SIZE], char port[8])
{
    static const char scheme[] = "tcp://";
    if (strncmp(text, scheme, sizeof scheme - 1) != 0 || strlen(text) >= ENDPOINT_SIZE) {
        return false;
    }
    text += sizeof scheme - 1;
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || strlen(colon + 1) == 0 || strlen(colon + 1) > 5) {
        return false;
    }
    size_t size = (size_t)(colon - text);
    if (text[0] == '[') {
        if (size < 3 || text[size - 1] != ']') {
            return false;
        }
        text++;
        size -= 2;
    } else if (memchr(text, ':', size) != NULL) {
        return false;
    }
    memcpy(host, text, size);
    host[size] = '\0';
    snprintf(port, 8, "%s", colon + 1);
    return true;
}

static bool
is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, address, sizeof ipv4);
        return ntohl(ipv4.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 ipv6;
    memcpy(&ipv6, address, sizeof ipv6);
    return IN6_IS_ADDR_LOOPBACK(&ipv6.sin6_addr);
}

int
endpoint_parse(const char *text, struct endpoint *endpoint, struct diagnostic *diagnostic)
{
    char host[ENDPOINT_SIZE];
    char port[8];
    if (!split(text, host, port)) {
        return diagnostic_set(
            diagnostic, ERROR_INVALID, "'%s' is not of the form tcp://HOST:PORT", text);
    }
    bool any_port = strcmp(port, "*") == 0;
    unsigned long number = strtoul(port, NULL, 10);
    if (!any_port && (strspn(port, "0123456789") != strlen(port) || number < 1 || number > 65535)) {
        return diagnostic_set(
            diagnostic, ERROR_INVALID, "'%s': a port is a number from 1 to 65535, or *", text);
    }
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {
        .ai_family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
    };
    int failed =
        getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, any_port ? "0" : port, &hints, &found);
    if (failed != 0) {
        return diagnostic_set(diagnostic, ERROR_INVALID, "'%s': %s", text, gai_strerror(failed));
    }
    *endpoint = (struct endpoint){.address_size = found->ai_addrlen};
    memcpy(&endpoint->address, found->ai_addr, found->ai_addrlen);
    endpoint->is_ipv6 = found->ai_family == AF_INET6;
    endpoint->is_loopback = is_loopback(&endpoint->address);
    freeaddrinfo(found);
    return 0;
}
