// 16 lanes in one register.
#ifndef SHARD_AVX512_LANES_H
#define SHARD_AVX512_LANES_H

/// Activation rows multiplied at once: 8 sums and 8 vectors of weights fit the 32 registers.
#define SHARD_ROWS_AT_ONCE 8
/// How far ahead of their use few rows ask for blocks of 32, of 256, and (unless `shard_fetches_near`) for floats, in
/// bytes: the best of 1024 to 49152 on Emerald Rapids; on Zen 4 1536 is the best of 256 to 65536, and 768 the mean of
/// what was best when super-blocks asked for nine lines at once, 512 ahead of the first.
#define SHARD_AHEAD_32 (shard_fetches_near ? 1536 : 4096)
#define SHARD_AHEAD_256 (shard_fetches_near ? 768 : 4096)
#define SHARD_AHEAD_FLOATS 2048
/// Sums of products with float weights at once.
#define SHARD_FLOAT_SUMS 16
/// Sums of attention at once.
#define SHARD_ATTENTION_SUMS 16

typedef __m512 f32x16;
typedef __m512i i32x16;

INLINE f32x16 f32_load(const float *x) {
    return _mm512_loadu_ps(x);
}
INLINE void f32_store(float *x, f32x16 a) {
    _mm512_storeu_ps(x, a);
}
INLINE f32x16 f32_set(float a) {
    return _mm512_set1_ps(a);
}
INLINE f32x16 f32_add(f32x16 a, f32x16 b) {
    return _mm512_add_ps(a, b);
}
INLINE f32x16 f32_sub(f32x16 a, f32x16 b) {
    return _mm512_sub_ps(a, b);
}
INLINE f32x16 f32_mul(f32x16 a, f32x16 b) {
    return _mm512_mul_ps(a, b);
}
INLINE f32x16 f32_div(f32x16 a, f32x16 b) {
    return _mm512_div_ps(a, b);
}
INLINE f32x16 f32_fma(f32x16 a, f32x16 b, f32x16 c) {
    return _mm512_fmadd_ps(a, b, c);
}
INLINE f32x16 f32_larger(f32x16 a, f32x16 b) {
    return _mm512_max_ps(a, b);
}
INLINE f32x16 f32_negate(f32x16 a) {
    return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f));
}
INLINE f32x16 f32_nearest(f32x16 a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
INLINE f32x16 f32_if_greater(f32x16 a, f32x16 b, f32x16 x, f32x16 y) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_GT_OQ), y, x);
}
INLINE f32x16 f32_if_equal(f32x16 a, f32x16 b, f32x16 x, f32x16 y) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ), y, x);
}
INLINE f32x16 f32_load_f16(const uint16_t *x) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)x));
}
INLINE f32x16 f32_load_bf16(const uint16_t *x) {
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)x));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
INLINE void f32_store_f16(uint16_t *x, f32x16 a) {
    __m256i halves = _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm256_storeu_si256((__m256i *)(void *)x, halves);
}

INLINE float f32_sum(f32x16 a) {
    __m256 by8 = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 by4 = _mm_add_ps(_mm256_castps256_ps128(by8), _mm256_extractf128_ps(by8, 1));
    __m128 by2 = _mm_add_ps(by4, _mm_movehl_ps(by4, by4));
    return _mm_cvtss_f32(_mm_add_ss(by2, _mm_movehdup_ps(by2)));
}
INLINE float f32_largest(f32x16 a) {
    __m256 by8 = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 by4 = _mm_max_ps(_mm256_castps256_ps128(by8), _mm256_extractf128_ps(by8, 1));
    __m128 by2 = _mm_max_ps(by4, _mm_movehl_ps(by4, by4));
    return _mm_cvtss_f32(_mm_max_ss(by2, _mm_movehdup_ps(by2)));
}

INLINE i32x16 i32_set(int32_t a) {
    return _mm512_set1_epi32(a);
}
INLINE i32x16 i32_add(i32x16 a, i32x16 b) {
    return _mm512_add_epi32(a, b);
}
INLINE i32x16 i32_sub(i32x16 a, i32x16 b) {
    return _mm512_sub_epi32(a, b);
}
INLINE i32x16 i32_mul(i32x16 a, i32x16 b) {
    return _mm512_mullo_epi32(a, b);
}
INLINE i32x16 i32_and(i32x16 a, i32x16 b) {
    return _mm512_and_si512(a, b);
}
INLINE i32x16 i32_or(i32x16 a, i32x16 b) {
    return _mm512_or_si512(a, b);
}
INLINE i32x16 i32_larger(i32x16 a, i32x16 b) {
    return _mm512_max_epi32(a, b);
}
#define i32_shift_left(a, count) _mm512_slli_epi32(a, count)
#define i32_shift_right(a, count) _mm512_srai_epi32(a, count)
INLINE i32x16 i32_from_f32(f32x16 a) {
    return _mm512_cvtps_epi32(a);
}
INLINE f32x16 f32_from_i32(i32x16 a) {
    return _mm512_cvtepi32_ps(a);
}
INLINE i32x16 i32_bits(f32x16 a) {
    return _mm512_castps_si512(a);
}
INLINE f32x16 f32_from_bits(i32x16 a) {
    return _mm512_castsi512_ps(a);
}
INLINE i32x16 i32_load_u8(const uint8_t *x) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)x));
}
INLINE i32x16 i32_load_i8(const int8_t *x) {
    return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)x));
}
INLINE void i32_store_i8(int8_t *x, i32x16 a) {
    _mm_storeu_si128((__m128i *)(void *)x, _mm512_cvtepi32_epi8(a));
}
INLINE i32x16 i32_load(const int32_t *x) {
    return _mm512_loadu_si512(x);
}
INLINE i32x16 i32_load_u16(const uint16_t *x) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)x));
}
INLINE i32x16 i16_load_i8(const int8_t *x) {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)x));
}
INLINE i32x16 i32_sub_bytes(i32x16 a, i32x16 b) {
    return _mm512_sub_epi8(a, b);
}
INLINE i32x16 i16_high_bytes(i32x16 a) {
    return _mm512_srai_epi16(a, 8);
}
INLINE i32x16 i16_low_bytes(i32x16 a) {
    return i16_high_bytes(_mm512_slli_epi16(a, 8));
}
INLINE int32_t i32_sum(i32x16 a) {
    return _mm512_reduce_add_epi32(a);
}
INLINE int32_t i32_largest(i32x16 a) {
    return _mm512_reduce_max_epi32(a);
}

#endif
