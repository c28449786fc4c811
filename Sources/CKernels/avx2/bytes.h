// 64 bytes of weights, 4 of each of 16 rows, and their exact dot products with 4 activations at a time.
#ifndef SHARD_AVX2_BYTES_H
#define SHARD_AVX2_BYTES_H

typedef struct u8x64 {
    __m256i a, b;
} u8x64;

INLINE u8x64 bytes_load(const uint8_t *x) {
    return (u8x64){_mm256_loadu_si256((const __m256i *)(const void *)x),
                   _mm256_loadu_si256((const __m256i *)(const void *)(x + 32))};
}

INLINE __m256i low_nibbles(__m256i x) {
    return _mm256_and_si256(x, _mm256_set1_epi8(15));
}
INLINE __m256i high_nibbles(__m256i x) {
    return low_nibbles(_mm256_srli_epi16(x, 4));
}
INLINE u8x64 bytes_low(u8x64 x) {
    return BOTH1(u8x64, low_nibbles, x);
}
INLINE u8x64 bytes_high(u8x64 x) {
    return BOTH1(u8x64, high_nibbles, x);
}

INLINE __m256i six_bits(__m256i low, __m256i high, size_t k) {
    __m256i nibbles = k < 2 ? low_nibbles(low) : high_nibbles(low);
    __m256i top = k == 0   ? _mm256_slli_epi16(high, 4)
                  : k == 1 ? _mm256_slli_epi16(high, 2)
                  : k == 2 ? high
                           : _mm256_srli_epi16(high, 2);
    return _mm256_or_si256(nibbles, _mm256_and_si256(top, _mm256_set1_epi8(0x30)));
}

/// Nibbles of weights of kind k (Q6_K: see block_q6_K) with their two high bits on top.
INLINE u8x64 bytes_six_bits(u8x64 low, u8x64 high, size_t k) {
    return (u8x64){six_bits(low.a, high.a, k), six_bits(low.b, high.b, k)};
}

/// 4 activations in every lane.
INLINE __m256i four_activations(const int8_t *a) {
    int32_t four;
    memcpy(&four, a, sizeof four);
    return _mm256_set1_epi32(four);
}

#ifdef SHARD_VNNI

/// Signed weights are made unsigned by adding 128.
INLINE u8x64 bytes_load_signed(const uint8_t *x) {
    u8x64 bytes = bytes_load(x);
    __m256i sign = _mm256_set1_epi8((char)0x80);
    return (u8x64){_mm256_xor_si256(bytes.a, sign), _mm256_xor_si256(bytes.b, sign)};
}

INLINE i32x16 dot_four(i32x16 sum, u8x64 w, const int8_t *a) {
    __m256i four = four_activations(a);
    return (i32x16){_mm256_dpbusd_avx_epi32(sum.a, w.a, four), _mm256_dpbusd_avx_epi32(sum.b, w.b, four)};
}

INLINE i32x16 dot_nibbles(i32x16 sum, const u8x64 *w, const int8_t *a) {
    for (size_t g = 0; g < 8; g++) {
        sum = dot_four(sum, w[g], a + 4 * g);
    }
    return sum;
}

INLINE i32x16 dot_six_bits(i32x16 sum, const u8x64 *w, const int8_t *a) {
    for (size_t g = 0; g < 4; g++) {
        sum = dot_four(sum, w[g], a + 4 * g);
    }
    return sum;
}

INLINE i32x16 dot_signed(const u8x64 *w, const int8_t *a, int32_t a_sum) {
    return dot_nibbles(i32_set(-128 * a_sum), w, a);
}

#else

INLINE u8x64 bytes_load_signed(const uint8_t *x) {
    return bytes_load(x);
}

INLINE __m256i add_pairs(__m256i sum, __m256i pairs) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/// Pairs are at most 2 × 15 × 127; eight of them fit 16 bits.
INLINE i32x16 dot_nibbles(i32x16 sum, const u8x64 *w, const int8_t *a) {
    __m256i first = _mm256_setzero_si256(), second = first;
    for (size_t g = 0; g < 8; g++) {
        __m256i four = four_activations(a + 4 * g);
        first = _mm256_add_epi16(first, _mm256_maddubs_epi16(w[g].a, four));
        second = _mm256_add_epi16(second, _mm256_maddubs_epi16(w[g].b, four));
    }
    return (i32x16){add_pairs(sum.a, first), add_pairs(sum.b, second)};
}

/// Pairs are at most 2 × 63 × 127; two of them fit 16 bits.
INLINE i32x16 dot_six_bits(i32x16 sum, const u8x64 *w, const int8_t *a) {
    for (size_t g = 0; g < 4; g += 2) {
        __m256i four = four_activations(a + 4 * g), next = four_activations(a + 4 * g + 4);
        __m256i first = _mm256_add_epi16(_mm256_maddubs_epi16(w[g].a, four), _mm256_maddubs_epi16(w[g + 1].a, next));
        __m256i second = _mm256_add_epi16(_mm256_maddubs_epi16(w[g].b, four), _mm256_maddubs_epi16(w[g + 1].b, next));
        sum = (i32x16){add_pairs(sum.a, first), add_pairs(sum.b, second)};
    }
    return sum;
}

INLINE __m256i signed_pairs(__m256i w, __m256i four) {
    return _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(four, w));
}

/// |weight| × (sign of weight × activation): at most 2 × 128 × 127, one fits 16 bits.
INLINE i32x16 dot_signed(const u8x64 *w, const int8_t *a, int32_t a_sum) {
    (void)a_sum;
    i32x16 sum = i32_set(0);
    for (size_t g = 0; g < 8; g++) {
        __m256i four = four_activations(a + 4 * g);
        sum.a = add_pairs(sum.a, signed_pairs(w[g].a, four));
        sum.b = add_pairs(sum.b, signed_pairs(w[g].b, four));
    }
    return sum;
}

#endif

#endif
