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

static const uint32_t all_types[7] = {
    SHARD_TYPE_F32, SHARD_TYPE_F16, SHARD_TYPE_BF16, SHARD_TYPE_Q8_0, SHARD_TYPE_Q4_0, SHARD_TYPE_Q4_K, SHARD_TYPE_Q6_K,
};

/// Random rows as a file stores them, with scales that are finite.
static void fill_rows(uint32_t type, uint8_t *rows, size_t size, uint64_t seed) {
    size_t block = shard_row_bytes(type, type == SHARD_TYPE_F32 || type == SHARD_TYPE_F16 || type == SHARD_TYPE_BF16 ? 1
                                         : type == SHARD_TYPE_Q8_0 || type == SHARD_TYPE_Q4_0 ? 32
                                                                                              : 256);
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
        case SHARD_TYPE_Q4_K:
            memcpy(rows + i, &half, 2);
            half = shard_f16_from_f32(random_float(&seed, 1) * 0x1p-4f);
            memcpy(rows + i + 2, &half, 2);
            break;
        case SHARD_TYPE_Q6_K:
            memcpy(rows + i + 208, &half, 2);
            break;
        default:
            memcpy(rows + i, &half, 2);
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
