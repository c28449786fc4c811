// Decoders of single blocks, by family: the bytes of one block, from any address, to its weights in f32.
#ifndef SHARD_SCALAR_DECODE_BLOCKS_H
#define SHARD_SCALAR_DECODE_BLOCKS_H

#include <stdint.h>

typedef void shard_block_decoder(const uint8_t *restrict bytes, float *restrict output);

// Blocks of 32: decode_blocks_32.c.
shard_block_decoder shard_decode_q4_0, shard_decode_q4_1, shard_decode_q5_0, shard_decode_q5_1, shard_decode_q8_0;
shard_block_decoder shard_decode_iq4_nl, shard_decode_mxfp4;

// Blocks of 256: decode_blocks_256.c.
shard_block_decoder shard_decode_q2_K, shard_decode_q3_K, shard_decode_q4_K, shard_decode_q5_K, shard_decode_q6_K;
shard_block_decoder shard_decode_iq4_xs, shard_decode_tq1_0, shard_decode_tq2_0;

// Entries of codebooks: decode_blocks_codebook.c.
shard_block_decoder shard_decode_iq1_s, shard_decode_iq1_m, shard_decode_iq2_xxs, shard_decode_iq2_xs;
shard_block_decoder shard_decode_iq2_s, shard_decode_iq3_xxs, shard_decode_iq3_s;

#endif
