// Sine, cosine and power in double, rounded to f32 once; rotary tables and their use.
#pragma STDC FP_CONTRACT OFF

#include "../kernels.h"
#include "conversions.h"

#include <math.h>

/// Taylor's series on |r| ≤ π/4 (errors below 1e-17).
static double sine_near_zero(double r) {
    double z = r * r;
    double p = -1.0 / 1307674368000;
    p = fma(p, z, 1.0 / 6227020800);
    p = fma(p, z, -1.0 / 39916800);
    p = fma(p, z, 1.0 / 362880);
    p = fma(p, z, -1.0 / 5040);
    p = fma(p, z, 1.0 / 120);
    p = fma(p, z, -1.0 / 6);
    return fma(p * z, r, r);
}

static double cosine_near_zero(double r) {
    double z = r * r;
    double p = 1.0 / 20922789888000;
    p = fma(p, z, -1.0 / 87178291200);
    p = fma(p, z, 1.0 / 479001600);
    p = fma(p, z, -1.0 / 3628800);
    p = fma(p, z, 1.0 / 40320);
    p = fma(p, z, -1.0 / 720);
    p = fma(p, z, 1.0 / 24);
    p = fma(p, z, -0.5);
    return fma(p, z, 1.0);
}

static void sine_cosine(float angle, float *sine, float *cosine) {
    if (!(fabsf(angle) <= 0x1p31f)) {
        *sine = *cosine = float_from_bits(0x7fc00000);
        return;
    }
    double x = angle;
    double n = rint(x * 0x1.45f306dc9c883p-1);   // 2/π
    double r = fma(n, -0x1.921fb54442d18p+0, x); // π/2 in three parts
    r = fma(n, -0x1.1a62633145c07p-54, r);
    r = fma(n, 0x1.f1976b7ed8fbcp-110, r);
    double s = sine_near_zero(r), c = cosine_near_zero(r);
    switch ((uint64_t)(int64_t)n & 3) {
    case 0:
        *sine = (float)s, *cosine = (float)c;
        break;
    case 1:
        *sine = (float)c, *cosine = (float)-s;
        break;
    case 2:
        *sine = (float)-s, *cosine = (float)-c;
        break;
    default:
        *sine = (float)-c, *cosine = (float)s;
        break;
    }
}

float shard_sin(float x) {
    float sine, cosine;
    sine_cosine(x, &sine, &cosine);
    return sine;
}

float shard_cos(float x) {
    float sine, cosine;
    sine_cosine(x, &sine, &cosine);
    return cosine;
}

void shard_rotary_table(const uint32_t *restrict positions, size_t count, const float *restrict frequencies,
                        size_t pair_count, float magnitude, float *restrict cosines, float *restrict sines) {
    for (size_t t = 0; t < count; t++) {
        for (size_t i = 0; i < pair_count; i++) {
            float sine, cosine;
            sine_cosine((float)positions[t] * frequencies[i], &sine, &cosine);
            cosines[t * pair_count + i] = cosine * magnitude;
            sines[t * pair_count + i] = sine * magnitude;
        }
    }
}

void rotate_scalar(float *restrict heads, size_t head_count, size_t head_stride, size_t pair_count, uint32_t pairs,
                   const float *restrict cosines, const float *restrict sines) {
    size_t step = pairs == SHARD_PAIRS_HALVES ? 1 : 2, distance = pairs == SHARD_PAIRS_HALVES ? pair_count : 1;
    for (size_t h = 0; h < head_count; h++) {
        float *head = heads + h * head_stride;
        for (size_t i = 0; i < pair_count; i++) {
            float a = head[i * step], b = head[i * step + distance];
            float a_cosine = a * cosines[i], b_sine = b * sines[i];
            float b_cosine = b * cosines[i], a_sine = a * sines[i];
            head[i * step] = a_cosine - b_sine;
            head[i * step + distance] = b_cosine + a_sine;
        }
    }
}
