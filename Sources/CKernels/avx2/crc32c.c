// CRC-32C by the instruction of SSE4.2, 8 bytes at a time.
#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)

#include "../kernels.h"

#include <nmmintrin.h>
#include <string.h>

__attribute__((target("sse4.2"))) uint32_t crc32c_sse(uint32_t previous, const void *data, size_t size) {
    const uint8_t *bytes = data;
    uint64_t crc = ~previous;
    for (; size >= 8; bytes += 8, size -= 8) {
        uint64_t eight;
        memcpy(&eight, bytes, sizeof eight);
        crc = _mm_crc32_u64(crc, eight);
    }
    for (; size > 0; bytes++, size--) {
        crc = _mm_crc32_u8((uint32_t)crc, *bytes);
    }
    return ~(uint32_t)crc;
}

#endif
