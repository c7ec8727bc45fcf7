#ifndef SYNC2NAS_CSYSTEM_H
#define SYNC2NAS_CSYSTEM_H

/* Linux calls that Swift's Glibc module does not show. */

/* An eventfd(2) that does not block and is not inherited; -1 with errno on failure. */
int sync2nas_eventfd(void);

/* pipe2(2) with both ends not inherited. */
int sync2nas_pipe(int ends[2]);

/* POSIX_SPAWN_SETSID: the child gets a session of its own, without a terminal. */
short sync2nas_spawn_setsid(void);

#endif
