// 64 bytes of weights, 4 of each of 16 rows, and their exact dot products with 4 activations at a time.
#ifndef SHARD_AVX512_BYTES_H
#define SHARD_AVX512_BYTES_H

typedef __m512i u8x64;

INLINE u8x64 bytes_load(const uint8_t *x) {
    return _mm512_loadu_si512(x);
}
INLINE u8x64 bytes_low(u8x64 a) {
    return _mm512_and_si512(a, _mm512_set1_epi8(15));
}
INLINE u8x64 bytes_high(u8x64 a) {
    return bytes_low(_mm512_srli_epi16(a, 4));
}

/// Nibbles of weights of kind k (Q6_K: see block_q6_K) with their two high bits on top.
INLINE u8x64 bytes_six_bits(u8x64 low, u8x64 high, size_t k) {
    __m512i nibbles = k < 2 ? bytes_low(low) : bytes_high(low);
    __m512i top = k == 0   ? _mm512_slli_epi16(high, 4)
                  : k == 1 ? _mm512_slli_epi16(high, 2)
                  : k == 2 ? high
                           : _mm512_srli_epi16(high, 2);
    return _mm512_or_si512(nibbles, _mm512_and_si512(top, _mm512_set1_epi8(0x30)));
}

/// 4 activations in every lane.
INLINE __m512i four_activations(const int8_t *a) {
    int32_t four;
    memcpy(&four, a, sizeof four);
    return _mm512_set1_epi32(four);
}

#ifdef SHARD_VNNI

/// Signed weights are made unsigned by adding 128.
INLINE u8x64 bytes_load_signed(const uint8_t *x) {
    return _mm512_xor_si512(_mm512_loadu_si512(x), _mm512_set1_epi8((char)0x80));
}

INLINE i32x16 dot_nibbles(i32x16 sum, const u8x64 *w, const int8_t *a) {
    for (size_t g = 0; g < 8; g++) {
        sum = _mm512_dpbusd_epi32(sum, w[g], four_activations(a + 4 * g));
    }
    return sum;
}

INLINE i32x16 dot_six_bits(i32x16 sum, const u8x64 *w, const int8_t *a) {
    for (size_t g = 0; g < 4; g++) {
        sum = _mm512_dpbusd_epi32(sum, w[g], four_activations(a + 4 * g));
    }
    return sum;
}

INLINE i32x16 dot_signed(const u8x64 *w, const int8_t *a, int32_t a_sum) {
    return dot_nibbles(_mm512_set1_epi32(-128 * a_sum), w, a);
}

#else

INLINE u8x64 bytes_load_signed(const uint8_t *x) {
    return _mm512_loadu_si512(x);
}

INLINE i32x16 add_pairs(i32x16 sum, __m512i pairs) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}

/// Pairs are at most 2 × 15 × 127; eight of them fit 16 bits.
INLINE i32x16 dot_nibbles(i32x16 sum, const u8x64 *w, const int8_t *a) {
    __m512i pairs = _mm512_maddubs_epi16(w[0], four_activations(a));
    for (size_t g = 1; g < 8; g++) {
        pairs = _mm512_add_epi16(pairs, _mm512_maddubs_epi16(w[g], four_activations(a + 4 * g)));
    }
    return add_pairs(sum, pairs);
}

/// Pairs are at most 2 × 63 × 127; two of them fit 16 bits.
INLINE i32x16 dot_six_bits(i32x16 sum, const u8x64 *w, const int8_t *a) {
    for (size_t g = 0; g < 4; g += 2) {
        __m512i first = _mm512_maddubs_epi16(w[g], four_activations(a + 4 * g));
        __m512i second = _mm512_maddubs_epi16(w[g + 1], four_activations(a + 4 * g + 4));
        sum = add_pairs(sum, _mm512_add_epi16(first, second));
    }
    return sum;
}

/// |weight| × (sign of weight × activation): at most 2 × 128 × 127, one fits 16 bits.
INLINE i32x16 dot_signed(const u8x64 *w, const int8_t *a, int32_t a_sum) {
    (void)a_sum;
    i32x16 sum = _mm512_setzero_si512();
    for (size_t g = 0; g < 8; g++) {
        __m512i four = four_activations(a + 4 * g);
        __m512i turned = _mm512_mask_sub_epi8(four, _mm512_movepi8_mask(w[g]), _mm512_setzero_si512(), four);
        sum = add_pairs(sum, _mm512_maddubs_epi16(_mm512_abs_epi8(w[g]), turned));
    }
    return sum;
}

#endif

#endif
