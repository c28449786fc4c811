#pragma STDC FP_CONTRACT OFF

#include "../kernels.h"

#include <math.h>

static float sum_of_squares(const float *x, size_t count) {
    float partials[16] = {0};
    for (size_t i = 0; i < count; i++) {
        partials[i % 16] = fmaf(x[i], x[i], partials[i % 16]);
    }
    for (size_t half = 8; half >= 1; half /= 2) {
        for (size_t i = 0; i < half; i++) {
            partials[i] += partials[i + half];
        }
    }
    return partials[0];
}

void rms_norm_scalar(const float *x, const float *weight, size_t count, float epsilon, float *output) {
    float mean = sum_of_squares(x, count) / (float)count;
    float factor = 1.0f / sqrtf(mean + epsilon);
    for (size_t i = 0; i < count; i++) {
        output[i] = (x[i] * factor) * weight[i];
    }
}

void add_scalar(const float *a, const float *b, size_t count, float *output) {
    for (size_t i = 0; i < count; i++) {
        output[i] = a[i] + b[i];
    }
}

void add_scaled_scalar(const float *a, float factor, const float *b, size_t count, float *output) {
    for (size_t i = 0; i < count; i++) {
        output[i] = fmaf(a[i], factor, b[i]);
    }
}
