// Blocks of 256 quantised weights as files store them, named as GGML names them.
#ifndef SHARD_BLOCKS_256_H
#define SHARD_BLOCKS_256_H

#include <stdint.h>

/// 256 weights in 16 sub-blocks of 16: value = d × scale × q − dmin × minimum.
///
/// Byte j of `scales` holds scale j in its low nibble and minimum j in its high one. Of each 128 weights: weight
/// l + 32k (l < 32, k < 4) has its two bits in qs[l], shifted by 2k.
typedef struct block_q2_K {
    uint8_t scales[16];
    uint8_t qs[64];
    uint16_t d;    // f16
    uint16_t dmin; // f16
} block_q2_K;
_Static_assert(sizeof(block_q2_K) == 84, "layout of the file");

/// 256 weights in 16 sub-blocks of 16: value = d × (scale − 32) × (q − 4), q of 3 bits.
///
/// The two low bits lie as those of Q2_K; weight l + 32k (l < 32, k < 8) has the high bit in bit k of hmask[l]. Scales
/// have 6 bits: scale j has its low nibble in byte j mod 8, shifted by 4 (j / 8), and its two high bits in byte
/// 8 + j mod 4, shifted by 2 (j / 4).
typedef struct block_q3_K {
    uint8_t hmask[32];
    uint8_t qs[64];
    uint8_t scales[12];
    uint16_t d; // f16
} block_q3_K;
_Static_assert(sizeof(block_q3_K) == 110, "layout of the file");

/// 256 weights in 8 sub-blocks of 32: value = d × scale × q − dmin × minimum.
///
/// Scales and minima have 6 bits: for j < 4, byte j is scale j with the two high bits of scale j + 4 on top, byte
/// j + 4 likewise for minima, byte j + 8 the low nibbles of scale j + 4 and minimum j + 4. Of each 64 weights, 32
/// bytes hold the first half in low nibbles and the second in high ones.
typedef struct block_q4_K {
    uint16_t d;    // f16
    uint16_t dmin; // f16
    uint8_t scales[12];
    uint8_t qs[128];
} block_q4_K;
_Static_assert(sizeof(block_q4_K) == 144, "layout of the file");

/// 256 weights in 8 sub-blocks of 32: value = d × scale × q − dmin × minimum, q of 5 bits.
///
/// Scales, minima and low nibbles lie as those of Q4_K; weight l + 32k (l < 32, k < 8) has its fifth bit in bit k of
/// qh[l].
typedef struct block_q5_K {
    uint16_t d;    // f16
    uint16_t dmin; // f16
    uint8_t scales[12];
    uint8_t qh[32];
    uint8_t qs[128];
} block_q5_K;
_Static_assert(sizeof(block_q5_K) == 176, "layout of the file");

/// 256 weights in 16 sub-blocks of 16: value = d × scale × (q − 32).
///
/// Of each 128 weights: weight l + 32k (l < 32, k < 4) has its low nibble in ql[l + 32 (k mod 2)], shifted by 4 (k /
/// 2), and its two high bits in qh[l], shifted by 2k.
typedef struct block_q6_K {
    uint8_t ql[128];
    uint8_t qh[64];
    int8_t scales[16];
    uint16_t d; // f16
} block_q6_K;
_Static_assert(sizeof(block_q6_K) == 210, "layout of the file");

/// 256 weights in 8 sub-blocks of 32: value = d × (scale − 32) × iq4_nl_values[q].
///
/// Scales have 6 bits: scale j has its low nibble in scales_l[j / 2], shifted by 4 (j mod 2), and its two high bits in
/// scales_h, shifted by 2j. Each sub-block has 16 bytes of nibbles, by halves as IQ4_NL.
typedef struct block_iq4_xs {
    uint16_t d; // f16
    uint16_t scales_h;
    uint8_t scales_l[4];
    uint8_t qs[128];
} block_iq4_xs;
_Static_assert(sizeof(block_iq4_xs) == 136, "layout of the file");

/// 256 weights of −1, 0 or 1: value = d × (q − 1), q being a ternary digit.
///
/// A byte is a fraction of 256 whose ternary digits, the first one first, are five weights: digit n of a byte b is
/// 3 × (3^n × b mod 256) / 256, rounded down. Weights l + 32n (l < 32, n < 5) are digits of qs[l], weights
/// 160 + l + 16n (l < 16) of qs[32 + l], and weights 240 + l + 4n (l < 4, n < 4) of qh[l].
typedef struct block_tq1_0 {
    uint8_t qs[48];
    uint8_t qh[4];
    uint16_t d; // f16
} block_tq1_0;
_Static_assert(sizeof(block_tq1_0) == 54, "layout of the file");

/// 256 weights of −1, 0 or 1: value = d × (q − 1), q of 2 bits that lie as those of Q2_K.
typedef struct block_tq2_0 {
    uint8_t qs[64];
    uint16_t d; // f16
} block_tq2_0;
_Static_assert(sizeof(block_tq2_0) == 66, "layout of the file");

#endif
