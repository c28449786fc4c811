// Products with float weights: lanes are output rows, one fma a column.
//
//     sums[n] = fma(weight, activation[n], sums[n])

#include "matmul_output.h"

/// Bytes of a column of a tile.
INLINE size_t column_bytes(uint32_t type) {
    return type == SHARD_TYPE_F32 ? 64 : 32;
}

/// A column of a tile, or of decoded weights (as F32).
INLINE f32x16 load_weights(uint32_t type, const uint8_t *column) {
    switch (type) {
    case SHARD_TYPE_F16:
        return f32_load_f16((const void *)column);
    case SHARD_TYPE_BF16:
        return f32_load_bf16((const void *)column);
    default:
        return f32_load((const void *)column);
    }
}

/// `count` columns of `tiles` tiles (`tile_bytes` apart) × `rows` rows of activations: enough sums at once to hide the
/// latency of an fma. `activations` are columns of a panel, `stride` floats apart. Lines that come `ahead` (if not 0)
/// are asked for, into the first-level cache.
INLINE void add_columns(uint32_t type, const uint8_t *weights, size_t tile_bytes, const size_t tiles, size_t count,
                        const float *activations, size_t stride, const size_t rows, const size_t ahead, f32x16 *sums) {
    const size_t bytes = column_bytes(type);
    for (size_t c = 0; c < count; c++, activations += stride) {
        for (size_t t = 0; t < tiles; t++) {
            const uint8_t *column = weights + t * tile_bytes + c * bytes;
            if (ahead != 0 && c % (64 / bytes) == 0) {
                __builtin_prefetch(column + ahead, 0, 3);
            }
            f32x16 weight = load_weights(type, column);
            for (size_t n = 0; n < rows; n++) {
                sums[t * rows + n] = f32_fma(weight, f32_set(activations[n]), sums[t * rows + n]);
            }
        }
    }
}

INLINE void multiply_float(const matmul_work *work, uint32_t type, size_t tile, const size_t tiles,
                           const shard_panel *panel, const size_t rows, const size_t ahead) {
    f32x16 sums[SHARD_FLOAT_SUMS];
    for (size_t i = 0; i < tiles * rows; i++) {
        sums[i] = f32_set(0.0f);
    }
    add_columns(type, tile_at(work, tile), work->tile_bytes, tiles, work->column_count, (const void *)panel->blocks,
                panel->stride / sizeof(float), rows, ahead, sums);
    for (size_t t = 0; t < tiles; t++) {
        for (size_t n = 0; n < rows; n++) {
            write_output(work, tile + t, panel->row + n, sums[t * rows + n]);
        }
    }
}

/// All activation rows × `tiles` tiles.
INLINE void multiply_float_tiles(const matmul_work *work, uint32_t type, size_t tile, const size_t tiles,
                                 const size_t ahead) {
    const size_t at_once = SHARD_FLOAT_SUMS / tiles < SHARD_PANEL_ROWS ? SHARD_FLOAT_SUMS / tiles : SHARD_PANEL_ROWS;
    for (size_t first = 0; first < work->activation_count; first += SHARD_PANEL_ROWS) {
        shard_panel panel =
            shard_panel_at(SHARD_ACTIVATION_F32, work->activations, work->column_count, first, work->activation_count);
        while (panel.row_count > 0) {
            size_t rows = 1;
            if (panel.row_count >= at_once) {
                rows = at_once;
                multiply_float(work, type, tile, tiles, &panel, at_once, ahead);
            } else if (at_once > 2 && panel.row_count >= 2) {
                rows = 2;
                multiply_float(work, type, tile, tiles, &panel, 2, ahead);
            } else {
                multiply_float(work, type, tile, tiles, &panel, 1, ahead);
            }
            shard_panel_skip(&panel, sizeof(float), rows);
        }
    }
}

INLINE void multiply_float_type(const matmul_work *work, uint32_t type, size_t tile, size_t tile_end) {
    const size_t few = 4, many = SHARD_FLOAT_SUMS / SHARD_PANEL_ROWS > 0 ? SHARD_FLOAT_SUMS / SHARD_PANEL_ROWS : 1;
    if (work->activation_count < SHARD_PANEL_ROWS && SHARD_AHEAD_FLOATS != 0 && !shard_fetches_near) {
        for (; tile + few <= tile_end; tile += few) {
            multiply_float_tiles(work, type, tile, few, SHARD_AHEAD_FLOATS);
        }
    } else if (work->activation_count < SHARD_PANEL_ROWS) {
        for (; tile + few <= tile_end; tile += few) {
            multiply_float_tiles(work, type, tile, few, 0);
        }
    } else {
        for (; tile + many <= tile_end; tile += many) {
            multiply_float_tiles(work, type, tile, many, 0);
        }
    }
    for (; tile < tile_end; tile++) {
        multiply_float_tiles(work, type, tile, 1, 0);
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

/// Types that are widened: a block of 16 rows is decoded, then it is f32. The decoded columns meet all activation rows
/// before the next are decoded, so sums wait in the output.
static void multiply_widened(const matmul_work *work, uint32_t type, size_t tile_first, size_t tile_end) {
    shard_layout layout = shard_block_layout(type);
    for (size_t tile = tile_first; tile < tile_end; tile++) {
        for (size_t n = 0; n < work->activation_count; n++) {
            write_output(work, tile, n, f32_set(0.0f));
        }
        for (size_t b = 0; b < work->block_count; b++) {
            float decoded[SHARD_BLOCK_ELEMENTS_MAX], columns[SHARD_BLOCK_ELEMENTS_MAX * SHARD_TILE_ROWS];
            for (size_t lane = 0; lane < SHARD_TILE_ROWS; lane++) {
                const uint8_t *block = tile_at(work, tile) + (lane * work->block_count + b) * layout.bytes;
                shard_decode_row(type, block, layout.elements, decoded);
                for (size_t c = 0; c < layout.elements; c++) {
                    columns[c * SHARD_TILE_ROWS + lane] = decoded[c];
                }
            }
            for (size_t n = 0; n < work->activation_count; n++) {
                size_t first = n / SHARD_PANEL_ROWS * SHARD_PANEL_ROWS;
                shard_panel panel = shard_panel_at(SHARD_ACTIVATION_F32, work->activations, work->column_count, first,
                                                   work->activation_count);
                const float *activations = shard_panel_block(&panel, sizeof(float), b * layout.elements, n - first);
                f32x16 sum = read_output(work, tile, n);
                add_columns(SHARD_TYPE_F32, (const void *)columns, 0, 1, layout.elements, activations,
                            panel.stride / sizeof(float), 1, 0, &sum);
                write_output(work, tile, n, sum);
            }
        }
    }
}
