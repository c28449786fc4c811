// 64 bytes of weights, 4 of each of 16 rows, and their exact dot products with 4 activations at a time.
#ifndef SHARD_NEON_BYTES_H
#define SHARD_NEON_BYTES_H

/// Kept signed: nibbles and six bits are positive as they are.
typedef int8x16x4_t u8x64;

INLINE u8x64 bytes_load(const uint8_t *x) {
    u8x64 all;
    for (size_t i = 0; i < 4; i++) {
        all.val[i] = vreinterpretq_s8_u8(vld1q_u8(x + 16 * i));
    }
    return all;
}
INLINE u8x64 bytes_load_signed(const uint8_t *x) {
    return bytes_load(x);
}

INLINE int8x16_t low_nibbles(int8x16_t x) {
    return vandq_s8(x, vdupq_n_s8(15));
}
INLINE int8x16_t high_nibbles(int8x16_t x) {
    return vreinterpretq_s8_u8(vshrq_n_u8(vreinterpretq_u8_s8(x), 4));
}
INLINE u8x64 bytes_low(u8x64 x) {
    return EACH1(u8x64, low_nibbles, x);
}
INLINE u8x64 bytes_high(u8x64 x) {
    return EACH1(u8x64, high_nibbles, x);
}

/// Nibbles of weights of kind k (Q6_K: see block_q6_K) with their two high bits on top.
INLINE u8x64 bytes_six_bits(u8x64 low, u8x64 high, size_t k) {
    u8x64 nibbles = k < 2 ? bytes_low(low) : bytes_high(low);
    int8x16_t shift = vdupq_n_s8((int8_t)(4 - 2 * (int)k)); // to the left; the bits shifted in from the sign are masked
    for (size_t i = 0; i < 4; i++) {
        int8x16_t top = vandq_s8(vshlq_s8(high.val[i], shift), vdupq_n_s8(0x30));
        nibbles.val[i] = vorrq_s8(nibbles.val[i], top);
    }
    return nibbles;
}

/// 4 activations in every lane.
INLINE int8x16_t four_activations(const int8_t *a) {
    int32_t four;
    memcpy(&four, a, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

INLINE int32x4_t dot_four_rows(int32x4_t sum, int8x16_t w, int8x16_t a) {
#ifdef SHARD_DOTPROD
    return vdotq_s32(sum, w, a);
#else
    // Products of 2 rows each; neighbours added (at most 2 × 128 × 127) twice give a sum a row.
    int16x8_t first = vmull_s8(vget_low_s8(w), vget_low_s8(a)), second = vmull_high_s8(w, a);
    return vpadalq_s16(sum, vpaddq_s16(first, second));
#endif
}

INLINE i32x16 dot_groups(i32x16 sum, const u8x64 *w, const int8_t *a, const size_t groups) {
    for (size_t g = 0; g < groups; g++) {
        int8x16_t four = four_activations(a + 4 * g);
        for (size_t i = 0; i < 4; i++) {
            sum.val[i] = dot_four_rows(sum.val[i], w[g].val[i], four);
        }
    }
    return sum;
}

INLINE i32x16 dot_nibbles(i32x16 sum, const u8x64 *w, const int8_t *a) {
    return dot_groups(sum, w, a, 8);
}
INLINE i32x16 dot_six_bits(i32x16 sum, const u8x64 *w, const int8_t *a) {
    return dot_groups(sum, w, a, 4);
}
INLINE i32x16 dot_signed(const u8x64 *w, const int8_t *a, int32_t a_sum) {
    (void)a_sum;
    return dot_groups(i32_set(0), w, a, 8);
}

#endif
