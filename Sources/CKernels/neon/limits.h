// What lanes/limits.h needs, in registers of 16 bytes.
#ifndef SHARD_NEON_LIMITS_H
#define SHARD_NEON_LIMITS_H

#include "../limits.h"

#define FLOAT_NAME "fmla v.4s"
#define FLOAT_SUMS 16
#define FLOAT_OPERATIONS 8
#define REGISTER "w"
#define FLOAT_REGISTER REGISTER

typedef uint64x2_t words;
typedef int8x16_t factors;
typedef int32x4_t integers;
typedef float32x4_t floats;

INLINE words words_zero(void) {
    return vdupq_n_u64(0);
}
INLINE words words_load(const uint8_t *x) {
    return vreinterpretq_u64_u8(vld1q_u8(x));
}
INLINE words words_xor(words a, words b) {
    return veorq_u64(a, b);
}
INLINE uint64_t words_fold(words a) {
    return vgetq_lane_u64(a, 0) ^ vgetq_lane_u64(a, 1);
}

INLINE factors factors_make(int8_t value) {
    return vdupq_n_s8(value);
}
INLINE integers integers_zero(void) {
    return vdupq_n_s32(0);
}
INLINE uint64_t integers_fold(integers sum) {
    return (uint64_t)vaddvq_s32(sum);
}

#define INTEGER_SUMS 16
#define INTEGER_OPERATIONS 32

#ifdef SHARD_DOTPROD

#define LIMITS_NAME "neon-dotprod"
#define INTEGER_NAME "sdot v.4s"

INLINE integers integers_add(integers sum, factors *w, factors a) {
    HIDE(REGISTER, *w);
    return vdotq_s32(sum, *w, a);
}

#else

#define LIMITS_NAME "neon"
#define INTEGER_NAME "smull, smlal2, sadalp"

INLINE integers integers_add(integers sum, factors *w, factors a) {
    HIDE(REGISTER, *w);
    int16x8_t pairs = vmlal_high_s8(vmull_s8(vget_low_s8(*w), vget_low_s8(a)), *w, a);
    return vpadalq_s16(sum, pairs);
}

#endif

INLINE floats floats_make(float value) {
    return vdupq_n_f32(value);
}
INLINE floats floats_add(floats sum, floats w, floats a) {
    return vfmaq_f32(sum, w, a);
}
INLINE float floats_fold(floats sum) {
    return vaddvq_f32(sum);
}

#endif
