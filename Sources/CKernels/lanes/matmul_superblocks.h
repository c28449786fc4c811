// Products of blocks of 256 weights, Q4_K and Q6_K, with activations that have a scale per 256.

#include "matmul_output.h"

INLINE const block_a8_256 *activation_block(const matmul_work *work, size_t n, size_t b) {
    return (const block_a8_256 *)(const void *)(work->activations + n * work->activation_stride) + b;
}

/// Subscales of sub-block j for 16 rows, and their minima: the bits are explained at block_q4_K.
INLINE i32x16 q4_K_scales(const tile_scales_q4_K *scales, size_t j, const size_t minima) {
    i32x16 first = i32_load_u8(scales->scales[(j & 3) + 4 * minima]);
    if (j < 4) {
        return i32_and(first, i32_set(63));
    }
    i32x16 second = i32_load_u8(scales->scales[8 + (j & 3)]);
    i32x16 low = minima ? i32_shift_right(second, 4) : i32_and(second, i32_set(15));
    return i32_or(low, i32_shift_left(i32_shift_right(first, 6), 4));
}

/// One tile × `rows` activation rows from n on, Q4_K.
INLINE void multiply_q4_K(const matmul_work *work, size_t tile, size_t n, const size_t rows) {
    const uint8_t *weights = work->packed + tile * work->tile_bytes;
    const uint8_t *all_scales = weights + work->block_count * 2048;
    f32x16 sums[SHARD_ROWS_AT_ONCE];
    for (size_t r = 0; r < rows; r++) {
        sums[r] = f32_set(0.0f);
    }
    for (size_t b = 0; b < work->block_count; b++) {
        const tile_scales_q4_K *scales = (const tile_scales_q4_K *)(const void *)all_scales + b;
        i32x16 totals[SHARD_ROWS_AT_ONCE];
        for (size_t r = 0; r < rows; r++) {
            totals[r] = i32_set(0);
        }
        for (size_t chunk = 0; chunk < 4; chunk++) {
            const uint8_t *vectors = weights + b * 2048 + chunk * 512;
            for (size_t half = 0; half < 2; half++) {
                u8x64 bytes[8];
                for (size_t v = 0; v < 8; v++) {
                    u8x64 nibbles = bytes_load(vectors + v * 64);
                    bytes[v] = half == 0 ? bytes_low(nibbles) : bytes_high(nibbles);
                }
                size_t j = chunk * 2 + half;
                i32x16 scale = q4_K_scales(scales, j, 0);
                for (size_t r = 0; r < rows; r++) {
                    const int8_t *values = activation_block(work, n + r, b)->values + j * 32;
                    totals[r] = i32_add(totals[r], i32_mul(scale, dot_nibbles(i32_set(0), bytes, values)));
                }
            }
        }
        f32x16 d = f32_load_f16(scales->d), dmin = f32_load_f16(scales->dmin);
        i32x16 minima[8];
        for (size_t j = 0; j < 8; j++) {
            minima[j] = q4_K_scales(scales, j, 1);
        }
        for (size_t r = 0; r < rows; r++) {
            const block_a8_256 *a = activation_block(work, n + r, b);
            i32x16 minimum = i32_set(0);
            for (size_t j = 0; j < 8; j++) {
                minimum = i32_add(minimum, i32_mul(minima[j], i32_set(a->sums[2 * j] + a->sums[2 * j + 1])));
            }
            f32x16 scale = f32_set(a->scale);
            sums[r] = f32_fma(f32_from_i32(totals[r]), f32_mul(d, scale), sums[r]);
            sums[r] = f32_fma(f32_negate(f32_from_i32(minimum)), f32_mul(dmin, scale), sums[r]);
        }
    }
    for (size_t r = 0; r < rows; r++) {
        write_output(work, tile, n + r, sums[r]);
    }
}

/// One tile × `rows` activation rows from n on, Q6_K.
INLINE void multiply_q6_K(const matmul_work *work, size_t tile, size_t n, const size_t rows) {
    const uint8_t *weights = work->packed + tile * work->tile_bytes;
    const uint8_t *all_scales = weights + work->block_count * 3072;
    f32x16 sums[SHARD_ROWS_AT_ONCE];
    for (size_t r = 0; r < rows; r++) {
        sums[r] = f32_set(0.0f);
    }
    for (size_t b = 0; b < work->block_count; b++) {
        const tile_scales_q6_K *scales = (const tile_scales_q6_K *)(const void *)all_scales + b;
        const uint8_t *low = weights + b * 3072, *high = low + 2048;
        i32x16 totals[SHARD_ROWS_AT_ONCE];
        for (size_t r = 0; r < rows; r++) {
            totals[r] = i32_set(0);
        }
        for (size_t part = 0; part < 4; part++) { // weights 128 (part / 2) + 16 (part mod 2) + 32k + 0 … 15
            const uint8_t *low_vectors = low + part / 2 * 1024 + part % 2 * 256;
            const uint8_t *high_vectors = high + part * 256;
            for (size_t k = 0; k < 4; k++) {
                u8x64 bytes[4];
                for (size_t v = 0; v < 4; v++) {
                    u8x64 nibbles = bytes_load(low_vectors + k % 2 * 512 + v * 64);
                    bytes[v] = bytes_six_bits(nibbles, bytes_load(high_vectors + v * 64), k);
                }
                size_t j = part / 2 * 8 + k * 2 + part % 2;
                i32x16 scale = i32_load_i8(scales->scales[j]);
                for (size_t r = 0; r < rows; r++) {
                    const block_a8_256 *a = activation_block(work, n + r, b);
                    i32x16 dot = dot_six_bits(i32_set(-32 * a->sums[j]), bytes, a->values + j * 16);
                    totals[r] = i32_add(totals[r], i32_mul(scale, dot));
                }
            }
        }
        f32x16 d = f32_load_f16(scales->d);
        for (size_t r = 0; r < rows; r++) {
            f32x16 scale = f32_mul(d, f32_set(activation_block(work, n + r, b)->scale));
            sums[r] = f32_fma(f32_from_i32(totals[r]), scale, sums[r]);
        }
    }
    for (size_t r = 0; r < rows; r++) {
        write_output(work, tile, n + r, sums[r]);
    }
}
