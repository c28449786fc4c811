// Products of blocks of 256 weights with activations that have a scale per 256, one tile × a few rows of a panel:
//
//     total[n]   = Σ subscale × Σ weight × activation[n]                  an exact integer
//     sums[n]    = fma(float(total[n]), d × scale[n], sums[n])            and then, with minima:
//     minimum[n] = Σ subminimum × Σ activation[n]                         an exact integer
//     sums[n]    = fma(−float(minimum[n]), dmin × scale[n], sums[n])

#include "matmul_output.h"
#include "weights_256.h"

/// Adds subscale × Σ byte × activation of one sub-block to each row's total. If `fetching`, it asks for its share of
/// the block `ahead`, evenly as it goes: a processor has places for some ten lines that are on their way.
INLINE void add_sub_block(uint32_t type, const uint8_t *block, size_t part, const size_t kind, i32x16 multiplier,
                          const block_a8_256 *a, const size_t rows, const bool fetching, size_t ahead, i32x16 *totals) {
    const superblock_form form = superblock_form_of(type);
    const size_t groups = form.width / 4;
    const size_t at_once = dots_groups(form.bits) < groups ? dots_groups(form.bits) : groups;
    const size_t column = sub_block_of(type, part, kind) * form.width;
    const size_t part_bytes = form.bytes / 4, steps = form.kinds * groups;
    const uint8_t *part_ahead = block + ahead + part * part_bytes;
    UNROLL
    for (size_t first = 0; first < groups; first += at_once) {
        i32x16 parts[SHARD_ROWS_AT_ONCE];
        for (size_t n = 0; n < rows; n++) {
            parts[n] = dots_start(i32_set(0), form.bits);
        }
        UNROLL
        for (size_t g = first; g < first + at_once; g++) {
            if (fetching) {
                const size_t step = kind * groups + g;
                fetch_lines(part_ahead, step * part_bytes / steps, (step + 1) * part_bytes / steps);
            }
            u8x64 bytes = sub_block_weights(type, block, part, kind, g);
            for (size_t n = 0; n < rows; n++) {
                parts[n] = dots_add(parts[n], bytes, a[n].values + column + 4 * g, form.bits);
            }
        }
        for (size_t n = 0; n < rows; n++) {
            totals[n] = dots_end_scaled(parts[n], totals[n], multiplier, form.bits);
        }
    }
}

INLINE void multiply_superblocks(const matmul_work *work, uint32_t type, size_t tile, const shard_panel *panel,
                                 const size_t rows, const bool fetching) {
    const superblock_form form = superblock_form_of(type);
    const size_t pairs = 256 / form.width / 2, stride = panel->stride, ahead = SHARD_AHEAD_256;
    const uint8_t *block = tile_at(work, tile), *activations = panel->blocks;
    f32x16 sums[SHARD_ROWS_AT_ONCE];
    for (size_t n = 0; n < rows; n++) {
        sums[n] = f32_set(0.0f);
    }
    for (size_t b = 0; b < work->block_count; b++, block += form.bytes, activations += stride) {
        const block_a8_256 *a = (const void *)activations; // of the first row; the others follow
        sub_scales sub = sub_scales_of(type, block);
        i32x16 multipliers[16], totals[SHARD_ROWS_AT_ONCE];
        for (size_t j = 0; j < 2 * pairs; j++) {
            multipliers[j] = dots_multiplier(sub.scales[j / 2], j % 2, form.bits);
        }
        for (size_t n = 0; n < rows; n++) {
            totals[n] = i32_set(0);
            if (form.offset_shift != 0) {
                const int16_t *activation_sums = form.width == 16 ? a[n].sums16 : a[n].sums32;
                i32x16 offsets = plus_scaled_sums(i32_set(0), sub.scales, pairs, activation_sums);
                totals[n] = i32_sub(i32_set(0), i32_shift_left(offsets, form.offset_shift));
            }
        }
        NO_UNROLL
        for (size_t part = 0; part < 4; part++) {
            UNROLL
            for (size_t kind = 0; kind < form.kinds; kind++) {
                add_sub_block(type, block, part, kind, multipliers[sub_block_of(type, part, kind)], a, rows, fetching,
                              ahead, totals);
            }
        }
        f32x16 dmin = f32_set(0.0f), d = superblock_scales(type, block, &dmin);
        for (size_t n = 0; n < rows; n++) {
            f32x16 scale = f32_set(a[n].scale);
            sums[n] = f32_fma(f32_from_i32(totals[n]), f32_mul(d, scale), sums[n]);
            if (form.has_minimum) {
                const int16_t *activation_sums = form.width == 16 ? a[n].sums16 : a[n].sums32;
                i32x16 minimum = plus_scaled_sums(i32_set(0), sub.minima, pairs, activation_sums);
                sums[n] = f32_fma(f32_negate(f32_from_i32(minimum)), f32_mul(dmin, scale), sums[n]);
            }
        }
    }
    for (size_t n = 0; n < rows; n++) {
        write_output(work, tile, panel->row + n, sums[n]);
    }
}
