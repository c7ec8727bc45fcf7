#ifndef SYNC2NAS_CCHECKSUM_H
#define SYNC2NAS_CCHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `length` bytes, going on from `seed`; 0 begins. By
   the processor's own instruction where it has one. */
uint32_t sync2nas_crc32c(uint32_t seed, const void *bytes, size_t length);

#endif
