// fallocate(2) is a GNU extension that Swift's Glibc module does not show. It stands here,
// beside the checksums, because the cache is its only user too.
#define _GNU_SOURCE
#include "CChecksum.h"

#include <errno.h>
#include <fcntl.h>

const int sync2nas_o_direct = O_DIRECT;

int sync2nas_punch_hole(int descriptor, int64_t offset, int64_t length) {
    int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    return fallocate(descriptor, mode, offset, length) == 0 ? 0 : errno;
}
