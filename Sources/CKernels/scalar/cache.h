// One head's area of a cache block, element by element; shard_kernels.h gives the layout.
#ifndef SHARD_SCALAR_CACHE_H
#define SHARD_SCALAR_CACHE_H

#include "../include/shard_kernels.h"
#include "conversions.h"

#include <math.h>

/// Consecutive dimensions of q8_0 keys and values that share a scale.
enum { CACHE_SCALE_ELEMENTS = 32 };

static inline size_t cache_element_bytes(uint32_t cache_type) {
    return cache_type == SHARD_TYPE_F16 ? 2 : cache_type == SHARD_TYPE_Q8_0 ? 1 : 4;
}

/// Scales of one position's key or value.
static inline size_t cache_scale_count(size_t head_dim) {
    return (head_dim + CACHE_SCALE_ELEMENTS - 1) / CACHE_SCALE_ELEMENTS;
}

/// Index of an element among the keys, and among the values.
static inline size_t cache_key_index(size_t head_dim, size_t slot, size_t dimension) {
    return slot / 16 * 16 * head_dim + dimension * 16 + slot % 16;
}
static inline size_t cache_value_index(size_t head_dim, size_t slot, size_t dimension) {
    return slot * head_dim + dimension;
}

/// Bytes before the values.
static inline size_t cache_values_offset(uint32_t cache_type, size_t head_dim) {
    return SHARD_BLOCK_POSITIONS * head_dim * cache_element_bytes(cache_type);
}

/// Bytes before the scale of a key or value of q8_0: those of 16 keys lie side by side.
static inline size_t cache_key_scale_offset(size_t head_dim, size_t slot, size_t dimension) {
    size_t index = (slot / 16 * cache_scale_count(head_dim) + dimension / CACHE_SCALE_ELEMENTS) * 16 + slot % 16;
    return 2 * SHARD_BLOCK_POSITIONS * head_dim + 2 * index;
}
static inline size_t cache_value_scale_offset(size_t head_dim, size_t slot, size_t dimension) {
    size_t keys = SHARD_BLOCK_POSITIONS * cache_scale_count(head_dim);
    size_t index = keys + slot * cache_scale_count(head_dim) + dimension / CACHE_SCALE_ELEMENTS;
    return 2 * SHARD_BLOCK_POSITIONS * head_dim + 2 * index;
}

static inline float cache_value_scale(const uint8_t *area, size_t head_dim, size_t slot, size_t dimension) {
    return f32_from_f16_bits(load_u16(area + cache_value_scale_offset(head_dim, slot, dimension)));
}

/// An element that is stored as it is, or, of q8_0, its integer.
static inline float cache_element(const uint8_t *elements, uint32_t cache_type, size_t index) {
    switch (cache_type) {
    case SHARD_TYPE_F16:
        return f32_from_f16_bits(load_u16(elements + index * 2));
    case SHARD_TYPE_Q8_0:
        return (float)(int8_t)elements[index];
    default:
        return load_f32(elements + index * 4);
    }
}

static inline float cache_key(const uint8_t *area, uint32_t cache_type, size_t head_dim, size_t slot,
                              size_t dimension) {
    float element = cache_element(area, cache_type, cache_key_index(head_dim, slot, dimension));
    if (cache_type != SHARD_TYPE_Q8_0) {
        return element;
    }
    return f32_from_f16_bits(load_u16(area + cache_key_scale_offset(head_dim, slot, dimension))) * element;
}

static inline float cache_value(const uint8_t *area, uint32_t cache_type, size_t head_dim, size_t slot,
                                size_t dimension) {
    const uint8_t *values = area + cache_values_offset(cache_type, head_dim);
    float element = cache_element(values, cache_type, cache_value_index(head_dim, slot, dimension));
    return cache_type == SHARD_TYPE_Q8_0 ? cache_value_scale(area, head_dim, slot, dimension) * element : element;
}

/// The scale of `count` (at most 32) elements as f16 bits, and their integers; see `store` in shard_kernels.h.
static inline uint16_t quantize_cache(const float *x, size_t count, int8_t *integers) {
    uint32_t largest = 0; // magnitudes compare as integers, NaN above all
    for (size_t i = 0; i < count; i++) {
        uint32_t magnitude = bits_from_float(x[i]) & 0x7fffffff;
        largest = magnitude > largest ? magnitude : largest;
    }
    uint16_t bits = largest < 0x7f800000 ? f16_bits_from_f32(float_from_bits(largest) / 127.0f) : 0x7e00;
    float scale = f32_from_f16_bits(bits);
    bool has_integers = scale > 0 && scale < INFINITY;
    float inverse = has_integers ? 1.0f / scale : 0.0f;
    for (size_t i = 0; i < count; i++) {
        float nearest = has_integers ? rintf(x[i] * inverse) : 0.0f;
        integers[i] = (int8_t)(nearest > 127 ? 127 : nearest < -127 ? -127 : nearest);
    }
    return bits;
}

/// Writes one position's key and value of q8_0.
static inline void store_q8_0(const float *key, const float *value, size_t slot, size_t head_dim, uint8_t *area) {
    int8_t integers[CACHE_SCALE_ELEMENTS];
    uint8_t *values = area + cache_values_offset(SHARD_TYPE_Q8_0, head_dim);
    for (size_t first = 0; first < head_dim; first += CACHE_SCALE_ELEMENTS) {
        size_t count = head_dim - first < CACHE_SCALE_ELEMENTS ? head_dim - first : CACHE_SCALE_ELEMENTS;
        uint16_t scale = quantize_cache(key + first, count, integers);
        memcpy(area + cache_key_scale_offset(head_dim, slot, first), &scale, sizeof scale);
        for (size_t i = 0; i < count; i++) {
            area[cache_key_index(head_dim, slot, first + i)] = (uint8_t)integers[i];
        }
        scale = quantize_cache(value + first, count, integers);
        memcpy(area + cache_value_scale_offset(head_dim, slot, first), &scale, sizeof scale);
        memcpy(values + cache_value_index(head_dim, slot, first), integers, count);
    }
}

#endif
