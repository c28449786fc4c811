// Packing: 16 rows of a matrix interleaved in one tile, so that vector lanes are rows.
//
// A tile has the bits of its rows, in another order, the same on every machine. With B blocks a row and "vector"
// meaning 64 bytes, 4 of each row (row 0 first), 4v … 4v + 3 of the row's bytes:
//
//   F32, F16, BF16   for each column, 16 consecutive elements
//   Q8_0             [B][8 vectors of qs] [B][16 d]
//   Q4_0             [B][4 vectors of qs] [B][16 d]
//   Q4_K             [B][32 vectors of qs] [B]{[16 d] [16 dmin] [12][16] bytes of scales}
//   Q6_K             [B][32 vectors of ql, 16 vectors of qh] [B]{[16 d] [16][16] scales}
//
// Weights come first, so that vectors start on multiples of 64 bytes.
#pragma STDC FP_CONTRACT OFF

#include "packing.h"

#include <string.h>

bool shard_type_is_supported(uint32_t type) {
    return shard_block_layout(type).bytes != 0;
}

bool shard_columns_are_whole(uint32_t type, size_t column_count) {
    shard_layout layout = shard_block_layout(type);
    return layout.bytes != 0 && column_count != 0 && column_count % layout.elements == 0;
}

size_t shard_row_bytes(uint32_t type, size_t column_count) {
    shard_layout layout = shard_block_layout(type);
    return column_count / layout.elements * layout.bytes;
}

size_t shard_tile_bytes(uint32_t type, size_t column_count) {
    return SHARD_TILE_ROWS * shard_row_bytes(type, column_count);
}

size_t shard_tile_count(size_t row_count) {
    return row_count / SHARD_TILE_ROWS + (row_count % SHARD_TILE_ROWS != 0);
}

size_t shard_packed_bytes(uint32_t type, size_t row_count, size_t column_count) {
    return shard_tile_count(row_count) * shard_tile_bytes(type, column_count);
}

uint32_t shard_activation_kind(uint32_t type) {
    switch (type) {
    case SHARD_TYPE_Q8_0:
    case SHARD_TYPE_Q4_0:
        return SHARD_ACTIVATION_Q8_32;
    case SHARD_TYPE_Q4_K:
    case SHARD_TYPE_Q6_K:
        return SHARD_ACTIVATION_Q8_256;
    default:
        return SHARD_ACTIVATION_F32;
    }
}

size_t shard_activation_bytes(uint32_t kind, size_t column_count) {
    switch (kind) {
    case SHARD_ACTIVATION_Q8_32:
        return column_count / 32 * sizeof(block_a8_32);
    case SHARD_ACTIVATION_Q8_256:
        return column_count / 256 * sizeof(block_a8_256);
    default:
        return column_count * sizeof(float);
    }
}

size_t shard_cache_head_bytes(uint32_t cache_type, size_t head_dim) {
    return 2 * SHARD_BLOCK_POSITIONS * head_dim * (cache_type == SHARD_TYPE_F16 ? 2 : 4);
}

/// Copies `count` pieces of `size` bytes from one row into its lane of consecutive vectors of 16 pieces.
static void interleave(const uint8_t *from, size_t size, size_t count, size_t row, uint8_t *to) {
    for (size_t i = 0; i < count; i++) {
        memcpy(to + (i * SHARD_TILE_ROWS + row) * size, from + i * size, size);
    }
}

static void pack_row_q8_0(const uint8_t *from, size_t blocks, size_t row, uint8_t *tile) {
    for (size_t b = 0; b < blocks; b++) {
        const uint8_t *block = from + b * sizeof(block_q8_0);
        interleave(block + offsetof(block_q8_0, qs), 4, 8, row, tile + b * 512);
        interleave(block + offsetof(block_q8_0, d), 2, 1, row, tile + blocks * 512 + b * 32);
    }
}

static void pack_row_q4_0(const uint8_t *from, size_t blocks, size_t row, uint8_t *tile) {
    for (size_t b = 0; b < blocks; b++) {
        const uint8_t *block = from + b * sizeof(block_q4_0);
        interleave(block + offsetof(block_q4_0, qs), 4, 4, row, tile + b * 256);
        interleave(block + offsetof(block_q4_0, d), 2, 1, row, tile + blocks * 256 + b * 32);
    }
}

static void pack_row_q4_K(const uint8_t *from, size_t blocks, size_t row, uint8_t *tile) {
    for (size_t b = 0; b < blocks; b++) {
        const uint8_t *block = from + b * sizeof(block_q4_K);
        uint8_t *scales = tile + blocks * 2048 + b * sizeof(tile_scales_q4_K);
        interleave(block + offsetof(block_q4_K, qs), 4, 32, row, tile + b * 2048);
        interleave(block + offsetof(block_q4_K, d), 2, 1, row, scales + offsetof(tile_scales_q4_K, d));
        interleave(block + offsetof(block_q4_K, dmin), 2, 1, row, scales + offsetof(tile_scales_q4_K, dmin));
        interleave(block + offsetof(block_q4_K, scales), 1, 12, row, scales + offsetof(tile_scales_q4_K, scales));
    }
}

static void pack_row_q6_K(const uint8_t *from, size_t blocks, size_t row, uint8_t *tile) {
    for (size_t b = 0; b < blocks; b++) {
        const uint8_t *block = from + b * sizeof(block_q6_K);
        uint8_t *scales = tile + blocks * 3072 + b * sizeof(tile_scales_q6_K);
        interleave(block + offsetof(block_q6_K, ql), 4, 32, row, tile + b * 3072);
        interleave(block + offsetof(block_q6_K, qh), 4, 16, row, tile + b * 3072 + 2048);
        interleave(block + offsetof(block_q6_K, d), 2, 1, row, scales + offsetof(tile_scales_q6_K, d));
        interleave(block + offsetof(block_q6_K, scales), 1, 16, row, scales + offsetof(tile_scales_q6_K, scales));
    }
}

static void pack_row(uint32_t type, const uint8_t *from, size_t blocks, size_t row, uint8_t *tile) {
    switch (type) {
    case SHARD_TYPE_F32:
        return interleave(from, 4, blocks, row, tile);
    case SHARD_TYPE_F16:
    case SHARD_TYPE_BF16:
        return interleave(from, 2, blocks, row, tile);
    case SHARD_TYPE_Q8_0:
        return pack_row_q8_0(from, blocks, row, tile);
    case SHARD_TYPE_Q4_0:
        return pack_row_q4_0(from, blocks, row, tile);
    case SHARD_TYPE_Q4_K:
        return pack_row_q4_K(from, blocks, row, tile);
    case SHARD_TYPE_Q6_K:
        return pack_row_q6_K(from, blocks, row, tile);
    default:
        return;
    }
}

void shard_pack(uint32_t type, const void *restrict rows, size_t row_count, size_t column_count, size_t tile_first,
                size_t tile_end, void *restrict packed) {
    size_t row_bytes = shard_row_bytes(type, column_count);
    size_t blocks = column_count / shard_block_layout(type).elements;
    for (size_t t = tile_first; t < tile_end; t++) {
        uint8_t *tile = (uint8_t *)packed + t * SHARD_TILE_ROWS * row_bytes;
        size_t first = t * SHARD_TILE_ROWS;
        if (row_count - first < SHARD_TILE_ROWS) {
            memset(tile, 0, SHARD_TILE_ROWS * row_bytes);
        }
        for (size_t row = 0; row < SHARD_TILE_ROWS && first + row < row_count; row++) {
            pack_row(type, (const uint8_t *)rows + (first + row) * row_bytes, blocks, row, tile);
        }
    }
}
