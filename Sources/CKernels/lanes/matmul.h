// Matrix products of every type: tile by tile, a few activation rows at a time.

#include "matmul_256.h"
#include "matmul_32.h"
#include "matmul_float.h"

INLINE void multiply_rows(const matmul_work *work, uint32_t type, const uint32_t kind, size_t tile,
                          const shard_panel *panel, const size_t rows, const bool fetching) {
    if (kind == SHARD_ACTIVATION_Q8_32) {
        multiply_blocks(work, type, tile, panel, rows, fetching);
    } else {
        multiply_superblocks(work, type, tile, panel, rows, fetching);
    }
}

INLINE void multiply_quantized(const matmul_work *work, uint32_t type, const uint32_t kind, size_t tile,
                               size_t tile_end) {
    const size_t block_bytes = kind == SHARD_ACTIVATION_Q8_32 ? sizeof(block_a8_32) : sizeof(block_a8_256);
    // A panel or two are over before the next tile's weights have come by themselves.
    const bool is_long = SHARD_ROWS_AT_ONCE == SHARD_PANEL_ROWS && work->activation_count > 2 * SHARD_PANEL_ROWS;
    for (; tile < tile_end; tile++) {
        for (size_t n = 0; n < work->activation_count; n += SHARD_PANEL_ROWS) {
            shard_panel panel = shard_panel_at(kind, work->activations, work->column_count, n, work->activation_count);
            while (panel.row_count >= SHARD_ROWS_AT_ONCE) {
                if (is_long) {
                    multiply_rows(work, type, kind, tile, &panel, SHARD_ROWS_AT_ONCE, false);
                } else {
                    multiply_rows(work, type, kind, tile, &panel, SHARD_ROWS_AT_ONCE, true);
                }
                shard_panel_skip(&panel, block_bytes, SHARD_ROWS_AT_ONCE);
            }
            if (SHARD_ROWS_AT_ONCE > 4 && panel.row_count >= 4) {
                multiply_rows(work, type, kind, tile, &panel, 4, true);
                shard_panel_skip(&panel, block_bytes, 4);
            }
            if (panel.row_count >= 2) {
                multiply_rows(work, type, kind, tile, &panel, 2, true);
                shard_panel_skip(&panel, block_bytes, 2);
            }
            if (panel.row_count == 1) {
                multiply_rows(work, type, kind, tile, &panel, 1, true);
            }
        }
    }
}

void NAME(matmul)(const shard_matrix *restrict matrix, size_t tile_first, size_t tile_end,
                  const void *restrict activations, size_t activation_count, float *restrict output,
                  size_t output_stride) {
    matmul_work work = {
        .packed = matrix->packed,
        .tile_bytes = shard_tile_bytes(matrix->type, matrix->column_count),
        .row_count = matrix->row_count,
        .column_count = matrix->column_count,
        .block_count = matrix->column_count / shard_block_layout(matrix->type).elements,
        .activations = activations,
        .activation_count = activation_count,
        .output = output,
        .output_stride = output_stride,
    };
#define BLOCKS(type)                                                                                                   \
    case type:                                                                                                         \
        return multiply_quantized(&work, type, SHARD_ACTIVATION_Q8_32, tile_first, tile_end);
#define SUPERBLOCKS(type)                                                                                              \
    case type:                                                                                                         \
        return multiply_quantized(&work, type, SHARD_ACTIVATION_Q8_256, tile_first, tile_end);
    switch (matrix->type) {
        BLOCKS(SHARD_TYPE_Q8_0)
        BLOCKS(SHARD_TYPE_Q4_0)
        BLOCKS(SHARD_TYPE_Q4_1)
        BLOCKS(SHARD_TYPE_Q5_0)
        BLOCKS(SHARD_TYPE_Q5_1)
        BLOCKS(SHARD_TYPE_IQ4_NL)
        BLOCKS(SHARD_TYPE_MXFP4)
        SUPERBLOCKS(SHARD_TYPE_Q2_K)
        SUPERBLOCKS(SHARD_TYPE_Q3_K)
        SUPERBLOCKS(SHARD_TYPE_Q4_K)
        SUPERBLOCKS(SHARD_TYPE_Q5_K)
        SUPERBLOCKS(SHARD_TYPE_Q6_K)
        SUPERBLOCKS(SHARD_TYPE_IQ4_XS)
    case SHARD_TYPE_F32:
    case SHARD_TYPE_F16:
    case SHARD_TYPE_BF16:
        return multiply_floats(&work, matrix->type, tile_first, tile_end);
    default:
        return multiply_widened(&work, matrix->type, tile_first, tile_end);
    }
#undef BLOCKS
#undef SUPERBLOCKS
}
