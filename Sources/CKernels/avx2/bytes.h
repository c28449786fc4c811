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
INLINE u8x64 bytes_or(u8x64 x, u8x64 y) {
    return BOTH2(u8x64, _mm256_or_si256, x, y);
}
INLINE __m256i bits_of(__m256i x, const int right, const uint8_t mask) {
    __m256i moved = right >= 0 ? _mm256_srli_epi16(x, right) : _mm256_slli_epi16(x, -right);
    return _mm256_and_si256(moved, _mm256_set1_epi8((char)mask));
}
INLINE u8x64 bytes_bits(u8x64 x, const int right, const uint8_t mask) {
    return (u8x64){bits_of(x.a, right, mask), bits_of(x.b, right, mask)};
}
INLINE u8x64 bytes_low(u8x64 x) {
    return bytes_bits(x, 0, 15);
}
INLINE u8x64 bytes_high(u8x64 x) {
    return bytes_bits(x, 4, 15);
}
INLINE __m256i value_if(__m256i x, __m256i bit, __m256i value) {
    return _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_and_si256(x, bit), bit), value);
}
INLINE u8x64 bytes_or_if(u8x64 x, u8x64 y, uint8_t bit, uint8_t value) {
    __m256i bits = _mm256_set1_epi8((char)bit), values = _mm256_set1_epi8((char)value);
    return bytes_or(x, (u8x64){value_if(y.a, bits, values), value_if(y.b, bits, values)});
}
/// Bytes of a table of 16, by nibbles.
INLINE u8x64 bytes_lookup(const uint8_t *table, u8x64 nibbles) {
    __m256i twice = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
    return (u8x64){_mm256_shuffle_epi8(twice, nibbles.a), _mm256_shuffle_epi8(twice, nibbles.b)};
}

/// 4 activations in every lane.
INLINE __m256i four_activations(const int8_t *a) {
    int32_t four;
    memcpy(&four, a, sizeof four);
    return _mm256_set1_epi32(four);
}

INLINE i32x16 one_of_pair(i32x16 pair, const size_t which) {
    return i32_shift_right(which == 0 ? i32_shift_left(pair, 16) : pair, 16);
}

#ifdef SHARD_VNNI

// One instruction multiplies unsigned bytes with signed ones and adds four products to a sum: signed weights are made
// unsigned by adding 128.
enum { SHARD_SIGNED_OFFSET = 128 };

INLINE u8x64 bytes_signed(u8x64 x) {
    __m256i sign = _mm256_set1_epi8((char)0x80);
    return (u8x64){_mm256_xor_si256(x.a, sign), _mm256_xor_si256(x.b, sign)};
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
    __m256i four = four_activations(a);
    return (i32x16){_mm256_dpbusd_avx_epi32(dots.a, w.a, four), _mm256_dpbusd_avx_epi32(dots.b, w.b, four)};
}
INLINE i32x16 dots_end(i32x16 dots, i32x16 sum, const int bits) {
    (void)sum, (void)bits;
    return dots;
}
INLINE i32x16 dots_multiplier(i32x16 pair, const size_t which, const int bits) {
    (void)bits;
    return one_of_pair(pair, which);
}
INLINE i32x16 dots_end_scaled(i32x16 dots, i32x16 total, i32x16 multiplier, const int bits) {
    (void)bits;
    return i32_add(total, i32_mul(multiplier, dots));
}
INLINE i32x16 i32_plus_products(i32x16 sum, i32x16 pairs, const int16_t *two) {
    __m256i both = four_activations((const void *)two);
    return (i32x16){_mm256_dpwssd_avx_epi32(sum.a, pairs.a, both), _mm256_dpwssd_avx_epi32(sum.b, pairs.b, both)};
}

#else

// Products of unsigned and signed bytes are added in pairs to 16 bits: of small weights several pairs fit before they
// are added to 32 bits. Signed weights: |weight| × (sign of weight × activation), at most 2 × 128 × 127, one pair fits.
enum { SHARD_SIGNED_OFFSET = 0 };

INLINE u8x64 bytes_signed(u8x64 x) {
    return x;
}
/// Pairs that fit 16 bits: 2 × (2^bits − 1) × 127 each.
INLINE size_t dots_groups(const int bits) {
    return bits <= 4 ? 8 : bits == 5 ? 4 : bits == 6 ? 2 : 8;
}
INLINE __m256i eight_plus_pairs(__m256i sum, __m256i pairs, __m256i factor) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, factor));
}
INLINE i32x16 add_pairs(i32x16 sum, i32x16 pairs, i32x16 factor) {
    return (i32x16){eight_plus_pairs(sum.a, pairs.a, factor.a), eight_plus_pairs(sum.b, pairs.b, factor.b)};
}
INLINE i32x16 dots_start(i32x16 sum, const int bits) {
    return bits == 8 ? sum : i32_set(0);
}
INLINE __m256i signed_pairs(__m256i w, __m256i four) {
    return _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(four, w));
}
INLINE i32x16 dots_add(i32x16 dots, u8x64 w, const int8_t *a, const int bits) {
    __m256i four = four_activations(a);
    if (bits < 8) {
        return (i32x16){_mm256_add_epi16(dots.a, _mm256_maddubs_epi16(w.a, four)),
                        _mm256_add_epi16(dots.b, _mm256_maddubs_epi16(w.b, four))};
    }
    return add_pairs(dots, (i32x16){signed_pairs(w.a, four), signed_pairs(w.b, four)}, i32_set(0x00010001));
}
INLINE i32x16 dots_end(i32x16 dots, i32x16 sum, const int bits) {
    return bits == 8 ? dots : add_pairs(sum, dots, i32_set(0x00010001));
}
INLINE __m256i both_of_pair(__m256i pair, const size_t which) {
    __m256i other = which == 0 ? _mm256_slli_epi32(pair, 16) : _mm256_srli_epi32(pair, 16);
    return which == 0 ? _mm256_blend_epi16(pair, other, 0xaa) : _mm256_blend_epi16(pair, other, 0x55);
}
INLINE i32x16 dots_multiplier(i32x16 pair, const size_t which, const int bits) {
    return bits == 8 ? one_of_pair(pair, which) : (i32x16){both_of_pair(pair.a, which), both_of_pair(pair.b, which)};
}
INLINE i32x16 dots_end_scaled(i32x16 dots, i32x16 total, i32x16 multiplier, const int bits) {
    return bits == 8 ? i32_add(total, i32_mul(multiplier, dots)) : add_pairs(total, dots, multiplier);
}
INLINE i32x16 i32_plus_products(i32x16 sum, i32x16 pairs, const int16_t *two) {
    int32_t both;
    memcpy(&both, two, sizeof both);
    return add_pairs(sum, pairs, i32_set(both));
}

#endif

#endif
