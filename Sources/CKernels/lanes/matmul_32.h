// Products of blocks of 32 weights with activations that have a scale per 32, one tile × a few rows of a panel:
//
//     dot[n]  = Σ weight × activation[n]                                  an exact integer
//     sums[n] = fma(float(dot[n]), d × scale[n], sums[n])                 and then, with a minimum:
//     sums[n] = fma(float(Σ activation[n]), m × scale[n], sums[n])

#include "matmul_output.h"
#include "weights_32.h"

INLINE void multiply_blocks(const matmul_work *work, uint32_t type, size_t tile, const shard_panel *panel,
                            const size_t rows, const bool fetching) {
    const byte_form form = block_form(type);
    const size_t stride = panel->stride, ahead = SHARD_AHEAD_32;
    const uint8_t *block = tile_at(work, tile), *activations = panel->blocks;
    f32x16 sums[SHARD_ROWS_AT_ONCE];
    for (size_t n = 0; n < rows; n++) {
        sums[n] = f32_set(0.0f);
    }
    for (size_t b = 0; b < work->block_count; b++, block += form.bytes, activations += stride) {
        const block_a8_32 *a = (const void *)activations; // of the first row; the others follow
        if (fetching) {
            fetch_lines(block + ahead, 0, form.bytes);
        }
        i32x16 dots[SHARD_ROWS_AT_ONCE];
        for (size_t n = 0; n < rows; n++) {
            dots[n] = form.offset != 0 ? i32_set(-form.offset * a[n].sum) : i32_set(0);
        }
        UNROLL
        for (size_t first = 0; first < 8; first += dots_groups(form.bits)) {
            i32x16 parts[SHARD_ROWS_AT_ONCE];
            for (size_t n = 0; n < rows; n++) {
                parts[n] = dots_start(dots[n], form.bits);
            }
            UNROLL
            for (size_t g = first; g < first + dots_groups(form.bits); g++) {
                u8x64 bytes = block_weights(type, block, g);
                for (size_t n = 0; n < rows; n++) {
                    parts[n] = dots_add(parts[n], bytes, a[n].values + 4 * g, form.bits);
                }
            }
            for (size_t n = 0; n < rows; n++) {
                dots[n] = dots_end(parts[n], dots[n], form.bits);
            }
        }
        f32x16 minima = f32_set(0.0f), scales = block_scales(type, block, &minima);
        for (size_t n = 0; n < rows; n++) {
            f32x16 scale = f32_set(a[n].scale);
            sums[n] = f32_fma(f32_from_i32(dots[n]), f32_mul(scales, scale), sums[n]);
            if (form.has_minimum) {
                sums[n] = f32_fma(f32_set((float)a[n].sum), f32_mul(minima, scale), sums[n]);
            }
        }
    }
    for (size_t n = 0; n < rows; n++) {
        write_output(work, tile, panel->row + n, sums[n]);
    }
}
