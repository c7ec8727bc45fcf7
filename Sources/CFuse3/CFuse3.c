#define _GNU_SOURCE
#include "CFuse3.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* The wire structures of <linux/fuse.h> that are read and completed here, with the field names and
   bit numbers of that header. libfuse 3.14 ships an older copy of it. */
enum {
    OPCODE_INIT = 26,
    INIT_PARALLEL_DIROPS = 1u << 18,
    INIT_EXT = 1u << 30,
    INIT2_DIRECT_IO_ALLOW_MMAP = 1u << 4,
};

struct in_header {
    uint32_t len, opcode;
    uint64_t unique, nodeid;
    uint32_t uid, gid, pid, padding;
};

struct init_in {
    uint32_t major, minor, max_readahead, flags, flags2;
};

struct init_out {
    uint32_t major, minor, max_readahead, flags;
    uint16_t max_background, congestion_threshold;
    uint32_t max_write, time_gran;
    uint16_t max_pages, map_alignment;
    uint32_t flags2;
};

/* One session a process. INIT is exchanged once, before any other request, so plain words do; the
   last to be written is the atomic one that readers look at first. */
static uint64_t init_unique;
static struct init_in offered;
static struct sync2nas_fuse_features granted;
static atomic_bool is_granted;

/* Runs with thread cancellation enabled: libfuse cancels its workers here. So it stays C. */
static ssize_t intercepted_read(int fd, void *buffer, size_t length, void *userdata) {
    (void)userdata;
    ssize_t count = read(fd, buffer, length);
    const struct in_header *header = buffer;
    if (count >= (ssize_t)(sizeof *header + sizeof offered) && header->opcode == OPCODE_INIT) {
        memcpy(&offered, (const char *)buffer + sizeof *header, sizeof offered);
        if (!(offered.flags & INIT_EXT)) offered.flags2 = 0;
        init_unique = header->unique;
    }
    return count;
}

static ssize_t intercepted_writev(int fd, struct iovec *parts, int count, void *userdata) {
    (void)userdata;
    const struct fuse_out { uint32_t len; int32_t error; uint64_t unique; } *reply = parts[0].iov_base;
    if (!atomic_load(&is_granted) && init_unique != 0 && reply->unique == init_unique
        && reply->error == 0 && count > 1 && parts[1].iov_len >= sizeof(struct init_out)) {
        struct init_out *init = parts[1].iov_base;
        init->flags |= offered.flags & INIT_PARALLEL_DIROPS;
        if (offered.flags2 & INIT2_DIRECT_IO_ALLOW_MMAP) {
            init->flags |= INIT_EXT;
            init->flags2 |= INIT2_DIRECT_IO_ALLOW_MMAP;
        }
        granted.parallel_dirops = init->flags & INIT_PARALLEL_DIROPS;
        granted.direct_io_mmap = init->flags2 & INIT2_DIRECT_IO_ALLOW_MMAP;
        granted.kernel_minor = offered.minor;
        granted.initialised = true;
        atomic_store(&is_granted, true);
    }
    return writev(fd, parts, count);
}

int sync2nas_fuse_intercept(struct fuse_session *session) {
    static const struct fuse_custom_io io = {
        .read = intercepted_read,
        .writev = intercepted_writev,
    };
    return fuse_session_custom_io(session, &io, fuse_session_fd(session));
}

struct sync2nas_fuse_features sync2nas_fuse_granted(void) {
    static const struct sync2nas_fuse_features none;
    return atomic_load(&is_granted) ? granted : none;
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
