// One weight of each block, decoded: the meaning of the block types.
#ifndef SHARD_SCALAR_DECODE_H
#define SHARD_SCALAR_DECODE_H

#include "../packing.h"
#include "conversions.h"

/// Scale and minimum of sub-block j (0 … 7) from the 12 bytes of a Q4_K block, `stride` bytes apart.
static inline void q4_K_scale(const uint8_t *bytes, size_t stride, int j, int32_t *scale, int32_t *minimum) {
    const uint8_t *first = bytes + (size_t)(j & 3) * stride;
    if (j < 4) {
        *scale = first[0] & 63;
        *minimum = first[4 * stride] & 63;
    } else {
        *scale = (first[8 * stride] & 15) | first[0] >> 6 << 4;
        *minimum = first[8 * stride] >> 4 | first[4 * stride] >> 6 << 4;
    }
}

/// Weight i (0 … 255) of a Q6_K block, −32 … 31, whose byte k of `ql` or `qh` the caller has at hand: see the indices.
static inline size_t q6_K_low_index(size_t i) {
    return i / 128 * 64 + i % 64;
}
static inline size_t q6_K_high_index(size_t i) {
    return i / 128 * 32 + i % 32;
}
static inline int32_t q6_K_weight(size_t i, uint8_t low, uint8_t high) {
    size_t k = i % 128 / 32;
    int32_t nibble = k < 2 ? low & 15 : low >> 4;
    return (nibble | (high >> (2 * k) & 3) << 4) - 32;
}

/// Weight i (0 … 255) of a Q4_K block, 0 … 15, from byte `q4_K_index(i)`.
static inline size_t q4_K_index(size_t i) {
    return i / 64 * 32 + i % 32;
}
static inline int32_t q4_K_weight(size_t i, uint8_t byte) {
    return i % 64 < 32 ? byte & 15 : byte >> 4;
}

#endif
