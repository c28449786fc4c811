// Matrix products one output at a time: what the header's `matmul` says.
#pragma STDC FP_CONTRACT OFF

#include "../kernels.h"
#include "decode.h"

#include <math.h>

/// Packed weights of one row: its tile, its lane, and the blocks a row has.
typedef struct packed_row {
    const uint8_t *tile;
    size_t lane;
    size_t block_count;
} packed_row;

/// Byte i of a row's bytes that were interleaved 4 at a time from `vectors` on.
static uint8_t interleaved(const uint8_t *vectors, size_t lane, size_t i) {
    return vectors[i / 4 * 64 + lane * 4 + i % 4];
}

static float scale_at(const void *scales, size_t lane) {
    return f32_from_f16_bits(load_u16((const uint8_t *)scales + lane * 2));
}

static float float_weight(uint32_t type, packed_row row, size_t column) {
    size_t index = column * SHARD_TILE_ROWS + row.lane;
    switch (type) {
    case SHARD_TYPE_F16:
        return f32_from_f16_bits(load_u16(row.tile + index * 2));
    case SHARD_TYPE_BF16:
        return f32_from_bf16_bits(load_u16(row.tile + index * 2));
    default:
        return load_f32(row.tile + index * 4);
    }
}

static float dot_float(uint32_t type, packed_row row, const void *activations) {
    float sum = 0;
    for (size_t c = 0; c < row.block_count; c++) {
        sum = fmaf(float_weight(type, row, c), load_f32((const uint8_t *)activations + c * 4), sum);
    }
    return sum;
}

static float dot_q8_0(packed_row row, const block_a8_32 *activations) {
    float sum = 0;
    for (size_t b = 0; b < row.block_count; b++) {
        int32_t dot = 0;
        for (size_t i = 0; i < 32; i++) {
            dot += (int8_t)interleaved(row.tile + b * 512, row.lane, i) * activations[b].values[i];
        }
        float d = scale_at(row.tile + row.block_count * 512 + b * 32, row.lane);
        sum = fmaf((float)dot, d * activations[b].scale, sum);
    }
    return sum;
}

static float dot_q4_0(packed_row row, const block_a8_32 *activations) {
    float sum = 0;
    for (size_t b = 0; b < row.block_count; b++) {
        int32_t dot = 0;
        for (size_t i = 0; i < 16; i++) {
            uint8_t byte = interleaved(row.tile + b * 256, row.lane, i);
            dot += ((byte & 15) - 8) * activations[b].values[i];
            dot += ((byte >> 4) - 8) * activations[b].values[i + 16];
        }
        float d = scale_at(row.tile + row.block_count * 256 + b * 32, row.lane);
        sum = fmaf((float)dot, d * activations[b].scale, sum);
    }
    return sum;
}

static float dot_q4_K(packed_row row, const block_a8_256 *activations) {
    float sum = 0;
    for (size_t b = 0; b < row.block_count; b++) {
        const block_a8_256 *a = activations + b;
        const uint8_t *vectors = row.tile + b * 2048;
        const uint8_t *scales = row.tile + row.block_count * 2048 + b * sizeof(tile_scales_q4_K);
        int32_t total = 0, minima = 0;
        for (size_t j = 0; j < 8; j++) {
            int32_t scale, minimum, dot = 0;
            q4_K_scale(scales + offsetof(tile_scales_q4_K, scales) + row.lane, 16, (int)j, &scale, &minimum);
            for (size_t i = j * 32; i < j * 32 + 32; i++) {
                dot += q4_K_weight(i, interleaved(vectors, row.lane, q4_K_index(i))) * a->values[i];
            }
            total += scale * dot;
            minima += minimum * (a->sums[2 * j] + a->sums[2 * j + 1]);
        }
        sum = fmaf((float)total, scale_at(scales, row.lane) * a->scale, sum);
        float dmin = scale_at(scales + offsetof(tile_scales_q4_K, dmin), row.lane);
        sum = fmaf(-(float)minima, dmin * a->scale, sum);
    }
    return sum;
}

static float dot_q6_K(packed_row row, const block_a8_256 *activations) {
    float sum = 0;
    for (size_t b = 0; b < row.block_count; b++) {
        const uint8_t *low = row.tile + b * 3072, *high = low + 2048;
        const uint8_t *scales = row.tile + row.block_count * 3072 + b * sizeof(tile_scales_q6_K);
        int32_t total = 0;
        for (size_t i = 0; i < 256; i++) {
            int32_t weight = q6_K_weight(i, interleaved(low, row.lane, q6_K_low_index(i)),
                                         interleaved(high, row.lane, q6_K_high_index(i)));
            int8_t scale = (int8_t)scales[offsetof(tile_scales_q6_K, scales) + i / 16 * 16 + row.lane];
            total += scale * weight * activations[b].values[i];
        }
        sum = fmaf((float)total, scale_at(scales, row.lane) * activations[b].scale, sum);
    }
    return sum;
}

static float dot(uint32_t type, packed_row row, const void *activations) {
    switch (type) {
    case SHARD_TYPE_Q8_0:
        return dot_q8_0(row, activations);
    case SHARD_TYPE_Q4_0:
        return dot_q4_0(row, activations);
    case SHARD_TYPE_Q4_K:
        return dot_q4_K(row, activations);
    case SHARD_TYPE_Q6_K:
        return dot_q6_K(row, activations);
    default:
        return dot_float(type, row, activations);
    }
}

void matmul_scalar(const shard_matrix *restrict matrix, size_t tile_first, size_t tile_end,
                   const void *restrict activations, size_t activation_stride, size_t activation_count,
                   float *restrict output, size_t output_stride) {
    size_t tile_bytes = shard_tile_bytes(matrix->type, matrix->column_count);
    size_t block_count = matrix->column_count / shard_block_layout(matrix->type).elements;
    size_t end = tile_end * SHARD_TILE_ROWS < matrix->row_count ? tile_end * SHARD_TILE_ROWS : matrix->row_count;
    for (size_t r = tile_first * SHARD_TILE_ROWS; r < end; r++) {
        const uint8_t *tile = (const uint8_t *)matrix->packed + r / SHARD_TILE_ROWS * tile_bytes;
        packed_row row = {tile, r % SHARD_TILE_ROWS, block_count};
        for (size_t n = 0; n < activation_count; n++) {
            output[n * output_stride + r] =
                dot(matrix->type, row, (const uint8_t *)activations + n * activation_stride);
        }
    }
}
