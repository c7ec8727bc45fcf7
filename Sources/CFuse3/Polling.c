#define _GNU_SOURCE
#include "Polling.h"
#include "CFuse3.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

/* The kernel wakes a thread for every request. That takes several times as long as most answers,
   the more when the thread's processor was halted. So while requests come close upon each other,
   one thread polls for a moment before it sleeps, and those that come back meanwhile take a nap
   where the kernel does not wake them; the first to wake finds out soon when the one that polled
   is held up by its request. Reads are not worth it: to move the bytes takes longer. Where others
   have use for the processors, no more is polled for a while. Nanoseconds. */
enum { CLOSE_UPON = 200000, MOMENT = 100000, SHORTEST_NAP = 1000000, LONGEST_NAP = 16000000 };
enum { TURN_OF_OTHERS = 500000, PAUSE = 30000000 };

enum { OPCODE_READ = 15 };

static bool has_several_processors;
static atomic_bool is_polled;
static atomic_int napping;
static atomic_llong last_taken, others_until;
static _Thread_local bool comes_soon;

static void (*idle_work)(void *userdata);
static atomic_bool has_idle_work;

void start_polling(void (*work)(void *userdata)) {
    idle_work = work;
    cpu_set_t allowed;
    has_several_processors =
        sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 1;
}

void sync2nas_fuse_wants_idle_work(void) { atomic_store(&has_idle_work, true); }

static long long nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Or the session has ended. */
static bool is_waiting(int fd) {
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return poll(&one, 1, 0) != 0;
}

static void poll_a_moment(int fd) {
    long long start = nanoseconds(), time = start;
    while (!is_waiting(fd) && time < start + MOMENT) {
        sched_yield();
        long long before = time;
        time = nanoseconds();
        if (time - before > TURN_OF_OTHERS) atomic_store(&others_until, time + PAUSE);
    }
}

static void nap(int fd) {
    struct timespec time = {.tv_nsec = SHORTEST_NAP << (atomic_fetch_add(&napping, 1) & 15)};
    if (time.tv_nsec > LONGEST_NAP) time.tv_nsec = LONGEST_NAP;
    do nanosleep(&time, NULL);
    while (!is_waiting(fd) && nanoseconds() - atomic_load(&last_taken) < CLOSE_UPON);
    atomic_fetch_sub(&napping, 1);
}

static void do_idle_work(void *userdata) {
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    if (atomic_exchange(&has_idle_work, false)) idle_work(userdata);
    pthread_setcancelstate(state, &state);
}

/* Runs with thread cancellation enabled: libfuse cancels its workers here. So it stays C. */
ssize_t take_request(int fd, void *buffer, size_t length, void *userdata) {
    bool works = atomic_load(&has_idle_work), polls = comes_soon && has_several_processors;
    if ((works || polls) && !is_waiting(fd)) {
        if (works) do_idle_work(userdata);
        if (polls && !atomic_exchange(&is_polled, true)) {
            poll_a_moment(fd);
            atomic_store(&is_polled, false);
        } else if (polls) {
            nap(fd);
        }
    }
    ssize_t count = read(fd, buffer, length);
    long long time = nanoseconds();
    bool is_close = time - atomic_exchange(&last_taken, time) < CLOSE_UPON;
    /* The header's second word. */
    comes_soon = is_close && count > 8 && ((const uint32_t *)buffer)[1] != OPCODE_READ
        && time > atomic_load(&others_until);
    return count;
}
