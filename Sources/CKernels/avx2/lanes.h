// 16 lanes in two registers.
#ifndef SHARD_AVX2_LANES_H
#define SHARD_AVX2_LANES_H

/// Activation rows multiplied at once: 4 take 8 of the 16 registers.
#define SHARD_ROWS_AT_ONCE 4
/// How far ahead of their use few rows ask for blocks of 32, of 256, and (unless `shard_fetches_near`) for floats, in
/// bytes: the best of 512 to 65536 on Zen 4 (fewer bytes fit into its window of instructions than with AVX-512), and as
/// good as any on Emerald Rapids.
#define SHARD_AHEAD_32 12288
#define SHARD_AHEAD_256 6144
#define SHARD_AHEAD_FLOATS 2048
/// Sums of products with float weights at once.
#define SHARD_FLOAT_SUMS 4
/// Sums of attention at once.
#define SHARD_ATTENTION_SUMS 4

typedef struct f32x16 {
    __m256 a, b;
} f32x16;
typedef struct i32x16 {
    __m256i a, b;
} i32x16;

#define BOTH1(type, operation, x) ((type){operation((x).a), operation((x).b)})
#define BOTH2(type, operation, x, y) ((type){operation((x).a, (y).a), operation((x).b, (y).b)})

INLINE f32x16 f32_load(const float *x) {
    return (f32x16){_mm256_loadu_ps(x), _mm256_loadu_ps(x + 8)};
}
INLINE void f32_store(float *x, f32x16 a) {
    _mm256_storeu_ps(x, a.a);
    _mm256_storeu_ps(x + 8, a.b);
}
INLINE f32x16 f32_set(float a) {
    return (f32x16){_mm256_set1_ps(a), _mm256_set1_ps(a)};
}
INLINE f32x16 f32_add(f32x16 x, f32x16 y) {
    return BOTH2(f32x16, _mm256_add_ps, x, y);
}
INLINE f32x16 f32_sub(f32x16 x, f32x16 y) {
    return BOTH2(f32x16, _mm256_sub_ps, x, y);
}
INLINE f32x16 f32_mul(f32x16 x, f32x16 y) {
    return BOTH2(f32x16, _mm256_mul_ps, x, y);
}
INLINE f32x16 f32_div(f32x16 x, f32x16 y) {
    return BOTH2(f32x16, _mm256_div_ps, x, y);
}
INLINE f32x16 f32_fma(f32x16 x, f32x16 y, f32x16 z) {
    return (f32x16){_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}
INLINE f32x16 f32_larger(f32x16 x, f32x16 y) {
    return BOTH2(f32x16, _mm256_max_ps, x, y);
}
INLINE f32x16 f32_negate(f32x16 x) {
    __m256 sign = _mm256_set1_ps(-0.0f);
    return (f32x16){_mm256_xor_ps(x.a, sign), _mm256_xor_ps(x.b, sign)};
}
INLINE f32x16 f32_nearest(f32x16 x) {
    return (f32x16){_mm256_round_ps(x.a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
                    _mm256_round_ps(x.b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
INLINE f32x16 f32_if_greater(f32x16 x, f32x16 y, f32x16 yes, f32x16 no) {
    return (f32x16){_mm256_blendv_ps(no.a, yes.a, _mm256_cmp_ps(x.a, y.a, _CMP_GT_OQ)),
                    _mm256_blendv_ps(no.b, yes.b, _mm256_cmp_ps(x.b, y.b, _CMP_GT_OQ))};
}
INLINE f32x16 f32_if_equal(f32x16 x, f32x16 y, f32x16 yes, f32x16 no) {
    return (f32x16){_mm256_blendv_ps(no.a, yes.a, _mm256_cmp_ps(x.a, y.a, _CMP_EQ_OQ)),
                    _mm256_blendv_ps(no.b, yes.b, _mm256_cmp_ps(x.b, y.b, _CMP_EQ_OQ))};
}

INLINE __m128i load_eight_halves(const uint16_t *x) {
    return _mm_loadu_si128((const __m128i *)(const void *)x);
}
INLINE f32x16 f32_load_f16(const uint16_t *x) {
    return (f32x16){_mm256_cvtph_ps(load_eight_halves(x)), _mm256_cvtph_ps(load_eight_halves(x + 8))};
}
INLINE __m256 eight_from_bf16(const uint16_t *x) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load_eight_halves(x)), 16));
}
INLINE f32x16 f32_load_bf16(const uint16_t *x) {
    return (f32x16){eight_from_bf16(x), eight_from_bf16(x + 8)};
}
INLINE void f32_store_f16(uint16_t *x, f32x16 a) {
    _mm_storeu_si128((__m128i *)(void *)x, _mm256_cvtps_ph(a.a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    _mm_storeu_si128((__m128i *)(void *)(x + 8), _mm256_cvtps_ph(a.b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

INLINE float f32_sum(f32x16 x) {
    __m256 by8 = _mm256_add_ps(x.a, x.b);
    __m128 by4 = _mm_add_ps(_mm256_castps256_ps128(by8), _mm256_extractf128_ps(by8, 1));
    __m128 by2 = _mm_add_ps(by4, _mm_movehl_ps(by4, by4));
    return _mm_cvtss_f32(_mm_add_ss(by2, _mm_movehdup_ps(by2)));
}
INLINE float f32_largest(f32x16 x) {
    __m256 by8 = _mm256_max_ps(x.a, x.b);
    __m128 by4 = _mm_max_ps(_mm256_castps256_ps128(by8), _mm256_extractf128_ps(by8, 1));
    __m128 by2 = _mm_max_ps(by4, _mm_movehl_ps(by4, by4));
    return _mm_cvtss_f32(_mm_max_ss(by2, _mm_movehdup_ps(by2)));
}

INLINE i32x16 i32_set(int32_t a) {
    return (i32x16){_mm256_set1_epi32(a), _mm256_set1_epi32(a)};
}
INLINE i32x16 i32_add(i32x16 x, i32x16 y) {
    return BOTH2(i32x16, _mm256_add_epi32, x, y);
}
INLINE i32x16 i32_sub(i32x16 x, i32x16 y) {
    return BOTH2(i32x16, _mm256_sub_epi32, x, y);
}
INLINE i32x16 i32_mul(i32x16 x, i32x16 y) {
    return BOTH2(i32x16, _mm256_mullo_epi32, x, y);
}
INLINE i32x16 i32_and(i32x16 x, i32x16 y) {
    return BOTH2(i32x16, _mm256_and_si256, x, y);
}
INLINE i32x16 i32_or(i32x16 x, i32x16 y) {
    return BOTH2(i32x16, _mm256_or_si256, x, y);
}
INLINE i32x16 i32_larger(i32x16 x, i32x16 y) {
    return BOTH2(i32x16, _mm256_max_epi32, x, y);
}
INLINE i32x16 i32_shift_left(i32x16 x, const int count) {
    return (i32x16){_mm256_slli_epi32(x.a, count), _mm256_slli_epi32(x.b, count)};
}
INLINE i32x16 i32_shift_right(i32x16 x, const int count) {
    return (i32x16){_mm256_srai_epi32(x.a, count), _mm256_srai_epi32(x.b, count)};
}
INLINE i32x16 i32_from_f32(f32x16 x) {
    return BOTH1(i32x16, _mm256_cvtps_epi32, x);
}
INLINE f32x16 f32_from_i32(i32x16 x) {
    return BOTH1(f32x16, _mm256_cvtepi32_ps, x);
}
INLINE i32x16 i32_bits(f32x16 x) {
    return BOTH1(i32x16, _mm256_castps_si256, x);
}
INLINE f32x16 f32_from_bits(i32x16 x) {
    return BOTH1(f32x16, _mm256_castsi256_ps, x);
}
INLINE i32x16 i32_load_u8(const uint8_t *x) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)x);
    return (i32x16){_mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8))};
}
INLINE i32x16 i32_load_i8(const int8_t *x) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)x);
    return (i32x16){_mm256_cvtepi8_epi32(bytes), _mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8))};
}
INLINE void i32_store_i8(int8_t *x, i32x16 value) {
    __m128i first = _mm_packs_epi32(_mm256_castsi256_si128(value.a), _mm256_extracti128_si256(value.a, 1));
    __m128i second = _mm_packs_epi32(_mm256_castsi256_si128(value.b), _mm256_extracti128_si256(value.b, 1));
    _mm_storeu_si128((__m128i *)(void *)x, _mm_packs_epi16(first, second));
}
INLINE i32x16 i32_load(const int32_t *x) {
    return (i32x16){_mm256_loadu_si256((const __m256i *)(const void *)x),
                    _mm256_loadu_si256((const __m256i *)(const void *)(x + 8))};
}
INLINE i32x16 i32_load_u16(const uint16_t *x) {
    return (i32x16){_mm256_cvtepu16_epi32(load_eight_halves(x)), _mm256_cvtepu16_epi32(load_eight_halves(x + 8))};
}
INLINE __m256i sixteen_from_i8(const int8_t *x) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)x));
}
INLINE i32x16 i16_load_i8(const int8_t *x) {
    return (i32x16){sixteen_from_i8(x), sixteen_from_i8(x + 16)};
}
INLINE i32x16 i32_sub_bytes(i32x16 x, i32x16 y) {
    return BOTH2(i32x16, _mm256_sub_epi8, x, y);
}
INLINE i32x16 i16_high_bytes(i32x16 x) {
    return (i32x16){_mm256_srai_epi16(x.a, 8), _mm256_srai_epi16(x.b, 8)};
}
INLINE i32x16 i16_low_bytes(i32x16 x) {
    return i16_high_bytes((i32x16){_mm256_slli_epi16(x.a, 8), _mm256_slli_epi16(x.b, 8)});
}
INLINE int32_t i32_sum(i32x16 x) {
    __m256i by8 = _mm256_add_epi32(x.a, x.b);
    __m128i by4 = _mm_add_epi32(_mm256_castsi256_si128(by8), _mm256_extracti128_si256(by8, 1));
    __m128i by2 = _mm_add_epi32(by4, _mm_shuffle_epi32(by4, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(by2, _mm_shuffle_epi32(by2, 0xb1)));
}
INLINE int32_t i32_largest(i32x16 x) {
    __m256i by8 = _mm256_max_epi32(x.a, x.b);
    __m128i by4 = _mm_max_epi32(_mm256_castsi256_si128(by8), _mm256_extracti128_si256(by8, 1));
    __m128i by2 = _mm_max_epi32(by4, _mm_shuffle_epi32(by4, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(by2, _mm_shuffle_epi32(by2, 0xb1)));
}

#endif
