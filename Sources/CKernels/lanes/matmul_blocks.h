// Products of blocks of 32 weights, Q8_0 and Q4_0, with activations that have a scale per 32.

#include "matmul_output.h"

/// One tile × `rows` activation rows from n on.
INLINE void multiply_blocks(const matmul_work *work, uint32_t type, size_t tile, size_t n, const size_t rows) {
    const uint8_t *weights = work->packed + tile * work->tile_bytes;
    const size_t weight_bytes = type == SHARD_TYPE_Q8_0 ? 512 : 256;
    const uint8_t *scales = weights + work->block_count * weight_bytes;
    const uint8_t *activations = work->activations + n * work->activation_stride;
    f32x16 sums[SHARD_ROWS_AT_ONCE];
    for (size_t r = 0; r < rows; r++) {
        sums[r] = f32_set(0.0f);
    }
    for (size_t b = 0; b < work->block_count; b++) {
        u8x64 bytes[8];
        if (type == SHARD_TYPE_Q8_0) {
            for (size_t v = 0; v < 8; v++) {
                bytes[v] = bytes_load_signed(weights + b * 512 + v * 64);
            }
        } else {
            for (size_t v = 0; v < 4; v++) {
                u8x64 nibbles = bytes_load(weights + b * 256 + v * 64);
                bytes[v] = bytes_low(nibbles);
                bytes[v + 4] = bytes_high(nibbles);
            }
        }
        f32x16 scale = f32_load_f16((const uint16_t *)(const void *)(scales + b * 32));
        for (size_t r = 0; r < rows; r++) {
            const block_a8_32 *a = (const block_a8_32 *)(const void *)(activations + r * work->activation_stride) + b;
            i32x16 dot = type == SHARD_TYPE_Q8_0 ? dot_signed(bytes, a->values, a->sum)
                                                 : dot_nibbles(i32_set(-8 * a->sum), bytes, a->values);
            sums[r] = f32_fma(f32_from_i32(dot), f32_mul(scale, f32_set(a->scale)), sums[r]);
        }
    }
    for (size_t r = 0; r < rows; r++) {
        write_output(work, tile, n + r, sums[r]);
    }
}
