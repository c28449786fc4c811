// One weight or scale of each block, decoded: the meaning of the block types that have integer kernels.
//
// Callers have the bytes at hand, in whatever order they lie: `…_index(i)` says which byte of an array holds weight i
// of a block, `…_weight` takes that byte.
#ifndef SHARD_SCALAR_DECODE_H
#define SHARD_SCALAR_DECODE_H

#include "../packing.h"
#include "conversions.h"

// MARK: Blocks of 32

/// Weight i (0 … 31) of a Q4_0, Q4_1, IQ4_NL or MXFP4 block, 0 … 15, from byte `nibble_index(i)`.
static inline size_t nibble_index(size_t i) {
    return i % 16;
}
static inline int32_t nibble_weight(size_t i, uint8_t byte) {
    return i < 16 ? byte & 15 : byte >> 4;
}

/// Weight i (0 … 31) of a Q5_0 or Q5_1 block, 0 … 31, from bytes `nibble_index(i)` of `qs`, `q5_high_index(i)` of `qh`.
static inline size_t q5_high_index(size_t i) {
    return i / 8;
}
static inline int32_t q5_weight(size_t i, uint8_t low, uint8_t high) {
    return nibble_weight(i, low) | (high >> i % 8 & 1) << 4;
}

/// What the nibbles of IQ4_NL and IQ4_XS stand for.
static const int8_t iq4_nl_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

/// What the nibbles of MXFP4 stand for, doubled: a sign, two bits of exponent, one of mantissa.
static const int8_t mxfp4_values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/// Half of what the exponent of an MXFP4 block stands for, as its values are doubled: 2^(e − 128), exact.
static inline float mxfp4_scale(uint8_t e) {
    return float_from_bits(e < 2 ? 0x200000u << e : (uint32_t)(e - 1) << 23); // the first two are denormal
}

// MARK: Blocks of 256

/// Scale and minimum of a sub-block of a Q2_K block, from its byte of `scales`.
static inline void q2_K_scale(uint8_t byte, int32_t *scale, int32_t *minimum) {
    *scale = byte & 15;
    *minimum = byte >> 4;
}

/// Weight i (0 … 255) of a Q2_K or TQ2_0 block, 0 … 3, from byte `q2_K_index(i)`.
static inline size_t q2_K_index(size_t i) {
    return i / 128 * 32 + i % 32;
}
static inline int32_t q2_K_weight(size_t i, uint8_t byte) {
    return byte >> 2 * (i % 128 / 32) & 3;
}

/// Scale of sub-block j (0 … 15), −32 … 31, from the 12 bytes of a Q3_K block.
static inline int32_t q3_K_scale(const uint8_t *bytes, size_t j) {
    int32_t low = bytes[j % 8] >> 4 * (j / 8) & 15;
    int32_t high = bytes[8 + j % 4] >> 2 * (j / 4) & 3;
    return (low | high << 4) - 32;
}

/// Weight i (0 … 255) of a Q3_K block, −4 … 3, from byte `q2_K_index(i)` of `qs` and `q3_K_high_index(i)` of `hmask`.
static inline size_t q3_K_high_index(size_t i) {
    return i % 32;
}
static inline int32_t q3_K_weight(size_t i, uint8_t low, uint8_t high) {
    return (q2_K_weight(i, low) | (high >> i / 32 & 1) << 2) - 4;
}

/// Scale and minimum of sub-block j (0 … 7) from the 12 bytes of a Q4_K or Q5_K block.
static inline void q4_K_scale(const uint8_t *bytes, int j, int32_t *scale, int32_t *minimum) {
    const uint8_t *first = bytes + (j & 3);
    if (j < 4) {
        *scale = first[0] & 63;
        *minimum = first[4] & 63;
    } else {
        *scale = (first[8] & 15) | first[0] >> 6 << 4;
        *minimum = first[8] >> 4 | first[4] >> 6 << 4;
    }
}

/// Weight i (0 … 255) of a Q4_K block, 0 … 15, from byte `q4_K_index(i)`.
static inline size_t q4_K_index(size_t i) {
    return i / 64 * 32 + i % 32;
}
static inline int32_t q4_K_weight(size_t i, uint8_t byte) {
    return i % 64 < 32 ? byte & 15 : byte >> 4;
}

/// Weight i (0 … 255) of a Q5_K block, 0 … 31, from byte `q4_K_index(i)` of `qs` and `q5_K_high_index(i)` of `qh`.
static inline size_t q5_K_high_index(size_t i) {
    return i % 32;
}
static inline int32_t q5_K_weight(size_t i, uint8_t low, uint8_t high) {
    return q4_K_weight(i, low) | (high >> i / 32 & 1) << 4;
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

/// Scale of sub-block j (0 … 7) of an IQ4_XS block, −32 … 31, from byte j / 2 of `scales_l` and the bits of `scales_h`.
static inline int32_t iq4_xs_scale(size_t j, uint8_t low, uint16_t high) {
    return ((low >> 4 * (j % 2) & 15) | (high >> 2 * j & 3) << 4) - 32;
}

/// Weight i (0 … 255) of an IQ4_XS block, a value of `iq4_nl_values`, from byte `iq4_xs_index(i)`.
static inline size_t iq4_xs_index(size_t i) {
    return i / 32 * 16 + i % 16;
}
static inline int32_t iq4_xs_weight(size_t i, uint8_t byte) {
    return iq4_nl_values[nibble_weight(i % 32, byte)];
}

#endif
