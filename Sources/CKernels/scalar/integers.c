// Blocks of quantised weights as integers with scales; what the bits mean is in decode.h.
#pragma STDC FP_CONTRACT OFF

#include "integers.h"

#include <string.h>

static void read_q8_0(const uint8_t *bytes, integer_block *out) {
    block_q8_0 block;
    memcpy(&block, bytes, sizeof block);
    out->d = f32_from_f16_bits(block.d);
    for (size_t i = 0; i < 32; i++) {
        out->values[i] = block.qs[i];
    }
}

static void read_q4_0(const uint8_t *bytes, integer_block *out) {
    block_q4_0 block;
    memcpy(&block, bytes, sizeof block);
    out->d = f32_from_f16_bits(block.d);
    for (size_t i = 0; i < 32; i++) {
        out->values[i] = nibble_weight(i, block.qs[nibble_index(i)]) - 8;
    }
}

static void read_q4_1(const uint8_t *bytes, integer_block *out) {
    block_q4_1 block;
    memcpy(&block, bytes, sizeof block);
    out->d = f32_from_f16_bits(block.d);
    out->dmin = f32_from_f16_bits(block.m);
    out->has_minimum = true;
    for (size_t i = 0; i < 32; i++) {
        out->values[i] = nibble_weight(i, block.qs[nibble_index(i)]);
    }
}

static void read_q5_0(const uint8_t *bytes, integer_block *out) {
    block_q5_0 block;
    memcpy(&block, bytes, sizeof block);
    out->d = f32_from_f16_bits(block.d);
    for (size_t i = 0; i < 32; i++) {
        out->values[i] = q5_weight(i, block.qs[nibble_index(i)], block.qh[q5_high_index(i)]) - 16;
    }
}

static void read_q5_1(const uint8_t *bytes, integer_block *out) {
    block_q5_1 block;
    memcpy(&block, bytes, sizeof block);
    out->d = f32_from_f16_bits(block.d);
    out->dmin = f32_from_f16_bits(block.m);
    out->has_minimum = true;
    for (size_t i = 0; i < 32; i++) {
        out->values[i] = q5_weight(i, block.qs[nibble_index(i)], block.qh[q5_high_index(i)]);
    }
}

static void read_iq4_nl(const uint8_t *bytes, integer_block *out) {
    block_iq4_nl block;
    memcpy(&block, bytes, sizeof block);
    out->d = f32_from_f16_bits(block.d);
    for (size_t i = 0; i < 32; i++) {
        out->values[i] = iq4_nl_values[nibble_weight(i, block.qs[nibble_index(i)])];
    }
}

static void read_mxfp4(const uint8_t *bytes, integer_block *out) {
    block_mxfp4 block;
    memcpy(&block, bytes, sizeof block);
    out->d = mxfp4_scale(block.e);
    for (size_t i = 0; i < 32; i++) {
        out->values[i] = mxfp4_values[nibble_weight(i, block.qs[nibble_index(i)])];
    }
}

static void read_q2_K(const uint8_t *bytes, integer_block *out) {
    block_q2_K block;
    memcpy(&block, bytes, sizeof block);
    out->d = f32_from_f16_bits(block.d);
    out->dmin = f32_from_f16_bits(block.dmin);
    out->has_minimum = true;
    for (size_t j = 0; j < 16; j++) {
        q2_K_scale(block.scales[j], &out->scales[j], &out->minima[j]);
    }
    for (size_t i = 0; i < 256; i++) {
        out->values[i] = q2_K_weight(i, block.qs[q2_K_index(i)]);
    }
}

static void read_q3_K(const uint8_t *bytes, integer_block *out) {
    block_q3_K block;
    memcpy(&block, bytes, sizeof block);
    out->d = f32_from_f16_bits(block.d);
    for (size_t j = 0; j < 16; j++) {
        out->scales[j] = q3_K_scale(block.scales, j);
    }
    for (size_t i = 0; i < 256; i++) {
        out->values[i] = q3_K_weight(i, block.qs[q2_K_index(i)], block.hmask[q3_K_high_index(i)]);
    }
}

static void read_q4_K(const uint8_t *bytes, integer_block *out) {
    block_q4_K block;
    memcpy(&block, bytes, sizeof block);
    out->d = f32_from_f16_bits(block.d);
    out->dmin = f32_from_f16_bits(block.dmin);
    out->has_minimum = true;
    out->sub_block_elements = 32;
    for (size_t j = 0; j < 8; j++) {
        q4_K_scale(block.scales, (int)j, &out->scales[j], &out->minima[j]);
    }
    for (size_t i = 0; i < 256; i++) {
        out->values[i] = q4_K_weight(i, block.qs[q4_K_index(i)]);
    }
}

static void read_q5_K(const uint8_t *bytes, integer_block *out) {
    block_q5_K block;
    memcpy(&block, bytes, sizeof block);
    out->d = f32_from_f16_bits(block.d);
    out->dmin = f32_from_f16_bits(block.dmin);
    out->has_minimum = true;
    out->sub_block_elements = 32;
    for (size_t j = 0; j < 8; j++) {
        q4_K_scale(block.scales, (int)j, &out->scales[j], &out->minima[j]);
    }
    for (size_t i = 0; i < 256; i++) {
        out->values[i] = q5_K_weight(i, block.qs[q4_K_index(i)], block.qh[q5_K_high_index(i)]);
    }
}

static void read_q6_K(const uint8_t *bytes, integer_block *out) {
    block_q6_K block;
    memcpy(&block, bytes, sizeof block);
    out->d = f32_from_f16_bits(block.d);
    for (size_t j = 0; j < 16; j++) {
        out->scales[j] = block.scales[j];
    }
    for (size_t i = 0; i < 256; i++) {
        out->values[i] = q6_K_weight(i, block.ql[q6_K_low_index(i)], block.qh[q6_K_high_index(i)]);
    }
}

static void read_iq4_xs(const uint8_t *bytes, integer_block *out) {
    block_iq4_xs block;
    memcpy(&block, bytes, sizeof block);
    out->d = f32_from_f16_bits(block.d);
    out->sub_block_elements = 32;
    for (size_t j = 0; j < 8; j++) {
        out->scales[j] = iq4_xs_scale(j, block.scales_l[j / 2], block.scales_h);
    }
    for (size_t i = 0; i < 256; i++) {
        out->values[i] = iq4_xs_weight(i, block.qs[iq4_xs_index(i)]);
    }
}

integer_block integers_of_block(uint32_t type, const uint8_t *bytes) {
    integer_block out = {.sub_block_elements = 16};
    switch (type) {
    case SHARD_TYPE_Q8_0:
        read_q8_0(bytes, &out);
        break;
    case SHARD_TYPE_Q4_0:
        read_q4_0(bytes, &out);
        break;
    case SHARD_TYPE_Q4_1:
        read_q4_1(bytes, &out);
        break;
    case SHARD_TYPE_Q5_0:
        read_q5_0(bytes, &out);
        break;
    case SHARD_TYPE_Q5_1:
        read_q5_1(bytes, &out);
        break;
    case SHARD_TYPE_IQ4_NL:
        read_iq4_nl(bytes, &out);
        break;
    case SHARD_TYPE_MXFP4:
        read_mxfp4(bytes, &out);
        break;
    case SHARD_TYPE_Q2_K:
        read_q2_K(bytes, &out);
        break;
    case SHARD_TYPE_Q3_K:
        read_q3_K(bytes, &out);
        break;
    case SHARD_TYPE_Q4_K:
        read_q4_K(bytes, &out);
        break;
    case SHARD_TYPE_Q5_K:
        read_q5_K(bytes, &out);
        break;
    case SHARD_TYPE_Q6_K:
        read_q6_K(bytes, &out);
        break;
    case SHARD_TYPE_IQ4_XS:
        read_iq4_xs(bytes, &out);
        break;
    default: // no other type meets integer activations
        break;
    }
    return out;
}
