#define _GNU_SOURCE
#include "CSSH2.h"

#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
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

int cssh2_spawn(const char *path, char *const arguments[], int stream, int errors, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, stream, 0);
    posix_spawn_file_actions_adddup2(&actions, stream, 1);
    posix_spawn_file_actions_adddup2(&actions, errors, 2);
    /* Other libraries of this process may have descriptors without close-on-exec. */
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    /* We may ignore SIGPIPE or block signals; the child must start as from a shell. */
    sigset_t every, none;
    sigfillset(&every);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes, &every);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSID);
    int result = posix_spawn(pid, path, &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return result;
}
