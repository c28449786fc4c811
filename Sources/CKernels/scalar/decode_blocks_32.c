// Blocks of 32 weights, decoded: one product with the scale, and a sum where there is a minimum.
#pragma STDC FP_CONTRACT OFF

#include "decode.h"
#include "decode_blocks.h"

void shard_decode_q8_0(const uint8_t *restrict bytes, float *restrict output) {
    block_q8_0 block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t i = 0; i < 32; i++) {
        output[i] = d * (float)block.qs[i];
    }
}

void shard_decode_q4_0(const uint8_t *restrict bytes, float *restrict output) {
    block_q4_0 block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t i = 0; i < 32; i++) {
        output[i] = d * (float)(nibble_weight(i, block.qs[nibble_index(i)]) - 8);
    }
}

void shard_decode_q4_1(const uint8_t *restrict bytes, float *restrict output) {
    block_q4_1 block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    float m = f32_from_f16_bits(block.m);
    for (size_t i = 0; i < 32; i++) {
        float part = d * (float)nibble_weight(i, block.qs[nibble_index(i)]);
        output[i] = part + m;
    }
}

void shard_decode_q5_0(const uint8_t *restrict bytes, float *restrict output) {
    block_q5_0 block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t i = 0; i < 32; i++) {
        int32_t weight = q5_weight(i, block.qs[nibble_index(i)], block.qh[q5_high_index(i)]);
        output[i] = d * (float)(weight - 16);
    }
}

void shard_decode_q5_1(const uint8_t *restrict bytes, float *restrict output) {
    block_q5_1 block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    float m = f32_from_f16_bits(block.m);
    for (size_t i = 0; i < 32; i++) {
        float part = d * (float)q5_weight(i, block.qs[nibble_index(i)], block.qh[q5_high_index(i)]);
        output[i] = part + m;
    }
}

void shard_decode_iq4_nl(const uint8_t *restrict bytes, float *restrict output) {
    block_iq4_nl block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t i = 0; i < 32; i++) {
        output[i] = d * (float)iq4_nl_values[nibble_weight(i, block.qs[nibble_index(i)])];
    }
}

void shard_decode_mxfp4(const uint8_t *restrict bytes, float *restrict output) {
    block_mxfp4 block;
    memcpy(&block, bytes, sizeof block);
    float d = mxfp4_scale(block.e);
    for (size_t i = 0; i < 32; i++) {
        output[i] = d * (float)mxfp4_values[nibble_weight(i, block.qs[nibble_index(i)])];
    }
}
