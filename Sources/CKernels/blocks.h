// Blocks of quantised weights as files store them (by family, named as GGML names them), and of quantised activations.
#ifndef SHARD_BLOCKS_H
#define SHARD_BLOCKS_H

#include "blocks_32.h"
#include "blocks_256.h"
#include "blocks_codebook.h"

#include <stdint.h>

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
    int16_t sums16[16]; // of each 16 values
    int16_t sums32[8];  // of each 32 values
    int8_t values[256];
} block_a8_256;
_Static_assert(sizeof(block_a8_256) == 308, "shard_activation_bytes says so");

#endif
