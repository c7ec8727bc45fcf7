#ifndef SYNC2NAS_CSSH2_H
#define SYNC2NAS_CSSH2_H

#include <libssh2.h>

/* Macros, which Swift cannot call. */

static inline LIBSSH2_SESSION *sync2nas_ssh2_session(void) { return libssh2_session_init(); }

static inline LIBSSH2_CHANNEL *sync2nas_ssh2_open_channel(LIBSSH2_SESSION *session,
                                                          unsigned int window) {
    return libssh2_channel_open_ex(session, "session", sizeof("session") - 1, window,
                                   LIBSSH2_CHANNEL_PACKET_DEFAULT, NULL, 0);
}

static inline int sync2nas_ssh2_start_sftp(LIBSSH2_CHANNEL *channel) {
    return libssh2_channel_subsystem(channel, "sftp");
}

static inline ssize_t sync2nas_ssh2_read(LIBSSH2_CHANNEL *channel, char *buffer, size_t length) {
    return libssh2_channel_read(channel, buffer, length);
}

static inline ssize_t sync2nas_ssh2_write(LIBSSH2_CHANNEL *channel, const char *bytes,
                                          size_t length) {
    return libssh2_channel_write(channel, bytes, length);
}

static inline int sync2nas_ssh2_disconnect(LIBSSH2_SESSION *session) {
    return libssh2_session_disconnect(session, "done");
}

/* Answers every question of the server with the password, as a login prompt does. */
int sync2nas_ssh2_login_interactively(LIBSSH2_SESSION *session, const char *user,
                                      const char *password);

#endif
