// What lanes/limits.h needs, in registers of 32 bytes.
#ifndef SHARD_AVX2_LIMITS_H
#define SHARD_AVX2_LIMITS_H

#include "../limits.h"

#define FLOAT_NAME "vfmadd231ps ymm"
#define FLOAT_SUMS 12
#define FLOAT_OPERATIONS 16
#define REGISTER "x"
#define FLOAT_REGISTER REGISTER

typedef __m256i words, factors;
typedef __m256 floats;

INLINE words words_zero(void) {
    return _mm256_setzero_si256();
}
INLINE words words_load(const uint8_t *x) {
    return _mm256_load_si256((const __m256i *)(const void *)x);
}
INLINE words words_xor(words a, words b) {
    return _mm256_xor_si256(a, b);
}
INLINE uint64_t words_fold(words a) {
    uint64_t parts[4], result = 0;
    _mm256_storeu_si256((__m256i *)(void *)parts, a);
    for (size_t i = 0; i < 4; i++) {
        result ^= parts[i];
    }
    return result;
}
/// Of equal parts, too, something of each.
INLINE uint64_t words_add(words a) {
    uint64_t parts[4], result = 0;
    _mm256_storeu_si256((__m256i *)(void *)parts, a);
    for (size_t i = 0; i < 4; i++) {
        result += parts[i];
    }
    return result;
}

INLINE factors factors_make(int8_t value) {
    return _mm256_set1_epi8(value);
}

#ifdef SHARD_VNNI

#define LIMITS_NAME "avxvnni"
#define INTEGER_NAME "vpdpbusd ymm"
#define INTEGER_SUMS 12
#define INTEGER_OPERATIONS 64

typedef __m256i integers;

INLINE integers integers_zero(void) {
    return _mm256_setzero_si256();
}
INLINE integers integers_add(integers sum, factors *w, factors a) {
    HIDE(REGISTER, *w);
    return _mm256_dpbusd_avx_epi32(sum, *w, a);
}
INLINE uint64_t integers_fold(integers sum) {
    return words_add(sum);
}

#else

#define LIMITS_NAME "avx2"
#define INTEGER_NAME "8 vpmaddubsw and vpaddw, vpmaddwd, vpaddd ymm"
#define INTEGER_SUMS 4
#define INTEGER_OPERATIONS 512

/// Pairs of products are summed in 16 bits, where eight of nibbles fit, then in 32.
typedef struct integers {
    __m256i pairs, sums;
} integers;

INLINE integers integers_zero(void) {
    return (integers){_mm256_setzero_si256(), _mm256_setzero_si256()};
}
INLINE integers integers_add(integers sum, factors *w, factors a) {
    for (size_t i = 0; i < 8; i++) {
        HIDE(REGISTER, *w);
        sum.pairs = _mm256_add_epi16(sum.pairs, _mm256_maddubs_epi16(*w, a));
    }
    sum.sums = _mm256_add_epi32(sum.sums, _mm256_madd_epi16(sum.pairs, _mm256_set1_epi16(1)));
    return sum;
}
INLINE uint64_t integers_fold(integers sum) {
    return words_add(sum.sums);
}

#endif

INLINE floats floats_make(float value) {
    return _mm256_set1_ps(value);
}
INLINE floats floats_add(floats sum, floats w, floats a) {
    return _mm256_fmadd_ps(w, a, sum);
}
INLINE float floats_fold(floats sum) {
    float parts[8], total = 0;
    _mm256_storeu_ps(parts, sum);
    for (size_t i = 0; i < 8; i++) {
        total += parts[i];
    }
    return total;
}

#endif
