#ifndef SYNC2NAS_CSYSTEM_H
#define SYNC2NAS_CSYSTEM_H

#include <spawn.h>
#include <stdint.h>
#include <sys/types.h>

/* Linux calls that Swift's Glibc module does not show. */

/* An eventfd(2) that does not block and is not inherited; -1 with errno on failure. */
int sync2nas_eventfd(void);

/* pipe2(2) with both ends not inherited. */
int sync2nas_pipe(int ends[2]);

/* POSIX_SPAWN_SETSID: the child gets a session of its own, without a terminal. */
short sync2nas_spawn_setsid(void);

/* Has the child start in `directory`. */
int sync2nas_spawn_in(posix_spawn_file_actions_t *actions, const char *directory);

/* Has the child start without the descriptors from `first` on. */
int sync2nas_spawn_without(posix_spawn_file_actions_t *actions, int first);

/* A memfd of `size` zero bytes that is not inherited; -1 with errno on failure. */
int sync2nas_memory_file(uint64_t size);

/* socketpair(2): a pair of sockets that keep messages apart and are not inherited. */
int sync2nas_message_sockets(int ends[2]);

/* Sends one message, with `descriptor` beside it unless that is negative. 0, or -1 with errno. */
int sync2nas_send(int socket, const void *bytes, size_t count, int descriptor);

/* Receives one message. `descriptor` becomes the one that came with it, not inherited, or -1.
   Returns its length, 0 when the other end is closed, -1 with errno on failure. */
ssize_t sync2nas_receive(int socket, void *bytes, size_t count, int *descriptor);

#endif
