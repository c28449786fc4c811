// Blocks of quantised weights as integers with scales: the left half of the products that scalar/matmul.c defines.
#ifndef SHARD_SCALAR_INTEGERS_H
#define SHARD_SCALAR_INTEGERS_H

#include "decode.h"

typedef struct integer_block {
    /// Weights, their offset included.
    int32_t values[SHARD_BLOCK_ELEMENTS_MAX];
    /// Scales and minima of sub-blocks; minima are 0 where a type has none.
    int32_t scales[16], minima[16];
    size_t sub_block_elements;
    float d, dmin;
    bool has_minimum;
} integer_block;

/// A block of any type that meets integer activations, from its bytes as the file stores them.
integer_block integers_of_block(uint32_t type, const uint8_t *bytes);

#endif
