// Activations in 8 bits: what the header's `quantize` says, element by element.
#pragma STDC FP_CONTRACT OFF

#include "../blocks.h"
#include "../kernels.h"
#include "conversions.h"

#include <math.h>

/// Quantises `count` elements with one scale, which it returns; values past ±127 cannot arise.
static float quantize_values(const float *x, size_t count, int8_t *values) {
    uint32_t largest = 0; // magnitudes compare as integers, NaN above all
    for (size_t i = 0; i < count; i++) {
        uint32_t magnitude = bits_from_float(x[i]) & 0x7fffffff;
        largest = magnitude > largest ? magnitude : largest;
    }
    float scale = float_from_bits(largest) / 127.0f;
    bool finite = largest < 0x7f800000;
    if (!finite || scale < 0x1p-126f) {
        memset(values, 0, count);
        return finite ? 0.0f : float_from_bits(0x7fc00000);
    }
    float inverse = 1.0f / scale;
    for (size_t i = 0; i < count; i++) {
        values[i] = (int8_t)rintf(x[i] * inverse);
    }
    return scale;
}

static int32_t sum_values(const int8_t *values, size_t count) {
    int32_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += values[i];
    }
    return sum;
}

void quantize_scalar(uint32_t kind, const float *restrict x, size_t column_count, size_t panel_rows,
                     void *restrict output) {
    if (kind == SHARD_ACTIVATION_Q8_32) {
        block_a8_32 *block = output;
        for (size_t b = 0; b < column_count / 32; b++, block += panel_rows) {
            block->scale = quantize_values(x + b * 32, 32, block->values);
            block->sum = sum_values(block->values, 32);
        }
    } else if (kind == SHARD_ACTIVATION_Q8_256) {
        block_a8_256 *block = output;
        for (size_t b = 0; b < column_count / 256; b++, block += panel_rows) {
            block->scale = quantize_values(x + b * 256, 256, block->values);
            for (size_t s = 0; s < 16; s++) {
                block->sums16[s] = (int16_t)sum_values(block->values + s * 16, 16);
            }
            for (size_t s = 0; s < 8; s++) {
                block->sums32[s] = (int16_t)sum_values(block->values + s * 32, 32);
            }
        }
    } else {
        for (size_t c = 0; c < column_count; c++) {
            memcpy((float *)output + c * panel_rows, x + c, sizeof *x);
        }
    }
}
