// CRC-32C by the instruction of ARMv8, 8 bytes at a time.
#pragma STDC FP_CONTRACT OFF

#if defined(__aarch64__)

#include "../kernels.h"

#include <string.h>

#if defined(__clang__)
#define SHARD_CRC_TARGET "crc"
#define SHARD_CRC32CD __builtin_arm_crc32cd
#define SHARD_CRC32CB __builtin_arm_crc32cb
#else
#define SHARD_CRC_TARGET "arch=armv8-a+crc"
#define SHARD_CRC32CD __builtin_aarch64_crc32cx
#define SHARD_CRC32CB __builtin_aarch64_crc32cb
#endif

__attribute__((target(SHARD_CRC_TARGET))) uint32_t crc32c_neon(uint32_t previous, const void *data, size_t size) {
    const uint8_t *bytes = data;
    uint32_t crc = ~previous;
    for (; size >= 8; bytes += 8, size -= 8) {
        uint64_t eight;
        memcpy(&eight, bytes, sizeof eight);
        crc = SHARD_CRC32CD(crc, eight);
    }
    for (; size > 0; bytes++, size--) {
        crc = SHARD_CRC32CB(crc, *bytes);
    }
    return ~crc;
}

#endif
