#pragma STDC FP_CONTRACT OFF

#include <math.h>

#define SHARD_SET scalar
#include "../lanes/names.h"
#include "../limits.h"

#define LIMITS_NAME "scalar"
#define INTEGER_NAME "multiply and add"
#define FLOAT_NAME "fmaf"
#define INTEGER_SUMS 10
#define FLOAT_SUMS 10
#define INTEGER_OPERATIONS 2
#define FLOAT_OPERATIONS 2
#define REGISTER "r"
#if defined(__x86_64__)
#define FLOAT_REGISTER "x"
#elif defined(__aarch64__)
#define FLOAT_REGISTER "w"
#else
#define FLOAT_REGISTER "m"
#endif

typedef uint64_t words;
typedef uint32_t integers, factors;
typedef float floats;

INLINE words words_zero(void) {
    return 0;
}
INLINE words words_load(const uint8_t *x) {
    words value;
    memcpy(&value, x, sizeof value);
    return value;
}
INLINE words words_xor(words a, words b) {
    return a ^ b;
}
INLINE uint64_t words_fold(words a) {
    return a;
}

INLINE factors factors_make(int8_t value) {
    return (uint32_t)value;
}
INLINE integers integers_zero(void) {
    return 0;
}
INLINE integers integers_add(integers sum, factors *w, factors a) {
    HIDE(REGISTER, *w);
    return sum + *w * a;
}
INLINE uint64_t integers_fold(integers sum) {
    return sum;
}

INLINE floats floats_make(float value) {
    return value;
}
INLINE floats floats_add(floats sum, floats w, floats a) {
    return fmaf(w, a, sum);
}
INLINE float floats_fold(floats sum) {
    return sum;
}

#include "../lanes/limits.h"
