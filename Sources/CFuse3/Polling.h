#ifndef SYNC2NAS_POLLING_H
#define SYNC2NAS_POLLING_H

#include <sys/types.h>

/* `work` is called once after it was wanted, with the session's user data, as soon as no request
   waits to be taken. */
void start_polling(void (*work)(void *userdata));

/* Takes the next request from the kernel, as read(2) does. */
ssize_t take_request(int fd, void *buffer, size_t length, void *userdata);

#endif
