#include "client/interrupt.h"

#include "shared/error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A pipe to this process itself: written by the handler, read by interrupt_take(). */
static int ends[2] = {-1, -1};

static void
handle(int signal_number)
{
    int saved = errno;
    (void)signal_number;
    /* A full pipe is as good as another byte in it. */
    ssize_t put = write(ends[1], "!", 1);
    (void)put;
    errno = saved;
}

int
interrupt_catch(void)
{
    if (ends[0] >= 0) {
        return 0;
    }
    if (pipe(ends) < 0) {
        return error_from_errno(errno);
    }
    for (int i = 0; i < 2; i++) {
        (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        (void)fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handle;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGINT, &action, NULL) < 0 ? error_from_errno(errno) : 0;
}

int
interrupt_fd(void)
{
    return ends[0];
}

bool
interrupt_take(void)
{
    char bytes[16];
    bool taken = false;
    while (ends[0] >= 0 && read(ends[0], bytes, sizeof bytes) > 0) {
        taken = true;
    }
    return taken;
}

int
interrupt_wait(int64_t wait_ms)
{
    struct pollfd wait_for = {.fd = ends[0], .events = POLLIN};
    int timeout = wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
    int ready = poll(&wait_for, 1, timeout);
    return ready == 0 ? 0 : ERROR_INTERRUPTED;
}
