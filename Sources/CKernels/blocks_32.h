// Blocks of 32 quantised weights as files store them, named as GGML names them.
//
// Nibbles go by halves: byte j of `qs` holds weight j in its low nibble and weight j + 16 in its high one. Where a
// weight has a fifth bit, weight i has it in bit i mod 8 of qh[i / 8].
#ifndef SHARD_BLOCKS_32_H
#define SHARD_BLOCKS_32_H

#include <stdint.h>

/// 32 weights: value = d × q.
typedef struct block_q8_0 {
    uint16_t d; // f16
    int8_t qs[32];
} block_q8_0;
_Static_assert(sizeof(block_q8_0) == 34, "layout of the file");

/// 32 weights: value = d × (q − 8).
typedef struct block_q4_0 {
    uint16_t d; // f16
    uint8_t qs[16];
} block_q4_0;
_Static_assert(sizeof(block_q4_0) == 18, "layout of the file");

/// 32 weights: value = d × q + m.
typedef struct block_q4_1 {
    uint16_t d; // f16
    uint16_t m; // f16
    uint8_t qs[16];
} block_q4_1;
_Static_assert(sizeof(block_q4_1) == 20, "layout of the file");

/// 32 weights: value = d × (q − 16), q of 5 bits.
typedef struct block_q5_0 {
    uint16_t d; // f16
    uint8_t qh[4];
    uint8_t qs[16];
} block_q5_0;
_Static_assert(sizeof(block_q5_0) == 22, "layout of the file");

/// 32 weights: value = d × q + m, q of 5 bits.
typedef struct block_q5_1 {
    uint16_t d; // f16
    uint16_t m; // f16
    uint8_t qh[4];
    uint8_t qs[16];
} block_q5_1;
_Static_assert(sizeof(block_q5_1) == 24, "layout of the file");

/// 32 weights: value = d × iq4_nl_values[q].
typedef struct block_iq4_nl {
    uint16_t d; // f16
    uint8_t qs[16];
} block_iq4_nl;
_Static_assert(sizeof(block_iq4_nl) == 18, "layout of the file");

/// 32 weights: value = 2^(e − 128) × mxfp4_values[q], the values being twice those of the format's E2M1.
typedef struct block_mxfp4 {
    uint8_t e; // E8M0
    uint8_t qs[16];
} block_mxfp4;
_Static_assert(sizeof(block_mxfp4) == 17, "layout of the file");

#endif
