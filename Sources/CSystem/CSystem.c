#define _GNU_SOURCE
#include "CSystem.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <unistd.h>

int sync2nas_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int sync2nas_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

short sync2nas_spawn_setsid(void) { return POSIX_SPAWN_SETSID; }
