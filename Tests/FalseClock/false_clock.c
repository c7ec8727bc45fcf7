// Shows a program another time of day, as somebody who sets the machine's clock would.
//
// The file that FALSE_CLOCK names holds the seconds to add, as 8 bytes of the machine's own
// order; whoever writes them makes the clock jump at once. Only CLOCK_REALTIME moves, and
// whatever waits until a time of day waits by the same clock. The time that has passed
// (CLOCK_MONOTONIC) stays right, as it does on a real machine.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static _Atomic int64_t *shown;

__attribute__((constructor)) static void open_clock(void) {
    const char *path = getenv("FALSE_CLOCK");
    int descriptor = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return;
    void *page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (page != MAP_FAILED) shown = page;
}

static int64_t offset(void) {
    return shown == NULL ? 0 : atomic_load_explicit(shown, memory_order_relaxed);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int clock_gettime(clockid_t clock, struct timespec *time) {
    static __typeof__(&clock_gettime) real;
    if (real == NULL) real = REAL(clock_gettime);
    int result = real(clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        time->tv_sec += offset();
    }
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    int result = REAL(gettimeofday)(time, zone);
    if (result == 0) time->tv_sec += offset();
    return result;
}

time_t time(time_t *where) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (where != NULL) *where = now.tv_sec;
    return now.tv_sec;
}

/// The real time at which the false clock shows `time`, as long as it does not jump.
///
/// Of a timer or condition there is no telling which clock it goes by; but no machine has run for
/// ten years, and no false clock shows a time before 1980.
static struct timespec really(const struct timespec *time) {
    const time_t ten_years = 315360000;
    struct timespec real = *time;
    if (time->tv_sec > ten_years) real.tv_sec -= offset();
    return real;
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
    struct timespec real = really(until);
    return REAL(sem_timedwait)(semaphore, &real);
}

int pthread_cond_timedwait(
    pthread_cond_t *restrict condition,
    pthread_mutex_t *restrict mutex,
    const struct timespec *restrict until
) {
    struct timespec real = really(until);
    return REAL(pthread_cond_timedwait)(condition, mutex, &real);
}

int timerfd_settime(
    int timer,
    int flags,
    const struct itimerspec *new,
    struct itimerspec *old
) {
    struct itimerspec moved = *new;
    if (flags & TFD_TIMER_ABSTIME) moved.it_value = really(&new->it_value);
    return REAL(timerfd_settime)(timer, flags, &moved, old);
}
