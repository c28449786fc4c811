// CRC-32C by the instruction of ARMv8.
#pragma STDC FP_CONTRACT OFF

#if defined(__aarch64__)

#include "../kernels.h"

#if defined(__clang__)
#define CRC32C_TARGET __attribute__((target("crc")))
#define CRC32C_EIGHT(crc, value) __builtin_arm_crc32cd(crc, value)
#define CRC32C_ONE(crc, byte) __builtin_arm_crc32cb(crc, byte)
#else
#define CRC32C_TARGET __attribute__((target("arch=armv8-a+crc")))
#define CRC32C_EIGHT(crc, value) __builtin_aarch64_crc32cx(crc, value)
#define CRC32C_ONE(crc, byte) __builtin_aarch64_crc32cb(crc, byte)
#endif
#define CRC32C_NAME crc32c_neon
#include "../lanes/crc32c.h"

#endif
