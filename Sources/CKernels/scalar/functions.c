#pragma STDC FP_CONTRACT OFF

#include "functions.h"
#include "../kernels.h"

float shard_exp(float x) {
    return exp_f32(x);
}
float shard_log(float x) {
    return log_f32(x);
}
float shard_tanh(float x) {
    return tanh_f32(x);
}
float shard_sigmoid(float x) {
    return sigmoid_f32(x);
}

void exp_scalar(const float *x, size_t count, float *output) {
    for (size_t i = 0; i < count; i++) {
        output[i] = exp_f32(x[i]);
    }
}

void log_scalar(const float *x, size_t count, float *output) {
    for (size_t i = 0; i < count; i++) {
        output[i] = log_f32(x[i]);
    }
}

void tanh_scalar(const float *x, size_t count, float *output) {
    for (size_t i = 0; i < count; i++) {
        output[i] = tanh_f32(x[i]);
    }
}

void sigmoid_scalar(const float *x, size_t count, float *output) {
    for (size_t i = 0; i < count; i++) {
        output[i] = sigmoid_f32(x[i]);
    }
}

void silu_multiply_scalar(const float *gate, const float *up, size_t count, float *output) {
    for (size_t i = 0; i < count; i++) {
        output[i] = silu_f32(gate[i]) * up[i];
    }
}
