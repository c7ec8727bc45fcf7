#ifndef SYNC2NAS_CFUSE3_H
#define SYNC2NAS_CFUSE3_H

#define FUSE_USE_VERSION 312
#include <fuse3/fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>

/* What the kernel granted when the session was initialised. */
struct sync2nas_fuse_features {
    bool initialised;
    /* Files opened with direct I/O can still be mapped (kernel 6.6). */
    bool direct_io_mmap;
    /* Lookups and listings of one directory run side by side. */
    bool parallel_dirops;
    /* The kernel can read a local file itself in place of ours (kernel 6.9). */
    bool passthrough;
    uint32_t kernel_minor;
};

/* An open file of the library, as the kernel knows it. */
struct sync2nas_fuse_open_file {
    /* 0 for a free place, UINT64_MAX for a local file that is known and not open. */
    uint64_t handle;
    uint64_t node;
    /* The kernel's number of the local file that it reads, or 0. */
    int32_t backing;
    int32_t unused;
};

enum { SYNC2NAS_FUSE_OPEN_FILES = 65536 };

/* What a mount is, apart from the process that serves it: shared memory that outlives the process,
   so that a successor can go on where it ended. `descriptor` is a file of
   sync2nas_fuse_record_size() bytes, all zero at first. -1 with errno when it cannot be mapped. */
int sync2nas_fuse_use_record(int descriptor);
uint64_t sync2nas_fuse_record_size(void);

/* Counts the processes that served the mount, from 1; called once by each. */
uint32_t sync2nas_fuse_next_generation(void);

struct sync2nas_fuse_open_file *sync2nas_fuse_open_files(void);

/* What the kernel was last told of the tree. */
uint64_t sync2nas_fuse_told(void);
void sync2nas_fuse_set_told(uint64_t fingerprint);

/* Puts our own read and write calls between the session and the kernel, so that the INIT reply can
   be completed with what libfuse 3.14 does not know, and requests be polled for. Call after
   fuse_session_mount. `idle_work` is called once after it was wanted, with the session's user
   data, as soon as no request waits to be taken. */
int sync2nas_fuse_intercept(
    struct fuse_session *session, bool wants_passthrough, void (*idle_work)(void *userdata));
void sync2nas_fuse_wants_idle_work(void);

struct sync2nas_fuse_features sync2nas_fuse_granted(void);

/* Initialises a successor's session from the record, without the kernel. False when the record
   holds no INIT. */
bool sync2nas_fuse_replay_init(struct fuse_session *session);

/* Asks the kernel for the requests that the predecessor took and did not answer; where it cannot
   (before 6.9), answers them with EIO, so that nobody waits for ever. Returns how many were
   answered, or -1 when they come again. */
int sync2nas_fuse_recover_requests(struct fuse_session *session);

/* For a process that serves nothing: maps the record, and answers with EIO what the server of the
   mount took and did not answer, through `descriptor`, the kernel's end. */
void sync2nas_fuse_fail_requests(int descriptor, int record);

/* Makes the kernel ask again for every name that it remembers. False before kernel 6.16. */
bool sync2nas_fuse_forget_all_names(struct fuse_session *session);

/* Serves requests until the file system is unmounted. */
int sync2nas_fuse_loop(struct fuse_session *session, unsigned int max_threads);

/* Registers a local file for the kernel to read; its number, or -errno. */
int32_t sync2nas_fuse_backing_open(struct fuse_session *session, int descriptor);
void sync2nas_fuse_backing_close(struct fuse_session *session, int32_t backing);

/* Answers an open so that the kernel reads the registered file itself. 0, or -errno. */
int sync2nas_fuse_reply_passthrough(fuse_req_t request, uint64_t handle, int32_t backing);

/* Sends libfuse's own messages, one line each, to `sink`. */
void sync2nas_fuse_log_to(void (*sink)(const char *line));

/* Bit-fields have no address, so Swift cannot reach them. */
static inline void sync2nas_fuse_set_direct_io(struct fuse_file_info *info) { info->direct_io = 1; }
static inline void sync2nas_fuse_set_keep_cache(struct fuse_file_info *info) { info->keep_cache = 1; }
static inline void sync2nas_fuse_set_noflush(struct fuse_file_info *info) { info->noflush = 1; }
static inline void sync2nas_fuse_set_nonseekable(struct fuse_file_info *info) {
    info->nonseekable = 1;
}

#endif
