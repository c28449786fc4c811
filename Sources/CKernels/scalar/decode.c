// Rows as files store them, decoded to f32: products of scale and integer rounded once each, as GGML computes them.
#pragma STDC FP_CONTRACT OFF

#include "../packing.h"
#include "conversions.h"
#include "decode_blocks.h"

/// The decoder of a type's blocks; NULL for floats.
static shard_block_decoder *block_decoder(uint32_t type) {
    switch (type) {
    case SHARD_TYPE_Q4_0:
        return shard_decode_q4_0;
    case SHARD_TYPE_Q4_1:
        return shard_decode_q4_1;
    case SHARD_TYPE_Q5_0:
        return shard_decode_q5_0;
    case SHARD_TYPE_Q5_1:
        return shard_decode_q5_1;
    case SHARD_TYPE_Q8_0:
        return shard_decode_q8_0;
    case SHARD_TYPE_IQ4_NL:
        return shard_decode_iq4_nl;
    case SHARD_TYPE_MXFP4:
        return shard_decode_mxfp4;
    case SHARD_TYPE_Q2_K:
        return shard_decode_q2_K;
    case SHARD_TYPE_Q3_K:
        return shard_decode_q3_K;
    case SHARD_TYPE_Q4_K:
        return shard_decode_q4_K;
    case SHARD_TYPE_Q5_K:
        return shard_decode_q5_K;
    case SHARD_TYPE_Q6_K:
        return shard_decode_q6_K;
    case SHARD_TYPE_IQ4_XS:
        return shard_decode_iq4_xs;
    case SHARD_TYPE_TQ1_0:
        return shard_decode_tq1_0;
    case SHARD_TYPE_TQ2_0:
        return shard_decode_tq2_0;
    case SHARD_TYPE_IQ1_S:
        return shard_decode_iq1_s;
    case SHARD_TYPE_IQ1_M:
        return shard_decode_iq1_m;
    case SHARD_TYPE_IQ2_XXS:
        return shard_decode_iq2_xxs;
    case SHARD_TYPE_IQ2_XS:
        return shard_decode_iq2_xs;
    case SHARD_TYPE_IQ2_S:
        return shard_decode_iq2_s;
    case SHARD_TYPE_IQ3_XXS:
        return shard_decode_iq3_xxs;
    case SHARD_TYPE_IQ3_S:
        return shard_decode_iq3_s;
    default:
        return NULL;
    }
}

static void decode_floats(uint32_t type, const uint8_t *restrict bytes, size_t count, float *restrict output) {
    switch (type) {
    case SHARD_TYPE_F32:
        memcpy(output, bytes, count * sizeof *output);
        break;
    case SHARD_TYPE_F16:
        for (size_t i = 0; i < count; i++) {
            output[i] = f32_from_f16_bits(load_u16(bytes + 2 * i));
        }
        break;
    case SHARD_TYPE_BF16:
        for (size_t i = 0; i < count; i++) {
            output[i] = f32_from_bf16_bits(load_u16(bytes + 2 * i));
        }
        break;
    }
}

void shard_decode_row(uint32_t type, const void *restrict row, size_t column_count, float *restrict output) {
    shard_block_decoder *decode = block_decoder(type);
    if (decode == NULL) {
        decode_floats(type, row, column_count, output);
        return;
    }
    shard_layout layout = shard_block_layout(type);
    const uint8_t *bytes = row;
    for (size_t i = 0; i < column_count; i += layout.elements, bytes += layout.bytes) {
        decode(bytes, output + i);
    }
}
