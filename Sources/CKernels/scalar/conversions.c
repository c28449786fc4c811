#pragma STDC FP_CONTRACT OFF

#include "conversions.h"
#include "../kernels.h"

float shard_f32_from_f16(uint16_t bits) {
    return f32_from_f16_bits(bits);
}
uint16_t shard_f16_from_f32(float value) {
    return f16_bits_from_f32(value);
}
float shard_f32_from_bf16(uint16_t bits) {
    return f32_from_bf16_bits(bits);
}
uint16_t shard_bf16_from_f32(float value) {
    return bf16_bits_from_f32(value);
}

void f32_from_f16_scalar(const uint16_t *restrict x, size_t count, float *restrict output) {
    for (size_t i = 0; i < count; i++) {
        output[i] = f32_from_f16_bits(x[i]);
    }
}

void f16_from_f32_scalar(const float *restrict x, size_t count, uint16_t *restrict output) {
    for (size_t i = 0; i < count; i++) {
        output[i] = f16_bits_from_f32(x[i]);
    }
}

void f32_from_bf16_scalar(const uint16_t *restrict x, size_t count, float *restrict output) {
    for (size_t i = 0; i < count; i++) {
        output[i] = f32_from_bf16_bits(x[i]);
    }
}

void bf16_from_f32_scalar(const float *restrict x, size_t count, uint16_t *restrict output) {
    for (size_t i = 0; i < count; i++) {
        output[i] = bf16_bits_from_f32(x[i]);
    }
}
