// What lanes/limits.h needs, in registers of 64 bytes.
#ifndef SHARD_AVX512_LIMITS_H
#define SHARD_AVX512_LIMITS_H

#include "../limits.h"

#define FLOAT_NAME "vfmadd231ps zmm"
#define FLOAT_SUMS 16
#define FLOAT_OPERATIONS 32
#define REGISTER "v"
#define FLOAT_REGISTER REGISTER

typedef __m512i words, factors;
typedef __m512 floats;

INLINE words words_zero(void) {
    return _mm512_setzero_si512();
}
INLINE words words_load(const uint8_t *x) {
    return _mm512_load_si512(x);
}
INLINE words words_xor(words a, words b) {
    return _mm512_xor_si512(a, b);
}
INLINE uint64_t words_fold(words a) {
    uint64_t parts[8], result = 0;
    _mm512_storeu_si512(parts, a);
    for (size_t i = 0; i < 8; i++) {
        result ^= parts[i];
    }
    return result;
}
/// Of equal parts, too, something of each.
INLINE uint64_t words_add(words a) {
    uint64_t parts[8], result = 0;
    _mm512_storeu_si512(parts, a);
    for (size_t i = 0; i < 8; i++) {
        result += parts[i];
    }
    return result;
}

INLINE factors factors_make(int8_t value) {
    return _mm512_set1_epi8(value);
}

#ifdef SHARD_VNNI

#define LIMITS_NAME "avx512vnni"
#define INTEGER_NAME "vpdpbusd zmm"
#define INTEGER_SUMS 16
#define INTEGER_OPERATIONS 128

typedef __m512i integers;

INLINE integers integers_zero(void) {
    return _mm512_setzero_si512();
}
INLINE integers integers_add(integers sum, factors *w, factors a) {
    HIDE(REGISTER, *w);
    return _mm512_dpbusd_epi32(sum, *w, a);
}
INLINE uint64_t integers_fold(integers sum) {
    return words_add(sum);
}

#else

#define LIMITS_NAME "avx512"
#define INTEGER_NAME "8 vpmaddubsw and vpaddw, vpmaddwd, vpaddd zmm"
#define INTEGER_SUMS 10
#define INTEGER_OPERATIONS 1024

/// Pairs of products are summed in 16 bits, where eight of nibbles fit, then in 32.
typedef struct integers {
    __m512i pairs, sums;
} integers;

INLINE integers integers_zero(void) {
    return (integers){_mm512_setzero_si512(), _mm512_setzero_si512()};
}
INLINE integers integers_add(integers sum, factors *w, factors a) {
    for (size_t i = 0; i < 8; i++) {
        HIDE(REGISTER, *w);
        sum.pairs = _mm512_add_epi16(sum.pairs, _mm512_maddubs_epi16(*w, a));
    }
    sum.sums = _mm512_add_epi32(sum.sums, _mm512_madd_epi16(sum.pairs, _mm512_set1_epi16(1)));
    return sum;
}
INLINE uint64_t integers_fold(integers sum) {
    return words_add(sum.sums);
}

#endif

INLINE floats floats_make(float value) {
    return _mm512_set1_ps(value);
}
INLINE floats floats_add(floats sum, floats w, floats a) {
    return _mm512_fmadd_ps(w, a, sum);
}
INLINE float floats_fold(floats sum) {
    return _mm512_reduce_add_ps(sum);
}

#endif
