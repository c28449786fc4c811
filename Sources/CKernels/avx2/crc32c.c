// CRC-32C by the instruction of SSE4.2.
#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)

#include "../kernels.h"

#include <nmmintrin.h>

#define CRC32C_NAME crc32c_sse
#define CRC32C_TARGET __attribute__((target("sse4.2")))
#define CRC32C_EIGHT(crc, value) ((uint32_t)_mm_crc32_u64(crc, value))
#define CRC32C_ONE(crc, byte) _mm_crc32_u8(crc, byte)
#include "../lanes/crc32c.h"

#endif
