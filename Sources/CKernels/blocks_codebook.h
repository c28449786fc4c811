// Blocks of 256 weights that are entries of codebooks, as files store them, named as GGML names them.
//
// An entry of a codebook is 8 (IQ1, IQ2) or 4 (IQ3) small numbers, and consecutive weights; `scalar/codebooks.h` has
// them. Below, eight e (0 … 31) is weights 8e … 8e + 7, four f (0 … 63) weights 4f … 4f + 3. Where numbers of a
// codebook are positive, a sign bit is set for each negative weight, the lowest for the first weight. Where seven bits
// hold eight signs, the last sign is the one that makes the count of negative weights even.
#ifndef SHARD_BLOCKS_CODEBOOK_H
#define SHARD_BLOCKS_CODEBOOK_H

#include <stdint.h>

/// 256 weights in 8 sub-blocks of 32: value = d × (2 × scale + 1) × (number ± 1/8).
///
/// Word j of `qh` has three bits for each eight of sub-block j, then the scale in bits 12 … 14, then a bit that is set
/// for − 1/8. Eight e has index qs[e], its three bits on top.
typedef struct block_iq1_s {
    uint16_t d; // f16
    uint8_t qs[32];
    uint16_t qh[8];
} block_iq1_s;
_Static_assert(sizeof(block_iq1_s) == 50, "layout of the file");

/// 256 weights in 16 sub-blocks of 16: value = d × (2 × scale + 1) × (number ± 1/8).
///
/// Eight e has index qs[e], with three bits on top from nibble e mod 2 of qh[e / 2], whose top bit is set for − 1/8.
/// The scales are four words of 16 bits: scale j is three bits of word j / 4, shifted by 3 (j mod 4); the top nibbles
/// are d, an f16, lowest nibble first.
typedef struct block_iq1_m {
    uint8_t qs[32];
    uint8_t qh[16];
    uint8_t scales[8];
} block_iq1_m;
_Static_assert(sizeof(block_iq1_m) == 56, "layout of the file");

/// 256 weights in 8 sub-blocks of 32: value = d × (scale + 1/2) / 4 × ± number.
///
/// A sub-block is 8 bytes, four words here: the indices of its eights, a byte each, then 32 bits with seven sign bits
/// for each eight and the scale in the top nibble.
typedef struct block_iq2_xxs {
    uint16_t d; // f16
    uint16_t qs[32];
} block_iq2_xxs;
_Static_assert(sizeof(block_iq2_xxs) == 66, "layout of the file");

/// 256 weights in 16 sub-blocks of 16: value = d × (scale + 1/2) / 4 × ± number.
///
/// Word e of `qs` is nine bits of index, then seven sign bits, for eight e. Scale j is nibble j mod 2 of scales[j / 2].
typedef struct block_iq2_xs {
    uint16_t d; // f16
    uint16_t qs[32];
    uint8_t scales[8];
} block_iq2_xs;
_Static_assert(sizeof(block_iq2_xs) == 74, "layout of the file");

/// 256 weights in 16 sub-blocks of 16: value = d × (scale + 1/2) / 4 × ± number.
///
/// Eight e has index qs[e], with two bits on top from qh[e / 4], shifted by 2 (e mod 4), and its signs in qs[32 + e].
/// Scale j is nibble j mod 2 of scales[j / 2].
typedef struct block_iq2_s {
    uint16_t d; // f16
    uint8_t qs[64];
    uint8_t qh[8];
    uint8_t scales[8];
} block_iq2_s;
_Static_assert(sizeof(block_iq2_s) == 82, "layout of the file");

/// 256 weights in 8 sub-blocks of 32: value = d × (scale + 1/2) / 2 × ± number.
///
/// Four f has index qs[f]. From qs[64] on there are 4 bytes for each sub-block: seven sign bits for each eight, and the
/// scale in the top nibble.
typedef struct block_iq3_xxs {
    uint16_t d; // f16
    uint8_t qs[96];
} block_iq3_xxs;
_Static_assert(sizeof(block_iq3_xxs) == 98, "layout of the file");

/// 256 weights in 8 sub-blocks of 32: value = d × (2 × scale + 1) × ± number.
///
/// Four f has index qs[f], with bit f mod 8 of qh[f / 8] on top; eight e has its signs in signs[e]. Scale j is nibble
/// j mod 2 of scales[j / 2].
typedef struct block_iq3_s {
    uint16_t d; // f16
    uint8_t qs[64];
    uint8_t qh[8];
    uint8_t signs[32];
    uint8_t scales[4];
} block_iq3_s;
_Static_assert(sizeof(block_iq3_s) == 110, "layout of the file");

#endif
