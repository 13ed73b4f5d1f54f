#include "broker/connection.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

size_t
connection_fd_count(void)
{
    struct rlimit limit;
    bool is_less =
        getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < CONNECTION_FD_COUNT_MAX;
    return is_less ? (size_t)limit.rlim_cur : CONNECTION_FD_COUNT_MAX;
}

bool
connection_know(int fd, struct connection *connection)
{
    uint64_t cookie;
    struct tcp_info info = {0}; /* of an older kernel, which fills in less of it */
    socklen_t cookie_size = sizeof cookie;
    socklen_t info_size = sizeof info;
    /* The cookie first. */
    if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &cookie_size) != 0 ||
        getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_size) != 0) {
        return false;
    }
    *connection = (struct connection){cookie, info.tcpi_bytes_received, info.tcpi_data_segs_out};
    return true;
}

size_t
connection_unread(int fd)
{
    int unread;
    return ioctl(fd, SIOCINQ, &unread) == 0 && unread > 0 ? (size_t)unread : 0;
}

int
connection_bound_unread(int fd, int bytes)
{
    return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0 ? 0 : errno;
}

int
connection_shut_door(int listening_fd, bool is_shut)
{
    struct sock_filter drop_all = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog program = {1, &drop_all};
    const int unused = 0;
    int failed =
        is_shut ? setsockopt(listening_fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program)
                : setsockopt(listening_fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
    return failed != 0 ? errno : 0;
}

bool
connection_cut(int fd)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    return connect(fd, &nobody, sizeof nobody) == 0;
}
