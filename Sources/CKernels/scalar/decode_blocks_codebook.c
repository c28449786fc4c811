// Blocks of entries of codebooks, decoded. Signs go on the integers, where they are exact.
#pragma STDC FP_CONTRACT OFF

#include "../blocks.h"
#include "codebooks.h"
#include "conversions.h"
#include "decode_blocks.h"

/// Scale j of those that are nibbles, two in a byte.
static float nibble_at(const uint8_t *bytes, size_t j) {
    return (float)(bytes[j / 2] >> 4 * (j % 2) & 15);
}

static int32_t with_sign(int32_t number, uint8_t signs, size_t j) {
    return (signs >> j & 1) != 0 ? -number : number;
}

static void decode_eight_iq1(float scale, uint16_t entry, float delta, float *output) {
    for (size_t j = 0; j < 8; j++) {
        output[j] = scale * ((float)codebook_iq1_number(entry, j) + delta);
    }
}

static void decode_eight_iq2(float scale, uint16_t entry, uint8_t signs, float *output) {
    for (size_t j = 0; j < 8; j++) {
        output[j] = scale * (float)with_sign(codebook_iq2_number(entry, j), signs, j);
    }
}

void shard_decode_iq1_s(const uint8_t *restrict bytes, float *restrict output) {
    block_iq1_s block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t e = 0; e < 32; e++) {
        uint16_t high = block.qh[e / 4];
        float scale = d * (float)(2 * (high >> 12 & 7) + 1);
        size_t index = block.qs[e] | (size_t)(high >> 3 * (e % 4) & 7) << 8;
        decode_eight_iq1(scale, shard_codebook_iq1[index], (high & 0x8000) != 0 ? -0.125f : 0.125f, output + 8 * e);
    }
}

void shard_decode_iq1_m(const uint8_t *restrict bytes, float *restrict output) {
    block_iq1_m block;
    memcpy(&block, bytes, sizeof block);
    uint16_t scales[4];
    memcpy(scales, block.scales, sizeof scales);
    float d = f32_from_f16_bits(
        (uint16_t)(scales[0] >> 12 | scales[1] >> 12 << 4 | scales[2] >> 12 << 8 | scales[3] >> 12 << 12));
    for (size_t e = 0; e < 32; e++) {
        float scale = d * (float)(2 * (scales[e / 8] >> 3 * (e / 2 % 4) & 7) + 1);
        uint8_t high = block.qh[e / 2] >> 4 * (e % 2) & 15;
        size_t index = block.qs[e] | (size_t)(high & 7) << 8;
        decode_eight_iq1(scale, shard_codebook_iq1[index], (high & 8) != 0 ? -0.125f : 0.125f, output + 8 * e);
    }
}

void shard_decode_iq2_xxs(const uint8_t *restrict bytes, float *restrict output) {
    block_iq2_xxs block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t e = 0; e < 32; e++) {
        const uint16_t *words = block.qs + e / 4 * 4;
        uint32_t signs = words[2] | (uint32_t)words[3] << 16;
        float scale = d * (0.5f + (float)(signs >> 28)) * 0.25f;
        size_t index = words[e % 4 / 2] >> 8 * (e % 2) & 255;
        decode_eight_iq2(scale, shard_codebook_iq2_xxs[index], codebook_signs(signs >> 7 * (e % 4) & 127),
                         output + 8 * e);
    }
}

void shard_decode_iq2_xs(const uint8_t *restrict bytes, float *restrict output) {
    block_iq2_xs block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t e = 0; e < 32; e++) {
        float scale = d * (0.5f + nibble_at(block.scales, e / 2)) * 0.25f;
        uint16_t entry = shard_codebook_iq2_xs[block.qs[e] & 511];
        decode_eight_iq2(scale, entry, codebook_signs(block.qs[e] >> 9), output + 8 * e);
    }
}

void shard_decode_iq2_s(const uint8_t *restrict bytes, float *restrict output) {
    block_iq2_s block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t e = 0; e < 32; e++) {
        float scale = d * (0.5f + nibble_at(block.scales, e / 2)) * 0.25f;
        size_t index = block.qs[e] | (size_t)(block.qh[e / 4] >> 2 * (e % 4) & 3) << 8;
        decode_eight_iq2(scale, shard_codebook_iq2_s[index], block.qs[32 + e], output + 8 * e);
    }
}

void shard_decode_iq3_xxs(const uint8_t *restrict bytes, float *restrict output) {
    block_iq3_xxs block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t e = 0; e < 32; e++) {
        uint32_t word;
        memcpy(&word, block.qs + 64 + e / 4 * 4, sizeof word);
        float scale = d * (0.5f + (float)(word >> 28)) * 0.5f;
        uint8_t signs = codebook_signs(word >> 7 * (e % 4) & 127);
        for (size_t j = 0; j < 8; j++) {
            uint16_t entry = shard_codebook_iq3_xxs[block.qs[2 * e + j / 4]];
            output[8 * e + j] = scale * (float)with_sign(codebook_iq3_xxs_number(entry, j % 4), signs, j);
        }
    }
}

void shard_decode_iq3_s(const uint8_t *restrict bytes, float *restrict output) {
    block_iq3_s block;
    memcpy(&block, bytes, sizeof block);
    float d = f32_from_f16_bits(block.d);
    for (size_t e = 0; e < 32; e++) {
        float scale = d * (2 * nibble_at(block.scales, e / 4) + 1);
        for (size_t j = 0; j < 8; j++) {
            size_t f = 2 * e + j / 4;
            size_t index = block.qs[f] | (size_t)(block.qh[f / 8] >> f % 8 & 1) << 8;
            int32_t number = codebook_iq3_s_number(shard_codebook_iq3_s[index], j % 4);
            output[8 * e + j] = scale * (float)with_sign(number, block.signs[e], j);
        }
    }
}
