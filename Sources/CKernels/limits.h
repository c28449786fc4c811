// Names of every instruction set's limits, for the choice among them, and what they share.
#ifndef SHARD_CKERNELS_LIMITS_H
#define SHARD_CKERNELS_LIMITS_H

#include "shard_limits.h"

/// Makes a factor unknown to the compiler, which else would do the work once; costs no instruction. `place` is where it
/// lives: a constraint of inline assembly.
#define HIDE(place, factor) __asm__ volatile("" : "+" place(factor))

extern const shard_limits shard_limits_scalar;

#if defined(__x86_64__)

extern const shard_limits shard_limits_avx2, shard_limits_avxvnni;
extern const shard_limits shard_limits_avx512, shard_limits_avx512vnni;

#elif defined(__aarch64__)

extern const shard_limits shard_limits_neon, shard_limits_neon_dotprod;

#endif

#endif
