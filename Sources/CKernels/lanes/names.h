// Kernels written once over 16 lanes, for every instruction set that has lanes.
//
// An instruction set's `begin.h` defines SHARD_SET, includes this, and opens its target region; its `lanes.h` then
// defines the types f32x16 and i32x16 and their operations, its `bytes.h` u8x64 and exact dot products. A kernel's
// header here is included after them, and `end.h` closes the region. Operations are named alike everywhere:
//
//   f32_larger(a, b)          a > b ? a : b in each lane
//   f32_if_greater(a, b, x, y)  a > b ? x : y;  f32_if_equal likewise
//   f32_nearest               to nearest even, stays f32;  i32_from_f32 likewise, of integers in range
//   f32_sum, f32_largest      over the lanes, by halves (i + 8, + 4, + 2, + 1)
//
// Dot products of bytes (u8x64: 4 columns of 16 rows) with activations are exact. They go from `dots_start` over `dots_add`
// for each group of 4 columns to `dots_end`, which gives 16 sums; between, an instruction set may hold them in a form
// that has room for `dots_groups` groups only. `bits` says how large bytes are; 8 means signed, and the bytes come from
// `bytes_signed`, which adds SHARD_SIGNED_OFFSET.
//
//   bytes_bits(x, right, mask)        each byte shifted right (left if negative), then masked
//   bytes_or_if(x, y, bit, value)     x | value where y has the bit
//   dots_end_scaled(d, total, m)      total + scale × dots, m = dots_multiplier(pair, which): of two 16-bit scales, each
//                                     of 8 bits
//   i16_low_bytes, i16_high_bytes     even or odd bytes as signed 16-bit lanes;  i16_load_i8: 32 bytes likewise
//   i32_plus_products(a, x, y)        a + x[0] × y[0] + x[1] × y[1], x 16-bit lanes, y two numbers
#ifndef SHARD_LANES_NAMES_H
#define SHARD_LANES_NAMES_H

#include "../kernels.h"
#include "../packing.h"
#include "../scalar/decode.h"
#include "../scalar/functions.h"

#define SHARD_JOIN_(kernel, set) kernel##_##set
#define SHARD_JOIN(kernel, set) SHARD_JOIN_(kernel, set)
/// The kernel's name in this instruction set.
#define NAME(kernel) SHARD_JOIN(kernel, SHARD_SET)

/// For operations, and for bodies whose counts are constants at each call.
#define INLINE static inline __attribute__((always_inline, unused))

/// For loops whose counts are constants and whose bodies need them to be.
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#define NO_UNROLL _Pragma("clang loop unroll(disable)")
#else
#define UNROLL
#define NO_UNROLL
#endif

#endif
