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
    uint32_t kernel_minor;
};

/* Puts our own read and write calls between the session and the kernel, so that the INIT reply can
   be completed with what libfuse 3.14 does not know. Call after fuse_session_mount. */
int sync2nas_fuse_intercept(struct fuse_session *session);

struct sync2nas_fuse_features sync2nas_fuse_granted(void);

/* Serves requests until the file system is unmounted. */
int sync2nas_fuse_loop(struct fuse_session *session, unsigned int max_threads);

/* Sends libfuse's own messages, one line each, to `sink`. */
void sync2nas_fuse_log_to(void (*sink)(const char *line));

/* Bit-fields have no address, so Swift cannot reach them. */
static inline void sync2nas_fuse_set_direct_io(struct fuse_file_info *info) { info->direct_io = 1; }
static inline void sync2nas_fuse_set_keep_cache(struct fuse_file_info *info) { info->keep_cache = 1; }
static inline void sync2nas_fuse_set_nonseekable(struct fuse_file_info *info) {
    info->nonseekable = 1;
}

#endif
