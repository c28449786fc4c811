// Matrix products of every type: tile by tile, a few activation rows at a time.

#include "matmul_blocks.h"
#include "matmul_float.h"
#include "matmul_superblocks.h"

INLINE void multiply_rows(const matmul_work *work, uint32_t type, size_t tile, size_t n, const size_t rows) {
    switch (type) {
    case SHARD_TYPE_Q4_K:
        return multiply_q4_K(work, tile, n, rows);
    case SHARD_TYPE_Q6_K:
        return multiply_q6_K(work, tile, n, rows);
    default:
        return multiply_blocks(work, type, tile, n, rows);
    }
}

INLINE void multiply_quantized(const matmul_work *work, uint32_t type, size_t tile, size_t tile_end) {
    for (; tile < tile_end; tile++) {
        size_t n = 0;
        for (; n + SHARD_ROWS_AT_ONCE <= work->activation_count; n += SHARD_ROWS_AT_ONCE) {
            multiply_rows(work, type, tile, n, SHARD_ROWS_AT_ONCE);
        }
        for (; n + 2 <= work->activation_count; n += 2) {
            multiply_rows(work, type, tile, n, 2);
        }
        for (; n < work->activation_count; n++) {
            multiply_rows(work, type, tile, n, 1);
        }
    }
}

void NAME(matmul)(const shard_matrix *restrict matrix, size_t tile_first, size_t tile_end,
                  const void *restrict activations, size_t activation_stride, size_t activation_count,
                  float *restrict output, size_t output_stride) {
    matmul_work work = {
        .packed = matrix->packed,
        .tile_bytes = shard_tile_bytes(matrix->type, matrix->column_count),
        .row_count = matrix->row_count,
        .column_count = matrix->column_count,
        .block_count = matrix->column_count / shard_block_layout(matrix->type).elements,
        .activations = activations,
        .activation_stride = activation_stride,
        .activation_count = activation_count,
        .output = output,
        .output_stride = output_stride,
    };
    switch (matrix->type) {
    case SHARD_TYPE_Q8_0:
        return multiply_quantized(&work, SHARD_TYPE_Q8_0, tile_first, tile_end);
    case SHARD_TYPE_Q4_0:
        return multiply_quantized(&work, SHARD_TYPE_Q4_0, tile_first, tile_end);
    case SHARD_TYPE_Q4_K:
        return multiply_quantized(&work, SHARD_TYPE_Q4_K, tile_first, tile_end);
    case SHARD_TYPE_Q6_K:
        return multiply_quantized(&work, SHARD_TYPE_Q6_K, tile_first, tile_end);
    default:
        return multiply_floats(&work, matrix->type, tile_first, tile_end);
    }
}
