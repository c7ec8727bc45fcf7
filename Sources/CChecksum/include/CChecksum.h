#ifndef SYNC2NAS_CCHECKSUM_H
#define SYNC2NAS_CCHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `size` bytes.
///
/// `seed` is 0, or the result for the bytes before these. Uses the processor's own
/// instruction where it has one.
uint32_t sync2nas_crc32c(uint32_t seed, const void *bytes, size_t size);

/// The same result from tables alone; here so that tests reach it on every processor.
uint32_t sync2nas_crc32c_portable(uint32_t seed, const void *bytes, size_t size);

/// CRC-32 as in zlib, zip and the checksum in release names (polynomial 0xEDB88320).
///
/// `seed` is 0, or the result for the bytes before these.
uint32_t sync2nas_crc32(uint32_t seed, const void *bytes, size_t size);

/// Gives the disk blocks of a part of a file back; it reads as zeros from then on.
///
/// Returns 0, or an error number.
int sync2nas_punch_hole(int descriptor, int64_t offset, int64_t length);

/// The flag O_DIRECT of open(2), a GNU extension that Swift's Glibc module does not show.
extern const int sync2nas_o_direct;

#endif
