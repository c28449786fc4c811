// Panels of activations, as `matmul` reads them.
#ifndef SHARD_PANEL_H
#define SHARD_PANEL_H

#include "blocks.h"
#include "shard_kernels.h"

/// Bytes of one block of activations of a kind; an element of f32.
size_t shard_activation_block_bytes(uint32_t kind);

/// Some rows of one panel of activations.
typedef struct shard_panel {
    /// The first block of the first of the rows.
    const uint8_t *blocks;
    /// From a row's block to its next: the blocks of the panel's other rows lie between.
    size_t stride;
    /// Index of the first row among all activations, and how many there are.
    size_t row, row_count;
} shard_panel;

/// The panel that starts with row n of `activation_count`.
static inline shard_panel shard_panel_at(uint32_t kind, const void *activations, size_t column_count, size_t n,
                                         size_t activation_count) {
    size_t rows = shard_panel_rows(n, activation_count);
    return (shard_panel){(const uint8_t *)activations + shard_panel_offset(kind, column_count, n),
                         rows * shard_activation_block_bytes(kind), n, rows};
}

/// Block b of the panel's row r.
static inline const void *shard_panel_block(const shard_panel *panel, size_t block_bytes, size_t b, size_t r) {
    return panel->blocks + b * panel->stride + r * block_bytes;
}

/// Moves on by `count` of a panel's rows.
static inline void shard_panel_skip(shard_panel *panel, size_t block_bytes, size_t count) {
    panel->blocks += count * block_bytes;
    panel->row += count;
    panel->row_count -= count;
}

#endif
