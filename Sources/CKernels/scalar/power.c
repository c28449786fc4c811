// base^exponent = exp(exponent × log(base)), in double, rounded to f32 once.
#pragma STDC FP_CONTRACT OFF

#include "conversions.h"
#include "shard_kernels.h"

#include <math.h>

/// For normal positive x: mantissa in [√½, √2), log = 2 artanh((m − 1) / (m + 1)) by its series.
static double log_f64(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits -= 0x3fe6a09e667f3bcd; // bits of √½
    double exponent = (double)((int64_t)bits >> 52);
    bits = (bits & 0xfffffffffffff) + 0x3fe6a09e667f3bcd;
    memcpy(&x, &bits, sizeof x);
    double s = (x - 1) / (x + 1), z = s * s, p = 1.0 / 25;
    for (int k = 23; k >= 1; k -= 2) {
        p = fma(p, z, 1.0 / k);
    }
    return fma(exponent, 0x1.62e42fefa39efp-1, 2 * (s * p));
}

/// For |x| < 700: x = n ln 2 + r, Taylor's series to degree 14.
static double exp_f64(double x) {
    double n = rint(x * 0x1.71547652b82fep+0);
    double r = fma(n, -0x1.62e42fefa39efp-1, x);
    r = fma(n, -0x1.abc9e3b39803fp-56, r);
    double p = 1;
    for (int k = 14; k >= 1; k--) {
        p = fma(p, r / k, 1);
    }
    uint64_t bits = (uint64_t)((int64_t)n + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

float shard_pow(float base, float exponent) {
    if (exponent == 0 || base == 1) {
        return 1;
    }
    if (isnan(base) || isnan(exponent) || base < 0) {
        return float_from_bits(0x7fc00000);
    }
    if (base == 0 || isinf(base)) {
        return (base == 0) == (exponent > 0) ? 0.0f : INFINITY;
    }
    double x = exponent * log_f64(base);
    if (!(x < 200)) {
        return INFINITY;
    }
    return x > -200 ? (float)exp_f64(x) : 0.0f;
}
