#include "CChecksum.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

#define CASTAGNOLI 0x82F63B78u
#define ZLIB 0xEDB88320u

// Slicing by eight: table[k][b] is the register after byte b and k zero bytes.
static uint32_t castagnoli[8][256];
static uint32_t zlib[8][256];

static void fill(uint32_t table[8][256], uint32_t polynomial) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? (value >> 1) ^ polynomial : value >> 1;
        table[0][byte] = value;
    }
    for (int slice = 1; slice < 8; slice++)
        for (int byte = 0; byte < 256; byte++) {
            uint32_t value = table[slice - 1][byte];
            table[slice][byte] = (value >> 8) ^ table[0][value & 0xFF];
        }
}

static uint32_t sliced(const uint32_t table[8][256], uint32_t crc, const uint8_t *at, size_t size) {
    crc = ~crc;
    for (; size >= 8; at += 8, size -= 8) {
        uint32_t low = crc ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16
                              | (uint32_t)at[3] << 24);
        crc = table[7][low & 0xFF] ^ table[6][low >> 8 & 0xFF] ^ table[5][low >> 16 & 0xFF]
            ^ table[4][low >> 24] ^ table[3][at[4]] ^ table[2][at[5]] ^ table[1][at[6]]
            ^ table[0][at[7]];
    }
    for (; size > 0; at++, size--)
        crc = (crc >> 8) ^ table[0][(crc ^ *at) & 0xFF];
    return ~crc;
}

typedef uint32_t checksum(uint32_t seed, const uint8_t *at, size_t size);

static uint32_t tables_only(uint32_t seed, const uint8_t *at, size_t size) {
    return sliced(castagnoli, seed, at, size);
}

static checksum *crc32c = tables_only;

#if defined(__x86_64__)

// The crc32 instruction has a latency of three cycles and starts one per cycle, so three
// stripes run side by side and are joined by moving the first two registers over the bytes
// behind them. Idea and operators: Mark Adler, crc32c.c, stackoverflow.com/a/17646775.
#define STRIPE 4096

// moved[k][b]: the register b << 8k after STRIPE zero bytes.
static uint32_t moved[4][256];

static uint32_t over_zeros(uint32_t crc, size_t size) {
    while (size-- > 0)
        crc = (crc >> 8) ^ castagnoli[0][crc & 0xFF];
    return crc;
}

// The register is linear, so 32 single bits give the whole table.
static void fill_moved(void) {
    uint32_t bits[32];
    for (int bit = 0; bit < 32; bit++)
        bits[bit] = over_zeros(1u << bit, STRIPE);
    for (int slice = 0; slice < 4; slice++)
        for (int byte = 0; byte < 256; byte++) {
            uint32_t value = 0;
            for (int bit = 0; bit < 8; bit++)
                if (byte >> bit & 1)
                    value ^= bits[slice * 8 + bit];
            moved[slice][byte] = value;
        }
}

static inline uint32_t move(uint32_t crc) {
    return moved[0][crc & 0xFF] ^ moved[1][crc >> 8 & 0xFF] ^ moved[2][crc >> 16 & 0xFF]
        ^ moved[3][crc >> 24];
}

static inline uint64_t word(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

__attribute__((target("sse4.2")))
static uint32_t with_sse42(uint32_t seed, const uint8_t *at, size_t size) {
    uint64_t first = ~seed;
    for (; size >= 3 * STRIPE; at += 3 * STRIPE, size -= 3 * STRIPE) {
        uint64_t second = 0, third = 0;
        for (size_t offset = 0; offset < STRIPE; offset += 8) {
            first = _mm_crc32_u64(first, word(at + offset));
            second = _mm_crc32_u64(second, word(at + STRIPE + offset));
            third = _mm_crc32_u64(third, word(at + 2 * STRIPE + offset));
        }
        first = move(move((uint32_t)first) ^ (uint32_t)second) ^ (uint32_t)third;
    }
    for (; size >= 8; at += 8, size -= 8)
        first = _mm_crc32_u64(first, word(at));
    uint32_t crc = (uint32_t)first;
    for (; size > 0; at++, size--)
        crc = _mm_crc32_u8(crc, *at);
    return ~crc;
}

static void choose(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse4.2")) {
        fill_moved();
        crc32c = with_sse42;
    }
}

#elif defined(__aarch64__)

#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif

__attribute__((target("crc")))
static uint32_t with_armv8(uint32_t seed, const uint8_t *at, size_t size) {
    uint32_t crc = ~seed;
    for (; size >= 8; at += 8, size -= 8) {
        uint64_t value;
        memcpy(&value, at, sizeof value);
        crc = __crc32cd(crc, value);
    }
    for (; size > 0; at++, size--)
        crc = __crc32cb(crc, *at);
    return ~crc;
}

static void choose(void) {
    if (getauxval(AT_HWCAP) & HWCAP_CRC32)
        crc32c = with_armv8;
}

#else

static void choose(void) {}

#endif

// Before main, so no caller ever meets half a table and no call pays for a check.
__attribute__((constructor))
static void prepare(void) {
    fill(castagnoli, CASTAGNOLI);
    fill(zlib, ZLIB);
    choose();
}

uint32_t sync2nas_crc32c(uint32_t seed, const void *bytes, size_t size) {
    return crc32c(seed, bytes, size);
}

uint32_t sync2nas_crc32c_portable(uint32_t seed, const void *bytes, size_t size) {
    return tables_only(seed, bytes, size);
}

uint32_t sync2nas_crc32(uint32_t seed, const void *bytes, size_t size) {
    return sliced(zlib, seed, bytes, size);
}
