// The codebooks of IQ1, IQ2 and IQ3 blocks: which groups of 8 or 4 small numbers an index stands for.
//
// An entry is packed in 16 bits: element j of 8 in bits 2j and 2j + 1 (IQ1, IQ2), element j of 4 in bits 3j … 3j + 2
// (IQ3). The functions below say which numbers the bits stand for.
#ifndef SHARD_SCALAR_CODEBOOKS_H
#define SHARD_SCALAR_CODEBOOKS_H

#include <stddef.h>
#include <stdint.h>

/// IQ1_S and IQ1_M share theirs.
extern const uint16_t shard_codebook_iq1[2048];
extern const uint16_t shard_codebook_iq2_xxs[256];
extern const uint16_t shard_codebook_iq2_xs[512];
extern const uint16_t shard_codebook_iq2_s[1024];
extern const uint16_t shard_codebook_iq3_xxs[256];
extern const uint16_t shard_codebook_iq3_s[512];

/// Element j (0 … 7) of an entry: −1, 0 or 1.
static inline int32_t codebook_iq1_number(uint16_t entry, size_t j) {
    return (entry >> 2 * j & 3) - 1;
}

/// Element j (0 … 7) of an entry: 8, 25 or 43. No entry has bits 3.
static inline int32_t codebook_iq2_number(uint16_t entry, size_t j) {
    static const int8_t numbers[4] = {8, 25, 43};
    return numbers[entry >> 2 * j & 3];
}

/// Element j (0 … 3) of an entry: 4, 12, … 52, or 62.
static inline int32_t codebook_iq3_xxs_number(uint16_t entry, size_t j) {
    static const int8_t numbers[8] = {4, 12, 20, 28, 36, 44, 52, 62};
    return numbers[entry >> 3 * j & 7];
}

/// Element j (0 … 3) of an entry: 1, 3, … 15.
static inline int32_t codebook_iq3_s_number(uint16_t entry, size_t j) {
    return 2 * (entry >> 3 * j & 7) + 1;
}

/// The eight sign bits that seven bits stand for: the last makes the count of ones even.
static inline uint8_t codebook_signs(uint32_t seven) {
    uint32_t parity = seven ^ seven >> 4;
    parity ^= parity >> 2;
    parity ^= parity >> 1;
    return (uint8_t)(seven | (parity & 1) << 7);
}

#endif
