// Rows as files store them, decoded to f32: products of scale and integer rounded once each, as GGML computes them.
#pragma STDC FP_CONTRACT OFF

#include "decode.h"

static void decode_q8_0(const uint8_t *bytes, float *output) {
    block_q8_0 block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t i = 0; i < 32; i++) {
        output[i] = d * (float)block.qs[i];
    }
}

static void decode_q4_0(const uint8_t *bytes, float *output) {
    block_q4_0 block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t i = 0; i < 16; i++) {
        output[i] = d * (float)((block.qs[i] & 15) - 8);
        output[i + 16] = d * (float)((block.qs[i] >> 4) - 8);
    }
}

static void decode_q4_K(const uint8_t *bytes, float *output) {
    block_q4_K block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    float dmin = f32_from_f16_bits(block.dmin);
    for (size_t i = 0; i < 256; i++) {
        int32_t scale, minimum;
        q4_K_scale(block.scales, 1, (int)(i / 32), &scale, &minimum);
        float part = d * (float)scale * (float)q4_K_weight(i, block.qs[q4_K_index(i)]);
        output[i] = part - dmin * (float)minimum;
    }
}

static void decode_q6_K(const uint8_t *bytes, float *output) {
    block_q6_K block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t i = 0; i < 256; i++) {
        int32_t weight = q6_K_weight(i, block.ql[q6_K_low_index(i)], block.qh[q6_K_high_index(i)]);
        output[i] = d * (float)block.scales[i / 16] * (float)weight;
    }
}

void shard_decode_row(uint32_t type, const void *restrict row, size_t column_count, float *restrict output) {
    shard_layout layout = shard_block_layout(type);
    const uint8_t *bytes = row;
    for (size_t i = 0; i < column_count; i += layout.elements, bytes += layout.bytes) {
        switch (type) {
        case SHARD_TYPE_F32:
            output[i] = load_f32(bytes);
            break;
        case SHARD_TYPE_F16:
            output[i] = f32_from_f16_bits(load_u16(bytes));
            break;
        case SHARD_TYPE_BF16:
            output[i] = f32_from_bf16_bits(load_u16(bytes));
            break;
        case SHARD_TYPE_Q8_0:
            decode_q8_0(bytes, output + i);
            break;
        case SHARD_TYPE_Q4_0:
            decode_q4_0(bytes, output + i);
            break;
        case SHARD_TYPE_Q4_K:
            decode_q4_K(bytes, output + i);
            break;
        case SHARD_TYPE_Q6_K:
            decode_q6_K(bytes, output + i);
            break;
        }
    }
}
