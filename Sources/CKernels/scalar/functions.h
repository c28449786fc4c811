// Elementary functions in f32, by operations that every instruction set has.
#ifndef SHARD_SCALAR_FUNCTIONS_H
#define SHARD_SCALAR_FUNCTIONS_H

#include "conversions.h"

#include <math.h>

/// 2^n for −126 ≤ n ≤ 127.
static inline float power_of_two(int32_t n) {
    return float_from_bits((uint32_t)(n + 127) << 23);
}

/// exp(x) − 1 for |x| ≤ ln 2 / 2, Taylor's series to degree 7 (error 5e-9 of the result + 1).
static inline float exp_minus_one_near_zero(float r) {
    float p = 1.0f / 5040;
    p = fmaf(p, r, 1.0f / 720);
    p = fmaf(p, r, 1.0f / 120);
    p = fmaf(p, r, 1.0f / 24);
    p = fmaf(p, r, 1.0f / 6);
    p = fmaf(p, r, 0.5f);
    return fmaf(p * r, r, r);
}

/// Splits x = n ln 2 + r with |r| ≤ ln 2 / 2; returns r. The high part of ln 2 has few enough bits for n × it to be
/// exact.
static inline float reduce_by_ln2(float x, float *n) {
    *n = rintf(x * 0x1.715476p+0f);
    float r = fmaf(*n, -0x1.62e4p-1f, x);
    return fmaf(*n, -0x1.7f7d1cp-20f, r);
}

static inline float exp_f32(float x) {
    float clamped = x > -104.0f ? x : -104.0f; // NaN too: it comes back at the end
    clamped = 89.0f > clamped ? clamped : 89.0f;
    float n;
    float r = reduce_by_ln2(clamped, &n);
    float y = exp_minus_one_near_zero(r) + 1.0f;
    int32_t whole = (int32_t)n;
    int32_t half = whole >> 1; // in two steps: 2^n alone may be denormal or infinite
    y = (y * power_of_two(half)) * power_of_two(whole - half);
    return x == x ? y : x;
}

/// Mantissa in [√½, √2): log(1 + f) = f − (f²/2 − s (f²/2 + R)), s = f / (2 + f), R from the series of artanh.
static inline float log_f32(float x) {
    float normal = x < 0x1p-126f ? x * 0x1p23f : x;
    float bias = x < 0x1p-126f ? -23.0f : 0.0f;
    uint32_t bits = bits_from_float(normal) - 0x3f3504f3; // bits of √½
    float exponent = (float)((int32_t)bits >> 23) + bias;
    float f = float_from_bits((bits & 0x7fffff) + 0x3f3504f3) - 1.0f;
    float s = f / (2.0f + f);
    float z = s * s;
    float series = 2.0f / 9;
    series = fmaf(series, z, 2.0f / 7);
    series = fmaf(series, z, 2.0f / 5);
    series = fmaf(series, z, 2.0f / 3);
    float half = (0.5f * f) * f;
    float rest = fmaf(s, fmaf(series, z, half), exponent * 0x1.7f7d1cp-20f);
    float y = fmaf(exponent, 0x1.62e4p-1f, f - (half - rest));
    y = x == 0.0f ? -INFINITY : y;
    y = x < 0.0f ? float_from_bits(0x7fc00000) : y;
    return x < INFINITY ? y : x; // infinite or NaN as it is
}

/// By exp(−2|x|) − 1, which keeps its accuracy near zero; 1 from 10 on.
static inline float tanh_f32(float x) {
    uint32_t sign = bits_from_float(x) & 0x80000000;
    float magnitude = float_from_bits(bits_from_float(x) & 0x7fffffff);
    float clamped = 10.0f > magnitude ? magnitude : 10.0f;
    float n;
    float r = reduce_by_ln2(-2.0f * clamped, &n);
    float power = power_of_two((int32_t)n);
    float e = fmaf(exp_minus_one_near_zero(r), power, power - 1.0f);
    float y = e / (2.0f + e); // negative or zero of either sign: only its magnitude counts
    return x == x ? float_from_bits((bits_from_float(y) & 0x7fffffff) | sign) : x;
}

static inline float sigmoid_f32(float x) {
    return 1.0f / (1.0f + exp_f32(-x));
}

static inline float silu_f32(float x) {
    return x / (1.0f + exp_f32(-x));
}

#endif
