// What the cores of this machine can do at most: loops that only read memory, or only multiply and add.
//
// A model's speed is a share of these. Each loop returns a number that depends on all that it did, so that no compiler
// leaves anything out; its value means nothing.
#ifndef SHARD_LIMITS_H
#define SHARD_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#define SHARD_LIMITS_NULLABLE _Nullable
#else
#define SHARD_LIMITS_NULLABLE
#endif

enum {
    /// What the bytes to read must be a multiple of.
    SHARD_READ_BYTES_MULTIPLE = 4096,
};

/// A way to read memory from its first byte to its last, each byte once.
typedef struct shard_read_loop {
    const char *name;
    /// `memory` starts on 64 bytes; `byte_count` is a multiple of `SHARD_READ_BYTES_MULTIPLE`.
    uint64_t (*run)(const void *memory, size_t byte_count);
} shard_read_loop;

/// A loop of products on registers alone, with as many sums side by side as hide the instructions' latency.
typedef struct shard_product_loop {
    /// The instructions: `vpdpbusd zmm`.
    const char *name;
    /// Operations of a round; a multiplication and an addition count as two.
    size_t operation_count;
    uint64_t (*run)(size_t round_count);
} shard_product_loop;

/// One instruction set's loops.
typedef struct shard_limits {
    /// As `shard_kernels` names it.
    const char *name;
    const shard_read_loop *reads;
    size_t read_count;
    /// Products of 8-bit integers, summed exactly: the densest sequence of the set's instructions.
    shard_product_loop integers;
    /// Fused multiplications and additions of f32.
    shard_product_loop floats;
} shard_limits;

/// The loops of the instruction set of that name; NULL when the name is unknown or this machine lacks it.
const shard_limits *SHARD_LIMITS_NULLABLE shard_limits_named(const char *name);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
