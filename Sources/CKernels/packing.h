// The layout of packed tiles, for the kernels that read them; packing.c describes it.
#ifndef SHARD_PACKING_H
#define SHARD_PACKING_H

#include "blocks.h"
#include "shard_kernels.h"

/// Elements and bytes of one block of a type; 0 bytes for a type that kernels do not know.
typedef struct shard_layout {
    size_t elements;
    size_t bytes;
} shard_layout;

static inline shard_layout shard_block_layout(uint32_t type) {
    switch (type) {
    case SHARD_TYPE_F32:
        return (shard_layout){1, 4};
    case SHARD_TYPE_F16:
    case SHARD_TYPE_BF16:
        return (shard_layout){1, 2};
    case SHARD_TYPE_Q8_0:
        return (shard_layout){32, sizeof(block_q8_0)};
    case SHARD_TYPE_Q4_0:
        return (shard_layout){32, sizeof(block_q4_0)};
    case SHARD_TYPE_Q4_1:
        return (shard_layout){32, sizeof(block_q4_1)};
    case SHARD_TYPE_Q5_0:
        return (shard_layout){32, sizeof(block_q5_0)};
    case SHARD_TYPE_Q5_1:
        return (shard_layout){32, sizeof(block_q5_1)};
    case SHARD_TYPE_IQ4_NL:
        return (shard_layout){32, sizeof(block_iq4_nl)};
    case SHARD_TYPE_MXFP4:
        return (shard_layout){32, sizeof(block_mxfp4)};
    case SHARD_TYPE_Q2_K:
        return (shard_layout){256, sizeof(block_q2_K)};
    case SHARD_TYPE_Q3_K:
        return (shard_layout){256, sizeof(block_q3_K)};
    case SHARD_TYPE_Q4_K:
        return (shard_layout){256, sizeof(block_q4_K)};
    case SHARD_TYPE_Q5_K:
        return (shard_layout){256, sizeof(block_q5_K)};
    case SHARD_TYPE_Q6_K:
        return (shard_layout){256, sizeof(block_q6_K)};
    case SHARD_TYPE_IQ4_XS:
        return (shard_layout){256, sizeof(block_iq4_xs)};
    case SHARD_TYPE_TQ1_0:
        return (shard_layout){256, sizeof(block_tq1_0)};
    case SHARD_TYPE_TQ2_0:
        return (shard_layout){256, sizeof(block_tq2_0)};
    case SHARD_TYPE_IQ1_S:
        return (shard_layout){256, sizeof(block_iq1_s)};
    case SHARD_TYPE_IQ1_M:
        return (shard_layout){256, sizeof(block_iq1_m)};
    case SHARD_TYPE_IQ2_XXS:
        return (shard_layout){256, sizeof(block_iq2_xxs)};
    case SHARD_TYPE_IQ2_XS:
        return (shard_layout){256, sizeof(block_iq2_xs)};
    case SHARD_TYPE_IQ2_S:
        return (shard_layout){256, sizeof(block_iq2_s)};
    case SHARD_TYPE_IQ3_XXS:
        return (shard_layout){256, sizeof(block_iq3_xxs)};
    case SHARD_TYPE_IQ3_S:
        return (shard_layout){256, sizeof(block_iq3_s)};
    default:
        return (shard_layout){1, 0};
    }
}

/// Scales of one block of 256 columns for 16 rows.
typedef struct tile_scales_q4_K {
    uint16_t d[16];
    uint16_t dmin[16];
    uint8_t scales[12][16];
} tile_scales_q4_K;
_Static_assert(sizeof(tile_scales_q4_K) == 256, "the file's bits");

typedef struct tile_scales_q6_K {
    uint16_t d[16];
    int8_t scales[16][16];
} tile_scales_q6_K;
_Static_assert(sizeof(tile_scales_q6_K) == 288, "the file's bits");

#endif
