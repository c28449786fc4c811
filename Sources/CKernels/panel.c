// Where activations lie in panels.
#pragma STDC FP_CONTRACT OFF

#include "panel.h"

/// Columns and bytes of one block of activations.
static size_t block_columns(uint32_t kind) {
    return kind == SHARD_ACTIVATION_Q8_32 ? 32 : kind == SHARD_ACTIVATION_Q8_256 ? 256 : 1;
}

size_t shard_activation_block_bytes(uint32_t kind) {
    switch (kind) {
    case SHARD_ACTIVATION_Q8_32:
        return sizeof(block_a8_32);
    case SHARD_ACTIVATION_Q8_256:
        return sizeof(block_a8_256);
    default:
        return sizeof(float);
    }
}

size_t shard_activation_bytes(uint32_t kind, size_t column_count) {
    return column_count / block_columns(kind) * shard_activation_block_bytes(kind);
}

size_t shard_panel_rows(size_t n, size_t activation_count) {
    size_t left = activation_count - n / SHARD_PANEL_ROWS * SHARD_PANEL_ROWS;
    return left < SHARD_PANEL_ROWS ? left : SHARD_PANEL_ROWS;
}

size_t shard_panel_offset(uint32_t kind, size_t column_count, size_t n) {
    size_t first = n / SHARD_PANEL_ROWS * SHARD_PANEL_ROWS;
    return first * shard_activation_bytes(kind, column_count) + (n - first) * shard_activation_block_bytes(kind);
}
