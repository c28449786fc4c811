// 16 lanes in four registers.
#ifndef SHARD_NEON_LANES_H
#define SHARD_NEON_LANES_H

/// Activation rows multiplied at once: 4 take 16 of the 32 registers.
#define SHARD_ROWS_AT_ONCE 4
/// How far ahead of their use few rows ask for blocks of 32, of 256, and for floats (not at all), in bytes: as for
/// AVX-512 on Zen 4, not measured.
#define SHARD_AHEAD_32 1536
#define SHARD_AHEAD_256 768
#define SHARD_AHEAD_FLOATS 0
/// Sums of products with float weights at once.
#define SHARD_FLOAT_SUMS 4
/// Sums of attention at once.
#define SHARD_ATTENTION_SUMS 4

typedef float32x4x4_t f32x16;
typedef int32x4x4_t i32x16;

#define EACH1(type, operation, x)                                                                                      \
    ((type){{operation((x).val[0]), operation((x).val[1]), operation((x).val[2]), operation((x).val[3])}})
#define EACH2(type, operation, x, y)                                                                                   \
    ((type){{operation((x).val[0], (y).val[0]), operation((x).val[1], (y).val[1]), operation((x).val[2], (y).val[2]),  \
             operation((x).val[3], (y).val[3])}})

INLINE f32x16 f32_load(const float *x) {
    return (f32x16){{vld1q_f32(x), vld1q_f32(x + 4), vld1q_f32(x + 8), vld1q_f32(x + 12)}};
}
INLINE void f32_store(float *x, f32x16 a) {
    for (size_t i = 0; i < 4; i++) {
        vst1q_f32(x + 4 * i, a.val[i]);
    }
}
INLINE f32x16 f32_set(float a) {
    float32x4_t four = vdupq_n_f32(a);
    return (f32x16){{four, four, four, four}};
}
INLINE f32x16 f32_add(f32x16 x, f32x16 y) {
    return EACH2(f32x16, vaddq_f32, x, y);
}
INLINE f32x16 f32_sub(f32x16 x, f32x16 y) {
    return EACH2(f32x16, vsubq_f32, x, y);
}
INLINE f32x16 f32_mul(f32x16 x, f32x16 y) {
    return EACH2(f32x16, vmulq_f32, x, y);
}
INLINE f32x16 f32_div(f32x16 x, f32x16 y) {
    return EACH2(f32x16, vdivq_f32, x, y);
}
INLINE f32x16 f32_fma(f32x16 x, f32x16 y, f32x16 z) {
    return (f32x16){{vfmaq_f32(z.val[0], x.val[0], y.val[0]), vfmaq_f32(z.val[1], x.val[1], y.val[1]),
                     vfmaq_f32(z.val[2], x.val[2], y.val[2]), vfmaq_f32(z.val[3], x.val[3], y.val[3])}};
}
INLINE float32x4_t four_larger(float32x4_t x, float32x4_t y) {
    return vbslq_f32(vcgtq_f32(x, y), x, y);
}
INLINE f32x16 f32_larger(f32x16 x, f32x16 y) {
    return EACH2(f32x16, four_larger, x, y);
}
INLINE f32x16 f32_negate(f32x16 x) {
    return EACH1(f32x16, vnegq_f32, x);
}
INLINE f32x16 f32_nearest(f32x16 x) {
    return EACH1(f32x16, vrndnq_f32, x);
}
INLINE f32x16 f32_if_greater(f32x16 x, f32x16 y, f32x16 yes, f32x16 no) {
    for (size_t i = 0; i < 4; i++) {
        no.val[i] = vbslq_f32(vcgtq_f32(x.val[i], y.val[i]), yes.val[i], no.val[i]);
    }
    return no;
}
INLINE f32x16 f32_if_equal(f32x16 x, f32x16 y, f32x16 yes, f32x16 no) {
    for (size_t i = 0; i < 4; i++) {
        no.val[i] = vbslq_f32(vceqq_f32(x.val[i], y.val[i]), yes.val[i], no.val[i]);
    }
    return no;
}

INLINE float32x4_t four_from_f16(const uint16_t *x) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(x)));
}
INLINE float32x4_t four_from_bf16(const uint16_t *x) {
    return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(x), 16));
}
INLINE f32x16 f32_load_f16(const uint16_t *x) {
    return (f32x16){{four_from_f16(x), four_from_f16(x + 4), four_from_f16(x + 8), four_from_f16(x + 12)}};
}
INLINE f32x16 f32_load_bf16(const uint16_t *x) {
    return (f32x16){{four_from_bf16(x), four_from_bf16(x + 4), four_from_bf16(x + 8), four_from_bf16(x + 12)}};
}
INLINE void f32_store_f16(uint16_t *x, f32x16 a) {
    for (size_t i = 0; i < 4; i++) {
        vst1_u16(x + 4 * i, vreinterpret_u16_f16(vcvt_f16_f32(a.val[i])));
    }
}

INLINE float f32_sum(f32x16 x) {
    float32x4_t by8[2] = {vaddq_f32(x.val[0], x.val[2]), vaddq_f32(x.val[1], x.val[3])};
    float32x4_t by4 = vaddq_f32(by8[0], by8[1]);
    float32x2_t by2 = vadd_f32(vget_low_f32(by4), vget_high_f32(by4));
    return vget_lane_f32(by2, 0) + vget_lane_f32(by2, 1);
}
INLINE float f32_largest(f32x16 x) {
    float32x4_t by4 = four_larger(four_larger(x.val[0], x.val[2]), four_larger(x.val[1], x.val[3]));
    float four[4];
    vst1q_f32(four, by4);
    float first = four[0] > four[2] ? four[0] : four[2], second = four[1] > four[3] ? four[1] : four[3];
    return first > second ? first : second;
}

INLINE i32x16 i32_set(int32_t a) {
    int32x4_t four = vdupq_n_s32(a);
    return (i32x16){{four, four, four, four}};
}
INLINE i32x16 i32_add(i32x16 x, i32x16 y) {
    return EACH2(i32x16, vaddq_s32, x, y);
}
INLINE i32x16 i32_sub(i32x16 x, i32x16 y) {
    return EACH2(i32x16, vsubq_s32, x, y);
}
INLINE i32x16 i32_mul(i32x16 x, i32x16 y) {
    return EACH2(i32x16, vmulq_s32, x, y);
}
INLINE i32x16 i32_and(i32x16 x, i32x16 y) {
    return EACH2(i32x16, vandq_s32, x, y);
}
INLINE i32x16 i32_or(i32x16 x, i32x16 y) {
    return EACH2(i32x16, vorrq_s32, x, y);
}
INLINE i32x16 i32_larger(i32x16 x, i32x16 y) {
    return EACH2(i32x16, vmaxq_s32, x, y);
}
INLINE i32x16 i32_shift_left(i32x16 x, const int count) {
    int32x4_t by = vdupq_n_s32(count);
    return (i32x16){
        {vshlq_s32(x.val[0], by), vshlq_s32(x.val[1], by), vshlq_s32(x.val[2], by), vshlq_s32(x.val[3], by)}};
}
INLINE i32x16 i32_shift_right(i32x16 x, const int count) {
    return i32_shift_left(x, -count);
}
INLINE i32x16 i32_from_f32(f32x16 x) {
    return EACH1(i32x16, vcvtnq_s32_f32, x);
}
INLINE f32x16 f32_from_i32(i32x16 x) {
    return EACH1(f32x16, vcvtq_f32_s32, x);
}
INLINE i32x16 i32_bits(f32x16 x) {
    return EACH1(i32x16, vreinterpretq_s32_f32, x);
}
INLINE f32x16 f32_from_bits(i32x16 x) {
    return EACH1(f32x16, vreinterpretq_f32_s32, x);
}
INLINE i32x16 i32_from_i16(int16x8_t first, int16x8_t second) {
    return (i32x16){{vmovl_s16(vget_low_s16(first)), vmovl_s16(vget_high_s16(first)), vmovl_s16(vget_low_s16(second)),
                     vmovl_s16(vget_high_s16(second))}};
}
INLINE i32x16 i32_load_u8(const uint8_t *x) {
    return i32_from_i16(vreinterpretq_s16_u16(vmovl_u8(vld1_u8(x))), vreinterpretq_s16_u16(vmovl_u8(vld1_u8(x + 8))));
}
INLINE i32x16 i32_load_i8(const int8_t *x) {
    return i32_from_i16(vmovl_s8(vld1_s8(x)), vmovl_s8(vld1_s8(x + 8)));
}
INLINE void i32_store_i8(int8_t *x, i32x16 a) {
    int16x8_t first = vcombine_s16(vmovn_s32(a.val[0]), vmovn_s32(a.val[1]));
    int16x8_t second = vcombine_s16(vmovn_s32(a.val[2]), vmovn_s32(a.val[3]));
    vst1q_s8(x, vcombine_s8(vmovn_s16(first), vmovn_s16(second)));
}
INLINE i32x16 i32_load(const int32_t *x) {
    return (i32x16){{vld1q_s32(x), vld1q_s32(x + 4), vld1q_s32(x + 8), vld1q_s32(x + 12)}};
}
INLINE i32x16 i32_load_u16(const uint16_t *x) {
    i32x16 all;
    for (size_t i = 0; i < 4; i++) {
        all.val[i] = vreinterpretq_s32_u32(vmovl_u16(vld1_u16(x + 4 * i)));
    }
    return all;
}
INLINE i32x16 i16_load_i8(const int8_t *x) {
    i32x16 all;
    for (size_t i = 0; i < 4; i++) {
        all.val[i] = vreinterpretq_s32_s16(vmovl_s8(vld1_s8(x + 8 * i)));
    }
    return all;
}
INLINE int32x4_t four_less_bytes(int32x4_t x, int32x4_t y) {
    return vreinterpretq_s32_s8(vsubq_s8(vreinterpretq_s8_s32(x), vreinterpretq_s8_s32(y)));
}
INLINE i32x16 i32_sub_bytes(i32x16 x, i32x16 y) {
    return EACH2(i32x16, four_less_bytes, x, y);
}
INLINE i32x16 i16_high_bytes(i32x16 x) {
    for (size_t i = 0; i < 4; i++) {
        x.val[i] = vreinterpretq_s32_s16(vshrq_n_s16(vreinterpretq_s16_s32(x.val[i]), 8));
    }
    return x;
}
INLINE i32x16 i16_low_bytes(i32x16 x) {
    for (size_t i = 0; i < 4; i++) {
        x.val[i] = vreinterpretq_s32_s16(vshlq_n_s16(vreinterpretq_s16_s32(x.val[i]), 8));
    }
    return i16_high_bytes(x);
}
INLINE int32_t i32_sum(i32x16 x) {
    return vaddvq_s32(vaddq_s32(vaddq_s32(x.val[0], x.val[1]), vaddq_s32(x.val[2], x.val[3])));
}
INLINE int32_t i32_largest(i32x16 x) {
    return vmaxvq_s32(vmaxq_s32(vmaxq_s32(x.val[0], x.val[1]), vmaxq_s32(x.val[2], x.val[3])));
}

#endif
