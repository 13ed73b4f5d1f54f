#include "client/interrupt.h"

#include "client/clock.h"
#include "shared/error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* A pipe to this process itself: written by the handler, read by interrupt_take(). */
static int ends[2] = {-1, -1};

static volatile sig_atomic_t is_editing;

/* Ends the line in which the terminal has shown ^C, so that what is told next begins another. */
static void
end_line(void)
{
    struct termios mode;
    if (!is_editing && tcgetattr(STDIN_FILENO, &mode) == 0 && (mode.c_lflag & ECHO) != 0 &&
        isatty(STDERR_FILENO) == 1) {
        ssize_t put = write(STDERR_FILENO, "\n", 1);
        (void)put;
    }
}

static void
handle(int signal_number)
{
    int saved = errno;
    (void)signal_number;
    end_line();
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

void
interrupt_set_editing(bool editing)
{
    is_editing = editing;
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
    int64_t end_ms = clock_now_ms() + wait_ms;
    int ready;
    do {
        int64_t left_ms = end_ms - clock_now_ms();
        int timeout = left_ms > INT_MAX ? INT_MAX : (int)left_ms;
        ready = poll(&wait_for, 1, timeout > 0 ? timeout : 0);
    } while (ready < 0 && errno == EINTR);
    return ready == 0 ? 0 : ERROR_INTERRUPTED;
}
