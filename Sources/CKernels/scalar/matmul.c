// Matrix products one output at a time: what the header's `matmul` says.
#pragma STDC FP_CONTRACT OFF

#include "../kernels.h"
#include "../panel.h"
#include "integers.h"

#include <math.h>

/// acc = fma(float(dot), d × scale, acc), for each 32 columns.
static float dot_blocks(uint32_t type, const uint8_t *tile, size_t block_count, size_t lane, const shard_panel *panel,
                        size_t n) {
    float sum = 0;
    for (size_t b = 0; b < block_count; b++) {
        const block_a8_32 *a = shard_panel_block(panel, sizeof *a, b, n);
        uint8_t bytes[SHARD_BLOCK_BYTES_MAX];
        shard_unpack_block(type, tile, block_count, b, lane, bytes);
        integer_block weights = integers_of_block(type, bytes);
        int32_t dot = 0;
        for (size_t i = 0; i < 32; i++) {
            dot += weights.values[i] * a->values[i];
        }
        sum = fmaf((float)dot, weights.d * a->scale, sum);
        if (weights.has_minimum) {
            sum = fmaf((float)a->sum, weights.dmin * a->scale, sum);
        }
    }
    return sum;
}

/// The same for each 256 columns, sub-blocks with scales of their own.
static float dot_superblocks(uint32_t type, const uint8_t *tile, size_t block_count, size_t lane,
                             const shard_panel *panel, size_t n) {
    float sum = 0;
    for (size_t b = 0; b < block_count; b++) {
        const block_a8_256 *a = shard_panel_block(panel, sizeof *a, b, n);
        uint8_t bytes[SHARD_BLOCK_BYTES_MAX];
        shard_unpack_block(type, tile, block_count, b, lane, bytes);
        integer_block weights = integers_of_block(type, bytes);
        int32_t dot = 0, minima = 0;
        for (size_t i = 0; i < 256; i++) {
            size_t j = i / weights.sub_block_elements;
            dot += weights.scales[j] * weights.values[i] * a->values[i];
            minima += weights.minima[j] * a->values[i];
        }
        sum = fmaf((float)dot, weights.d * a->scale, sum);
        if (weights.has_minimum) {
            sum = fmaf(-(float)minima, weights.dmin * a->scale, sum);
        }
    }
    return sum;
}

void matmul_scalar(const shard_matrix *restrict matrix, size_t tile_first, size_t tile_end,
                   const void *restrict activations, size_t activation_count, float *restrict output,
                   size_t output_stride) {
    uint32_t kind = shard_activation_kind(matrix->type);
    if (kind == SHARD_ACTIVATION_F32) {
        shard_matmul_float_activations(matrix, tile_first, tile_end, activations, activation_count, output,
                                       output_stride);
        return;
    }
    size_t tile_bytes = shard_tile_bytes(matrix->type, matrix->column_count);
    size_t block_count = matrix->column_count / shard_block_layout(matrix->type).elements;
    size_t end = tile_end * SHARD_TILE_ROWS < matrix->row_count ? tile_end * SHARD_TILE_ROWS : matrix->row_count;
    for (size_t r = tile_first * SHARD_TILE_ROWS; r < end; r++) {
        const uint8_t *tile = (const uint8_t *)matrix->packed + r / SHARD_TILE_ROWS * tile_bytes;
        size_t lane = r % SHARD_TILE_ROWS;
        for (size_t n = 0; n < activation_count; n += SHARD_PANEL_ROWS) {
            shard_panel panel = shard_panel_at(kind, activations, matrix->column_count, n, activation_count);
            for (size_t i = 0; i < panel.row_count; i++) {
                output[(n + i) * output_stride + r] =
                    kind == SHARD_ACTIVATION_Q8_32 ? dot_blocks(matrix->type, tile, block_count, lane, &panel, i)
                                                   : dot_superblocks(matrix->type, tile, block_count, lane, &panel, i);
            }
        }
    }
}
