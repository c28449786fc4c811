// Products with f32 activations: weights decoded to f32, one fma a column, in order.
#pragma STDC FP_CONTRACT OFF

#include "../kernels.h"
#include "../panel.h"
#include "decode.h"

#include <math.h>

void shard_matmul_float_activations(const shard_matrix *restrict matrix, size_t tile_first, size_t tile_end,
                                    const void *restrict activations, size_t activation_count, float *restrict output,
                                    size_t output_stride) {
    shard_layout layout = shard_block_layout(matrix->type);
    size_t block_count = matrix->column_count / layout.elements;
    size_t tile_bytes = shard_tile_bytes(matrix->type, matrix->column_count);
    size_t end = tile_end * SHARD_TILE_ROWS < matrix->row_count ? tile_end * SHARD_TILE_ROWS : matrix->row_count;
    for (size_t r = tile_first * SHARD_TILE_ROWS; r < end; r++) {
        const uint8_t *tile = (const uint8_t *)matrix->packed + r / SHARD_TILE_ROWS * tile_bytes;
        for (size_t n = 0; n < activation_count; n++) {
            output[n * output_stride + r] = 0;
        }
        for (size_t b = 0; b < block_count; b++) {
            uint8_t bytes[SHARD_BLOCK_BYTES_MAX];
            float weights[SHARD_BLOCK_ELEMENTS_MAX];
            shard_unpack_block(matrix->type, tile, block_count, b, r % SHARD_TILE_ROWS, bytes);
            shard_decode_row(matrix->type, bytes, layout.elements, weights);
            for (size_t n = 0; n < activation_count; n++) {
                size_t first = n / SHARD_PANEL_ROWS * SHARD_PANEL_ROWS;
                shard_panel panel =
                    shard_panel_at(SHARD_ACTIVATION_F32, activations, matrix->column_count, first, activation_count);
                float sum = output[n * output_stride + r];
                for (size_t i = 0; i < layout.elements; i++) {
                    const void *activation =
                        shard_panel_block(&panel, sizeof(float), b * layout.elements + i, n - first);
                    sum = fmaf(weights[i], load_f32(activation), sum);
                }
                output[n * output_stride + r] = sum;
            }
        }
    }
}
