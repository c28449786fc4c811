// 64 bytes of weights, 4 of each of 16 rows, and their exact dot products with 4 activations at a time.
#ifndef SHARD_AVX512_BYTES_H
#define SHARD_AVX512_BYTES_H

typedef __m512i u8x64;

INLINE u8x64 bytes_load(const uint8_t *x) {
    return _mm512_loadu_si512(x);
}
INLINE u8x64 bytes_or(u8x64 a, u8x64 b) {
    return _mm512_or_si512(a, b);
}
INLINE u8x64 bytes_bits(u8x64 a, const int right, const uint8_t mask) {
    __m512i moved = right >= 0 ? _mm512_srli_epi16(a, (unsigned)right) : _mm512_slli_epi16(a, (unsigned)-right);
    return _mm512_and_si512(moved, _mm512_set1_epi8((char)mask));
}
INLINE u8x64 bytes_low(u8x64 a) {
    return bytes_bits(a, 0, 15);
}
INLINE u8x64 bytes_high(u8x64 a) {
    return bytes_bits(a, 4, 15);
}
INLINE u8x64 bytes_or_if(u8x64 a, u8x64 b, uint8_t bit, uint8_t value) {
    __mmask64 has = _mm512_test_epi8_mask(b, _mm512_set1_epi8((char)bit));
    return _mm512_mask_add_epi8(a, has, a, _mm512_set1_epi8((char)value));
}
/// Bytes of a table of 16, by nibbles.
INLINE u8x64 bytes_lookup(const uint8_t *table, u8x64 nibbles) {
    __m128i sixteen = _mm_loadu_si128((const __m128i *)(const void *)table);
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(sixteen), nibbles);
}

/// 4 activations in every lane.
INLINE __m512i four_activations(const int8_t *a) {
    int32_t four;
    memcpy(&four, a, sizeof four);
    return _mm512_set1_epi32(four);
}

INLINE i32x16 one_of_pair(i32x16 pair, const size_t which) {
    return _mm512_srai_epi32(which == 0 ? _mm512_slli_epi32(pair, 16) : pair, 16);
}

#ifdef SHARD_VNNI

// One instruction multiplies unsigned bytes with signed ones and adds four products to a sum: signed weights are made
// unsigned by adding 128.
enum { SHARD_SIGNED_OFFSET = 128 };

INLINE u8x64 bytes_signed(u8x64 x) {
    return _mm512_xor_si512(x, _mm512_set1_epi8((char)0x80));
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
    return _mm512_dpbusd_epi32(dots, w, four_activations(a));
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
    return _mm512_add_epi32(total, _mm512_mullo_epi32(multiplier, dots));
}
INLINE i32x16 i32_plus_products(i32x16 sum, i32x16 pairs, const int16_t *two) {
    return _mm512_dpwssd_epi32(sum, pairs, four_activations((const void *)two));
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
INLINE i32x16 add_pairs(i32x16 sum, __m512i pairs, __m512i factor) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(pairs, factor));
}
INLINE i32x16 dots_start(i32x16 sum, const int bits) {
    return bits == 8 ? sum : _mm512_setzero_si512();
}
INLINE i32x16 dots_add(i32x16 dots, u8x64 w, const int8_t *a, const int bits) {
    __m512i four = four_activations(a);
    if (bits < 8) {
        return _mm512_add_epi16(dots, _mm512_maddubs_epi16(w, four));
    }
    __m512i turned = _mm512_mask_sub_epi8(four, _mm512_movepi8_mask(w), _mm512_setzero_si512(), four);
    return add_pairs(dots, _mm512_maddubs_epi16(_mm512_abs_epi8(w), turned), _mm512_set1_epi16(1));
}
INLINE i32x16 dots_end(i32x16 dots, i32x16 sum, const int bits) {
    return bits == 8 ? dots : add_pairs(sum, dots, _mm512_set1_epi16(1));
}
INLINE i32x16 dots_multiplier(i32x16 pair, const size_t which, const int bits) {
    if (bits == 8) {
        return one_of_pair(pair, which);
    }
    __m512i other = which == 0 ? _mm512_slli_epi32(pair, 16) : _mm512_srli_epi32(pair, 16);
    return _mm512_mask_blend_epi16(which == 0 ? 0xaaaaaaaa : 0x55555555, pair, other);
}
INLINE i32x16 dots_end_scaled(i32x16 dots, i32x16 total, i32x16 multiplier, const int bits) {
    return bits == 8 ? _mm512_add_epi32(total, _mm512_mullo_epi32(multiplier, dots))
                     : add_pairs(total, dots, multiplier);
}
INLINE i32x16 i32_plus_products(i32x16 sum, i32x16 pairs, const int16_t *two) {
    return add_pairs(sum, pairs, four_activations((const void *)two));
}

#endif

#endif
