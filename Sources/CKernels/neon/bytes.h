// 64 bytes of weights, 4 of each of 16 rows, and their exact dot products with 4 activations at a time.
#ifndef SHARD_NEON_BYTES_H
#define SHARD_NEON_BYTES_H

/// Products are of signed bytes: what has fewer than 8 bits is positive as it is.
typedef int8x16x4_t u8x64;
enum { SHARD_SIGNED_OFFSET = 0 };

INLINE u8x64 bytes_load(const uint8_t *x) {
    u8x64 all;
    for (size_t i = 0; i < 4; i++) {
        all.val[i] = vreinterpretq_s8_u8(vld1q_u8(x + 16 * i));
    }
    return all;
}
INLINE u8x64 bytes_signed(u8x64 x) {
    return x;
}
INLINE u8x64 bytes_or(u8x64 x, u8x64 y) {
    return EACH2(u8x64, vorrq_s8, x, y);
}
INLINE u8x64 bytes_bits(u8x64 x, const int right, const uint8_t mask) {
    int8x16_t left = vdupq_n_s8((int8_t)-right);
    for (size_t i = 0; i < 4; i++) {
        uint8x16_t moved = vshlq_u8(vreinterpretq_u8_s8(x.val[i]), left);
        x.val[i] = vreinterpretq_s8_u8(vandq_u8(moved, vdupq_n_u8(mask)));
    }
    return x;
}
INLINE u8x64 bytes_low(u8x64 x) {
    return bytes_bits(x, 0, 15);
}
INLINE u8x64 bytes_high(u8x64 x) {
    return bytes_bits(x, 4, 15);
}
INLINE u8x64 bytes_or_if(u8x64 x, u8x64 y, uint8_t bit, uint8_t value) {
    for (size_t i = 0; i < 4; i++) {
        uint8x16_t has = vtstq_u8(vreinterpretq_u8_s8(y.val[i]), vdupq_n_u8(bit));
        x.val[i] = vorrq_s8(x.val[i], vreinterpretq_s8_u8(vandq_u8(has, vdupq_n_u8(value))));
    }
    return x;
}
/// Bytes of a table of 16, by nibbles.
INLINE u8x64 bytes_lookup(const uint8_t *table, u8x64 nibbles) {
    uint8x16_t sixteen = vld1q_u8(table);
    for (size_t i = 0; i < 4; i++) {
        nibbles.val[i] = vreinterpretq_s8_u8(vqtbl1q_u8(sixteen, vreinterpretq_u8_s8(nibbles.val[i])));
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

INLINE size_t dots_groups(const int bits) {
    (void)bits;
    return 8;
}
INLINE i32x16 dots_start(i32x16 sum, const int bits) {
    (void)bits;
    return sum;
}
INLINE i32x16 dots_add(i32x16 dots, u8x64 w, const int8_t *a, const int bits) {
    (void)bits;
    int8x16_t four = four_activations(a);
    for (size_t i = 0; i < 4; i++) {
        dots.val[i] = dot_four_rows(dots.val[i], w.val[i], four);
    }
    return dots;
}
INLINE i32x16 dots_end(i32x16 dots, i32x16 sum, const int bits) {
    (void)sum, (void)bits;
    return dots;
}
INLINE i32x16 dots_multiplier(i32x16 pair, const size_t which, const int bits) {
    (void)bits;
    return i32_shift_right(which == 0 ? i32_shift_left(pair, 16) : pair, 16);
}
INLINE i32x16 dots_end_scaled(i32x16 dots, i32x16 total, i32x16 multiplier, const int bits) {
    (void)bits;
    for (size_t i = 0; i < 4; i++) {
        total.val[i] = vmlaq_s32(total.val[i], multiplier.val[i], dots.val[i]);
    }
    return total;
}
INLINE i32x16 i32_plus_products(i32x16 sum, i32x16 pairs, const int16_t *two) {
    for (size_t i = 0; i < 4; i++) {
        int32x4_t low = vshrq_n_s32(vshlq_n_s32(pairs.val[i], 16), 16), high = vshrq_n_s32(pairs.val[i], 16);
        sum.val[i] = vmlaq_n_s32(vmlaq_n_s32(sum.val[i], low, two[0]), high, two[1]);
    }
    return sum;
}

#endif
