// Makes a mount's server wait for itself: a thread of it reads a file of its own mount.
//
// It reads OWN_READER_FILE once the file OWN_READER_SIGNAL is there, and removes that.

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *read_own_file(void *unused) {
    (void)unused;
    while (unlink(getenv("OWN_READER_SIGNAL")) != 0) usleep(10000);
    char byte;
    int descriptor = open(getenv("OWN_READER_FILE"), O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) (void)!read(descriptor, &byte, 1);
    return NULL;
}

static int is_server(void) {
    char line[65536];
    int descriptor = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = descriptor < 0 ? 0 : read(descriptor, line, sizeof line);
    close(descriptor);
    return length > 0 && memmem(line, length, "--part\0server", 13) != NULL;
}

__attribute__((constructor)) static void begin(void) {
    pthread_t thread;
    if (!getenv("OWN_READER_SIGNAL") || !getenv("OWN_READER_FILE") || !is_server()) return;
    if (pthread_create(&thread, NULL, read_own_file, NULL) == 0) pthread_detach(thread);
}
