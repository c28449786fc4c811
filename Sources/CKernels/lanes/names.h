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
#ifndef SHARD_LANES_NAMES_H
#define SHARD_LANES_NAMES_H

#include "../kernels.h"
#include "../packing.h"
#include "../scalar/functions.h"

#define SHARD_JOIN_(kernel, set) kernel##_##set
#define SHARD_JOIN(kernel, set) SHARD_JOIN_(kernel, set)
/// The kernel's name in this instruction set.
#define NAME(kernel) SHARD_JOIN(kernel, SHARD_SET)

/// For operations, and for bodies whose counts are constants at each call.
#define INLINE static inline __attribute__((always_inline, unused))

#endif
