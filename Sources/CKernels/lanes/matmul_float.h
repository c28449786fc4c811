// Products with float weights: lanes are output rows, one fma a column.

#include "matmul_output.h"

INLINE f32x16 load_weights(uint32_t type, const uint8_t *tile, size_t column) {
    switch (type) {
    case SHARD_TYPE_F16:
        return f32_load_f16((const uint16_t *)(const void *)(tile + column * 32));
    case SHARD_TYPE_BF16:
        return f32_load_bf16((const uint16_t *)(const void *)(tile + column * 32));
    default:
        return f32_load((const float *)(const void *)(tile + column * 64));
    }
}

/// `tiles` tiles from `tile` on × `rows` activation rows: enough sums at once to hide the latency of an fma.
INLINE void multiply_float(const matmul_work *work, uint32_t type, size_t tile, const size_t tiles, size_t n,
                           const size_t rows) {
    const uint8_t *weights = work->packed + tile * work->tile_bytes;
    const uint8_t *activations = work->activations + n * work->activation_stride;
    f32x16 sums[8];
    for (size_t i = 0; i < tiles * rows; i++) {
        sums[i] = f32_set(0.0f);
    }
    for (size_t c = 0; c < work->column_count; c++) {
        for (size_t t = 0; t < tiles; t++) {
            f32x16 weight = load_weights(type, weights + t * work->tile_bytes, c);
            for (size_t r = 0; r < rows; r++) {
                float activation = load_f32(activations + r * work->activation_stride + c * 4);
                sums[t * rows + r] = f32_fma(weight, f32_set(activation), sums[t * rows + r]);
            }
        }
    }
    for (size_t t = 0; t < tiles; t++) {
        for (size_t r = 0; r < rows; r++) {
            write_output(work, tile + t, n + r, sums[t * rows + r]);
        }
    }
}

INLINE void multiply_float_tiles(const matmul_work *work, uint32_t type, size_t tile, const size_t tiles) {
    size_t n = 0;
    if (tiles == 1) {
        for (; n + SHARD_ROWS_AT_ONCE <= work->activation_count; n += SHARD_ROWS_AT_ONCE) {
            multiply_float(work, type, tile, 1, n, SHARD_ROWS_AT_ONCE);
        }
    }
    for (; n + 2 <= work->activation_count; n += 2) {
        multiply_float(work, type, tile, tiles, n, 2);
    }
    for (; n < work->activation_count; n++) {
        multiply_float(work, type, tile, tiles, n, 1);
    }
}

INLINE void multiply_float_type(const matmul_work *work, uint32_t type, size_t tile, size_t tile_end) {
    if (work->activation_count < SHARD_ROWS_AT_ONCE) {
        for (; tile + 4 <= tile_end; tile += 4) {
            multiply_float_tiles(work, type, tile, 4);
        }
    }
    for (; tile < tile_end; tile++) {
        multiply_float_tiles(work, type, tile, 1);
    }
}

static void multiply_floats(const matmul_work *work, uint32_t type, size_t tile_first, size_t tile_end) {
    switch (type) {
    case SHARD_TYPE_F16:
        return multiply_float_type(work, SHARD_TYPE_F16, tile_first, tile_end);
    case SHARD_TYPE_BF16:
        return multiply_float_type(work, SHARD_TYPE_BF16, tile_first, tile_end);
    default:
        return multiply_float_type(work, SHARD_TYPE_F32, tile_first, tile_end);
    }
}
