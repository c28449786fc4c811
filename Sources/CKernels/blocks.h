// Blocks of quantised weights as files store them (named as GGML names them), and of quantised activations.
#ifndef SHARD_BLOCKS_H
#define SHARD_BLOCKS_H

#include <stdint.h>

/// 32 weights: value = d × q.
typedef struct block_q8_0 {
    uint16_t d; // f16
    int8_t qs[32];
} block_q8_0;
_Static_assert(sizeof(block_q8_0) == 34, "layout of the file");

/// 32 weights: value = d × (q − 8); byte j holds weight j (low nibble) and weight j + 16.
typedef struct block_q4_0 {
    uint16_t d; // f16
    uint8_t qs[16];
} block_q4_0;
_Static_assert(sizeof(block_q4_0) == 18, "layout of the file");

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

/// 32 activations: value = scale × q.
typedef struct block_a8_32 {
    float scale;
    int32_t sum; // of values
    int8_t values[32];
} block_a8_32;
_Static_assert(sizeof(block_a8_32) == 40, "shard_activation_bytes says so");

/// 256 activations: value = scale × q.
typedef struct block_a8_256 {
    float scale;
    int16_t sums[16]; // of each 16 values
    int8_t values[256];
} block_a8_256;
_Static_assert(sizeof(block_a8_256) == 292, "shard_activation_bytes says so");

#endif
