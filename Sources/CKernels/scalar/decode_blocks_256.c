// Blocks of 256 weights, decoded: the scale times that of the sub-block, times the weight, less the minimum if any.
#pragma STDC FP_CONTRACT OFF

#include "decode.h"
#include "decode_blocks.h"

void shard_decode_q2_K(const uint8_t *restrict bytes, float *restrict output) {
    block_q2_K block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    float dmin = f32_from_f16_bits(block.dmin);
    for (size_t i = 0; i < 256; i++) {
        int32_t scale, minimum;
        q2_K_scale(block.scales[i / 16], &scale, &minimum);
        float part = d * (float)scale * (float)q2_K_weight(i, block.qs[q2_K_index(i)]);
        output[i] = part - dmin * (float)minimum;
    }
}

void shard_decode_q3_K(const uint8_t *restrict bytes, float *restrict output) {
    block_q3_K block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t i = 0; i < 256; i++) {
        int32_t scale = q3_K_scale(block.scales, i / 16);
        int32_t weight = q3_K_weight(i, block.qs[q2_K_index(i)], block.hmask[q3_K_high_index(i)]);
        output[i] = d * (float)scale * (float)weight;
    }
}

void shard_decode_q4_K(const uint8_t *restrict bytes, float *restrict output) {
    block_q4_K block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    float dmin = f32_from_f16_bits(block.dmin);
    for (size_t i = 0; i < 256; i++) {
        int32_t scale, minimum;
        q4_K_scale(block.scales, (int)(i / 32), &scale, &minimum);
        float part = d * (float)scale * (float)q4_K_weight(i, block.qs[q4_K_index(i)]);
        output[i] = part - dmin * (float)minimum;
    }
}

void shard_decode_q5_K(const uint8_t *restrict bytes, float *restrict output) {
    block_q5_K block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    float dmin = f32_from_f16_bits(block.dmin);
    for (size_t i = 0; i < 256; i++) {
        int32_t scale, minimum;
        q4_K_scale(block.scales, (int)(i / 32), &scale, &minimum);
        int32_t weight = q5_K_weight(i, block.qs[q4_K_index(i)], block.qh[q5_K_high_index(i)]);
        float part = d * (float)scale * (float)weight;
        output[i] = part - dmin * (float)minimum;
    }
}

void shard_decode_q6_K(const uint8_t *restrict bytes, float *restrict output) {
    block_q6_K block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t i = 0; i < 256; i++) {
        int32_t weight = q6_K_weight(i, block.ql[q6_K_low_index(i)], block.qh[q6_K_high_index(i)]);
        output[i] = d * (float)block.scales[i / 16] * (float)weight;
    }
}

void shard_decode_iq4_xs(const uint8_t *restrict bytes, float *restrict output) {
    block_iq4_xs block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t i = 0; i < 256; i++) {
        int32_t scale = iq4_xs_scale(i / 32, block.scales_l[i / 64], block.scales_h);
        output[i] = d * (float)scale * (float)iq4_xs_weight(i, block.qs[iq4_xs_index(i)]);
    }
}

/// Decodes the ternary digits of `count` bytes: all first digits, then all second ones, and so on.
static void decode_digits(float d, const uint8_t *bytes, size_t count, size_t digit_count, float *output) {
    static const uint8_t powers[5] = {1, 3, 9, 27, 81};
    for (size_t n = 0; n < digit_count; n++) {
        for (size_t i = 0; i < count; i++) {
            uint8_t fraction = (uint8_t)(bytes[i] * powers[n]); // modulo 256: what is above are digits before
            output[n * count + i] = d * (float)((fraction * 3 >> 8) - 1);
        }
    }
}

void shard_decode_tq1_0(const uint8_t *restrict bytes, float *restrict output) {
    block_tq1_0 block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    decode_digits(d, block.qs, 32, 5, output);
    decode_digits(d, block.qs + 32, 16, 5, output + 160);
    decode_digits(d, block.qh, 4, 4, output + 240);
}

void shard_decode_tq2_0(const uint8_t *restrict bytes, float *restrict output) {
    block_tq2_0 block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t i = 0; i < 256; i++) {
        output[i] = d * (float)(q2_K_weight(i, block.qs[q2_K_index(i)]) - 1);
    }
}
