// The reference for accuracy: weights decoded to f32, activations as they are.
#pragma STDC FP_CONTRACT OFF

#include "../kernels.h"
#include "decode.h"

#include <math.h>

enum { BLOCK_MAX = 256, BLOCK_BYTES_MAX = sizeof(block_q6_K) };

/// Gathers block b of one lane back into the file's order of bytes: the reverse of packing.
static void gather_block(uint32_t type, const uint8_t *tile, size_t block_count, size_t b, size_t lane, uint8_t *out) {
    // Pieces of a block in the file's order: where they start in the tile, bytes of a piece, pieces.
    struct {
        size_t start, size, count;
    } pieces[4] = {{0, 0, 0}};
    size_t after = 0;
    switch (type) {
    case SHARD_TYPE_Q8_0:
        after = block_count * 512 + b * 32;
        pieces[0].start = after, pieces[0].size = 2, pieces[0].count = 1;
        pieces[1].start = b * 512, pieces[1].size = 4, pieces[1].count = 8;
        break;
    case SHARD_TYPE_Q4_0:
        after = block_count * 256 + b * 32;
        pieces[0].start = after, pieces[0].size = 2, pieces[0].count = 1;
        pieces[1].start = b * 256, pieces[1].size = 4, pieces[1].count = 4;
        break;
    case SHARD_TYPE_Q4_K:
        after = block_count * 2048 + b * sizeof(tile_scales_q4_K);
        pieces[0].start = after, pieces[0].size = 2, pieces[0].count = 2;
        pieces[1].start = after + offsetof(tile_scales_q4_K, scales), pieces[1].size = 1, pieces[1].count = 12;
        pieces[2].start = b * 2048, pieces[2].size = 4, pieces[2].count = 32;
        break;
    case SHARD_TYPE_Q6_K:
        after = block_count * 3072 + b * sizeof(tile_scales_q6_K);
        pieces[0].start = b * 3072, pieces[0].size = 4, pieces[0].count = 48;
        pieces[1].start = after + offsetof(tile_scales_q6_K, scales), pieces[1].size = 1, pieces[1].count = 16;
        pieces[2].start = after, pieces[2].size = 2, pieces[2].count = 1;
        break;
    default:
        pieces[0].size = shard_block_layout(type).bytes, pieces[0].count = 1;
        pieces[0].start = b * SHARD_TILE_ROWS * pieces[0].size;
        break;
    }
    for (size_t p = 0; p < 4; p++) {
        for (size_t i = 0; i < pieces[p].count; i++) {
            size_t size = pieces[p].size;
            memcpy(out, tile + pieces[p].start + (i * SHARD_TILE_ROWS + lane) * size, size);
            out += size;
        }
    }
}

void shard_matmul_float_activations(const shard_matrix *restrict matrix, size_t tile_first, size_t tile_end,
                                    const void *restrict activations, size_t activation_stride, size_t activation_count,
                                    float *restrict output, size_t output_stride) {
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
            uint8_t bytes[BLOCK_BYTES_MAX];
            float weights[BLOCK_MAX];
            gather_block(matrix->type, tile, block_count, b, r % SHARD_TILE_ROWS, bytes);
            shard_decode_row(matrix->type, bytes, layout.elements, weights);
            for (size_t n = 0; n < activation_count; n++) {
                const uint8_t *row = (const uint8_t *)activations + n * activation_stride;
                float sum = output[n * output_stride + r];
                for (size_t i = 0; i < layout.elements; i++) {
                    sum = fmaf(weights[i], load_f32(row + (b * layout.elements + i) * 4), sum);
                }
                output[n * output_stride + r] = sum;
            }
        }
    }
}
