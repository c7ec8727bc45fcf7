#define _GNU_SOURCE
#include "CFuse3.h"
#include "Polling.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

/* The wire structures of <linux/fuse.h> that are read and completed here, with the field names and
   bit numbers of that header. libfuse 3.14 ships an older copy of it. */
enum {
    OPCODE_FORGET = 2,
    OPCODE_INIT = 26,
    OPCODE_INTERRUPT = 36,
    OPCODE_NOTIFY_REPLY = 41,
    OPCODE_BATCH_FORGET = 42,
    INIT_PARALLEL_DIROPS = 1u << 18,
    INIT_EXT = 1u << 30,
    INIT2_DIRECT_IO_ALLOW_MMAP = 1u << 4,
    INIT2_PASSTHROUGH = 1u << 5,
    NOTIFY_RESEND = 7,
    NOTIFY_INC_EPOCH = 8,
    OPEN_NOFLUSH = 1u << 5,
    OPEN_PASSTHROUGH = 1u << 7,
};

struct in_header {
    uint32_t len, opcode;
    uint64_t unique, nodeid;
    uint32_t uid, gid, pid, padding;
};

struct out_header {
    uint32_t len;
    int32_t error;
    uint64_t unique;
};

struct init_in {
    uint32_t major, minor, max_readahead, flags, flags2;
};

struct init_out {
    uint32_t major, minor, max_readahead, flags;
    uint16_t max_background, congestion_threshold;
    uint32_t max_write, time_gran;
    uint16_t max_pages, map_alignment;
    uint32_t flags2, max_stack_depth;
};

struct open_out {
    uint64_t fh;
    uint32_t open_flags;
    int32_t backing_id;
};

struct backing_map {
    int32_t fd;
    uint32_t flags;
    uint64_t padding;
};

#define BACKING_OPEN _IOW(229, 1, struct backing_map)
#define BACKING_CLOSE _IOW(229, 2, uint32_t)

/* Requests that were read and not yet answered are found by their number; more than this many at
   once, or too many on neighbouring places, and one is not found. */
enum { IN_FLIGHT = 16384, PROBES = 16 };

struct record {
    atomic_uint generation;
    atomic_ullong told;
    uint32_t init_length;
    char init[512];
    struct sync2nas_fuse_features granted;
    atomic_bool is_granted;
    atomic_ullong in_flight[IN_FLIGHT];
    struct sync2nas_fuse_open_file open_files[SYNC2NAS_FUSE_OPEN_FILES];
};

/* One session a process. INIT is exchanged once, before any other request, so plain words do; the
   last to be written is the atomic one that readers look at first. */
static struct record *record;
static bool asks_passthrough;
static uint64_t init_unique;
static bool is_replaying;

uint64_t sync2nas_fuse_record_size(void) { return sizeof(struct record); }

int sync2nas_fuse_use_record(int descriptor) {
    void *memory = mmap(NULL, sizeof(struct record), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) return -1;
    record = memory;
    return 0;
}

uint32_t sync2nas_fuse_next_generation(void) { return atomic_fetch_add(&record->generation, 1) + 1; }

struct sync2nas_fuse_open_file *sync2nas_fuse_open_files(void) { return record->open_files; }

uint64_t sync2nas_fuse_told(void) { return atomic_load(&record->told); }
void sync2nas_fuse_set_told(uint64_t fingerprint) { atomic_store(&record->told, fingerprint); }

/* The kernel's numbers go up by two. */
static unsigned place(uint64_t unique, unsigned probe) { return (unique / 2 + probe) % IN_FLIGHT; }

static void taken(uint64_t unique) {
    for (unsigned probe = 0; probe < PROBES; probe++) {
        unsigned long long expected = 0;
        if (atomic_compare_exchange_strong(
                &record->in_flight[place(unique, probe)], &expected, unique)) return;
    }
}

static void answered(uint64_t unique) {
    for (unsigned probe = 0; probe < PROBES; probe++) {
        unsigned long long expected = unique;
        if (atomic_compare_exchange_strong(
                &record->in_flight[place(unique, probe)], &expected, 0)) return;
    }
}

/* Runs with thread cancellation enabled: libfuse cancels its workers here. So it stays C. */
static ssize_t intercepted_read(int fd, void *buffer, size_t length, void *userdata) {
    ssize_t count = take_request(fd, buffer, length, userdata);
    const struct in_header *header = buffer;
    if (count < (ssize_t)sizeof *header) return count;
    switch (header->opcode) {
    case OPCODE_FORGET: case OPCODE_BATCH_FORGET: case OPCODE_INTERRUPT: case OPCODE_NOTIFY_REPLY:
        break;
    case OPCODE_INIT:
        if ((size_t)count <= sizeof record->init) {
            memcpy(record->init, buffer, count);
            record->init_length = count;
        }
        init_unique = header->unique;
        break;
    default:
        taken(header->unique);
    }
    return count;
}

static struct init_in offered(void) {
    struct init_in init = {0};
    size_t length = record->init_length - sizeof(struct in_header);
    memcpy(&init, record->init + sizeof(struct in_header), length < sizeof init ? length : sizeof init);
    if (!(init.flags & INIT_EXT)) init.flags2 = 0;
    return init;
}

static void complete_init(struct init_out *init) {
    struct init_in kernel = offered();
    init->flags |= kernel.flags & INIT_PARALLEL_DIROPS;
    uint32_t wanted = INIT2_DIRECT_IO_ALLOW_MMAP | (asks_passthrough ? INIT2_PASSTHROUGH : 0);
    init->flags2 |= kernel.flags2 & wanted;
    if (init->flags2) init->flags |= INIT_EXT;
    /* 1: the files that are read in place of ours lie on an ordinary file system. */
    if (init->flags2 & INIT2_PASSTHROUGH) init->max_stack_depth = 1;
    record->granted = (struct sync2nas_fuse_features){
        .initialised = true,
        .direct_io_mmap = init->flags2 & INIT2_DIRECT_IO_ALLOW_MMAP,
        .parallel_dirops = init->flags & INIT_PARALLEL_DIROPS,
        .passthrough = init->flags2 & INIT2_PASSTHROUGH,
        .kernel_minor = kernel.minor,
    };
    atomic_store(&record->is_granted, true);
}

static ssize_t intercepted_writev(int fd, struct iovec *parts, int count, void *userdata) {
    (void)userdata;
    const struct out_header *reply = parts[0].iov_base;
    if (is_replaying && reply->unique == init_unique) return reply->len;
    if (init_unique != 0 && reply->unique == init_unique && !atomic_load(&record->is_granted)
        && reply->error == 0 && count > 1 && parts[1].iov_len >= sizeof(struct init_out))
        complete_init(parts[1].iov_base);
    uint64_t unique = reply->unique;
    ssize_t result = writev(fd, parts, count);
    if (unique != 0) answered(unique);
    return result;
}

int sync2nas_fuse_intercept(
    struct fuse_session *session, bool wants_passthrough, void (*idle_work)(void *userdata)) {
    static const struct fuse_custom_io io = {
        .read = intercepted_read,
        .writev = intercepted_writev,
    };
    asks_passthrough = wants_passthrough;
    start_polling(idle_work);
    return fuse_session_custom_io(session, &io, fuse_session_fd(session));
}

struct sync2nas_fuse_features sync2nas_fuse_granted(void) {
    static const struct sync2nas_fuse_features none;
    return record && atomic_load(&record->is_granted) ? record->granted : none;
}

bool sync2nas_fuse_replay_init(struct fuse_session *session) {
    if (!atomic_load(&record->is_granted)) return false;
    struct fuse_buf buffer = {.size = record->init_length, .mem = record->init};
    init_unique = ((const struct in_header *)record->init)->unique;
    is_replaying = true;
    fuse_session_process_buf(session, &buffer);
    is_replaying = false;
    return true;
}

static bool notify(struct fuse_session *session, int32_t code) {
    struct out_header message = {.len = sizeof message, .error = code};
    return write(fuse_session_fd(session), &message, sizeof message) == sizeof message;
}

static int fail_requests(int descriptor) {
    int count = 0;
    for (unsigned index = 0; index < IN_FLIGHT; index++) {
        uint64_t unique = atomic_exchange(&record->in_flight[index], 0);
        if (unique == 0) continue;
        struct out_header reply = {.len = sizeof reply, .error = -EIO, .unique = unique};
        if (write(descriptor, &reply, sizeof reply) == sizeof reply) count++;
    }
    return count;
}

int sync2nas_fuse_recover_requests(struct fuse_session *session) {
    if (!notify(session, NOTIFY_RESEND)) return fail_requests(fuse_session_fd(session));
    /* They are taken anew, under other numbers. */
    for (unsigned index = 0; index < IN_FLIGHT; index++) atomic_store(&record->in_flight[index], 0);
    return -1;
}

void sync2nas_fuse_fail_requests(int descriptor, int record_descriptor) {
    if (record || sync2nas_fuse_use_record(record_descriptor) == 0) fail_requests(descriptor);
}

bool sync2nas_fuse_forget_all_names(struct fuse_session *session) {
    return notify(session, NOTIFY_INC_EPOCH);
}

int32_t sync2nas_fuse_backing_open(struct fuse_session *session, int descriptor) {
    struct backing_map map = {.fd = descriptor};
    int backing = ioctl(fuse_session_fd(session), BACKING_OPEN, &map);
    return backing < 0 ? -errno : backing;
}

void sync2nas_fuse_backing_close(struct fuse_session *session, int32_t backing) {
    uint32_t number = backing;
    ioctl(fuse_session_fd(session), BACKING_CLOSE, &number);
}

int sync2nas_fuse_reply_passthrough(fuse_req_t request, uint64_t handle, int32_t backing) {
    struct open_out out = {
        .fh = handle, .open_flags = OPEN_PASSTHROUGH | OPEN_NOFLUSH, .backing_id = backing};
    return fuse_reply_buf(request, (const char *)&out, sizeof out);
}

int sync2nas_fuse_loop(struct fuse_session *session, unsigned int max_threads) {
    struct fuse_loop_config *config = fuse_loop_cfg_create();
    if (!config) return -1;
    /* The command-line option of this name is lost in 3.14.0. */
    fuse_loop_cfg_set_max_threads(config, max_threads);
    fuse_loop_cfg_set_clone_fd(config, 0);
    int result = fuse_session_loop_mt(session, config);
    fuse_loop_cfg_destroy(config);
    return result;
}

static void (*log_sink)(const char *line);

static void log_line(enum fuse_log_level level, const char *format, va_list arguments) {
    (void)level;
    char line[1024];
    vsnprintf(line, sizeof line, format, arguments);
    size_t length = strlen(line);
    if (length > 0 && line[length - 1] == '\n') line[length - 1] = 0;
    if (log_sink) log_sink(line);
}

void sync2nas_fuse_log_to(void (*sink)(const char *line)) {
    log_sink = sink;
    fuse_set_log_func(sink ? log_line : NULL);
}
