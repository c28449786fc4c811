// Seeded inputs, the same on every machine: integers and their exact conversions only.
#ifndef INPUTS_H
#define INPUTS_H

#include "shard_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// SplitMix64.
static uint64_t random_next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/// Multiples of 2^−20 in [−limit, limit), limit a power of two; now and then zero or a denormal.
static float random_float(uint64_t *state, float limit) {
    uint64_t bits = random_next(state);
    float value = (float)((int32_t)(bits & 0x1fffff) - 0x100000) * 0x1p-20f * limit;
    switch (bits >> 58) {
    case 0:
        return value * 0x1p-130f;
    case 1:
        return bits & 1 << 30 ? 0.0f : -0.0f;
    default:
        return value;
    }
}

static void fill_floats(float *x, size_t count, float limit, uint64_t seed) {
    for (size_t i = 0; i < count; i++) {
        x[i] = random_float(&seed, limit);
    }
}

static const uint32_t all_types[] = {
    SHARD_TYPE_F32,    SHARD_TYPE_F16,     SHARD_TYPE_BF16,  SHARD_TYPE_Q8_0,    SHARD_TYPE_Q4_0,
    SHARD_TYPE_Q4_1,   SHARD_TYPE_Q5_0,    SHARD_TYPE_Q5_1,  SHARD_TYPE_IQ4_NL,  SHARD_TYPE_MXFP4,
    SHARD_TYPE_Q2_K,   SHARD_TYPE_Q3_K,    SHARD_TYPE_Q4_K,  SHARD_TYPE_Q5_K,    SHARD_TYPE_Q6_K,
    SHARD_TYPE_IQ4_XS, SHARD_TYPE_IQ1_S,   SHARD_TYPE_IQ1_M, SHARD_TYPE_IQ2_XXS, SHARD_TYPE_IQ2_XS,
    SHARD_TYPE_IQ2_S,  SHARD_TYPE_IQ3_XXS, SHARD_TYPE_IQ3_S, SHARD_TYPE_TQ1_0,   SHARD_TYPE_TQ2_0,
};

/// Columns of one block.
static size_t block_columns(uint32_t type) {
    return shard_columns_are_whole(type, 1) ? 1 : shard_columns_are_whole(type, 32) ? 32 : 256;
}

/// Where a block's f16 scale lies.
static size_t scale_offset(uint32_t type) {
    switch (type) {
    case SHARD_TYPE_Q2_K:
        return 80;
    case SHARD_TYPE_Q3_K:
        return 108;
    case SHARD_TYPE_Q6_K:
        return 208;
    case SHARD_TYPE_TQ1_0:
        return 52;
    case SHARD_TYPE_TQ2_0:
        return 64;
    default:
        return 0;
    }
}

/// Random rows as a file stores them, with scales that are finite.
static void fill_rows(uint32_t type, uint8_t *rows, size_t size, uint64_t seed) {
    size_t block = shard_row_bytes(type, block_columns(type));
    for (size_t i = 0; i < size; i += block) {
        float value = random_float(&seed, 1);
        uint16_t half = shard_f16_from_f32(value * 0x1p-4f), brain = shard_bf16_from_f32(value);
        for (size_t b = 0; b < block; b++) {
            rows[i + b] = (uint8_t)random_next(&seed);
        }
        switch (type) {
        case SHARD_TYPE_F32:
            memcpy(rows + i, &value, 4);
            break;
        case SHARD_TYPE_BF16:
            memcpy(rows + i, &brain, 2);
            break;
        case SHARD_TYPE_MXFP4:
            rows[i] = 120 + rows[i] % 8;
            break;
        case SHARD_TYPE_IQ1_M: // the scale lies in the high nibbles of four numbers
            for (size_t part = 0; part < 4; part++) {
                rows[i + 49 + 2 * part] = (uint8_t)((rows[i + 49 + 2 * part] & 15) | (half >> 4 * part & 15) << 4);
            }
            break;
        case SHARD_TYPE_Q4_1:
        case SHARD_TYPE_Q5_1:
        case SHARD_TYPE_Q2_K:
        case SHARD_TYPE_Q4_K:
        case SHARD_TYPE_Q5_K:
            memcpy(rows + i + scale_offset(type), &half, 2);
            half = shard_f16_from_f32(random_float(&seed, 1) * 0x1p-4f);
            memcpy(rows + i + scale_offset(type) + 2, &half, 2);
            break;
        default:
            memcpy(rows + i + scale_offset(type), &half, 2);
            break;
        }
    }
}

static void *allocate(size_t size) {
    void *memory = aligned_alloc(64, (size + 127) / 64 * 64);
    if (memory == NULL) {
        fprintf(stderr, "harness: out of memory: %zu bytes\n", size);
        exit(1);
    }
    memset(memory, 0, (size + 127) / 64 * 64);
    return memory;
}

#endif
