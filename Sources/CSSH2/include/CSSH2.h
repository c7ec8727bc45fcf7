#ifndef CSSH2_H
#define CSSH2_H

#include <libssh2.h>
#include <sys/types.h>

/* Constants that libssh2 writes as expressions with casts, which Swift does not import. */
static const int cssh2_type_plain_base64 =
    LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_BASE64;

/* The session's memory hook: `password` must outlive every login attempt. */
static inline LIBSSH2_SESSION *cssh2_session(void *password) {
    return libssh2_session_init_ex(NULL, NULL, NULL, password);
}

/* Answers each hidden prompt with the password given to cssh2_session, others with nothing. */
int cssh2_login_keyboard_interactive(LIBSSH2_SESSION *session, const char *user, unsigned length);

/* An eventfd; Swift's Glibc module lacks it, as it does what only _GNU_SOURCE declares. */
int cssh2_event(void);
void cssh2_event_signal(int event);
void cssh2_event_clear(int event);

/* Starts `path` in a session of its own, with `stream` as standard input and output, `errors` as
   standard error and nothing else open. It gets SIGTERM when the calling thread ends before it.
   Returns an error number. */
int cssh2_spawn(const char *path, char *const arguments[], int stream, int errors, pid_t *pid);

/* A copy of the TCP connection of a child of this process, or -1 where it has none or the kernel
   gives none (pidfd_getfd(2), Linux 5.6). */
int cssh2_connection(pid_t pid);

#endif
