// What all matrix products share: the work in numbers, and how a tile's results are written.
#ifndef SHARD_LANES_MATMUL_OUTPUT_H
#define SHARD_LANES_MATMUL_OUTPUT_H

#include "../panel.h"

typedef struct matmul_work {
    const uint8_t *packed;
    size_t tile_bytes;
    size_t row_count;
    size_t column_count;
    /// Blocks of the matrix's type in a row.
    size_t block_count;
    const void *activations;
    size_t activation_count;
    float *output;
    size_t output_stride;
} matmul_work;

INLINE const uint8_t *tile_at(const matmul_work *work, size_t tile) {
    return work->packed + tile * work->tile_bytes;
}

/// Asks for the cache lines that begin in bytes [first, end) of `ahead`, into the second-level cache: what the
/// processor fetches ahead by itself stops while a product computes.
INLINE void fetch_lines(const uint8_t *ahead, const size_t first, const size_t end) {
    UNROLL
    for (size_t i = (first + 63) / 64 * 64; i < end; i += 64) {
        __builtin_prefetch(ahead + i, 0, 2);
    }
}

/// Writes the results of activation row n with a tile.
INLINE void write_output(const matmul_work *work, size_t tile, size_t n, f32x16 sums) {
    float *output = work->output + n * work->output_stride + tile * SHARD_TILE_ROWS;
    size_t rows = work->row_count - tile * SHARD_TILE_ROWS;
    if (rows >= SHARD_TILE_ROWS) {
        f32_store(output, sums);
    } else {
        float all[SHARD_TILE_ROWS];
        f32_store(all, sums);
        memcpy(output, all, rows * sizeof *all);
    }
}

/// What `write_output` wrote; lanes past the last row are 0.
INLINE f32x16 read_output(const matmul_work *work, size_t tile, size_t n) {
    const float *output = work->output + n * work->output_stride + tile * SHARD_TILE_ROWS;
    size_t rows = work->row_count - tile * SHARD_TILE_ROWS;
    if (rows >= SHARD_TILE_ROWS) {
        return f32_load(output);
    }
    float all[SHARD_TILE_ROWS] = {0};
    memcpy(all, output, rows * sizeof *all);
    return f32_load(all);
}

#endif
