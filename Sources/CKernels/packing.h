// The layout of packed tiles, for the kernels that read them; packing.c says what is where and why.
#ifndef SHARD_PACKING_H
#define SHARD_PACKING_H

#include "blocks.h"
#include "shard_kernels.h"

/// Elements and bytes of one block of a type; 0 bytes for a type that kernels do not know.
typedef struct shard_layout {
    size_t elements;
    size_t bytes;
} shard_layout;

shard_layout shard_block_layout(uint32_t type);

enum {
    /// Of any type.
    SHARD_BLOCK_ELEMENTS_MAX = 256,
    SHARD_BLOCK_BYTES_MAX = 256,
};

/// Block b of one row (lane) of a tile as the file stores it: the reverse of packing. Needs `SHARD_BLOCK_BYTES_MAX`.
void shard_unpack_block(uint32_t type, const uint8_t *tile, size_t block_count, size_t b, size_t lane,
                        uint8_t *restrict block);

#endif
