#define _GNU_SOURCE
#include "CSSH2.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int cssh2_event(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void cssh2_event_signal(int event) {
    /* Fails only when 2^64 - 2 signals are unread; then it is readable anyway. */
    (void)eventfd_write(event, 1);
}

void cssh2_event_clear(int event) {
    eventfd_t count;
    (void)eventfd_read(event, &count);
}

/* The child of vfork(2): the caller's memory is ours as well, and it waits until we leave. */
static void become(const char *path, char *const arguments[], int stream, int errors,
                   pid_t parent) {
    /* The caller may ignore SIGPIPE or block signals; we must start as from a shell. */
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    /* Killed between the two, the caller would leave us for ever. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent) return;
    if (dup2(stream, 0) < 0 || dup2(stream, 1) < 0 || dup2(errors, 2) < 0) return;
    /* Other libraries of this process may have descriptors without close-on-exec. */
    closefrom(3);
    execve(path, arguments, environ);
}

/* Not posix_spawn(3): it cannot make the child end with its parent. */
int cssh2_spawn(const char *path, char *const arguments[], int stream, int errors, pid_t *pid) {
    sigset_t every, before;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    pid_t parent = getpid();
    volatile int reason = 0;
    pid_t child = vfork();
    if (child == 0) {
        become(path, arguments, stream, errors, parent);
        reason = errno;
        _exit(127);
    }
    if (child < 0) reason = errno;
    if (child > 0 && reason != 0) waitpid(child, NULL, 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *pid = child;
    return reason;
}

int cssh2_connection(pid_t pid) {
    int process = (int)syscall(SYS_pidfd_open, pid, 0), found = -1;
    /* ssh opens it among the first. */
    for (int number = 3; process >= 0 && found < 0 && number < 16; number++) {
        int copy = (int)syscall(SYS_pidfd_getfd, process, number, 0), protocol = 0;
        socklen_t size = sizeof protocol;
        if (copy < 0) continue;
        if (getsockopt(copy, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0
            && protocol == IPPROTO_TCP)
            found = copy;
        else
            close(copy);
    }
    if (process >= 0) close(process);
    return found;
}
