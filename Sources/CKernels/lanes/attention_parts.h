// What comes before and after attention: writing the cache, merging spans.

#include "../scalar/cache.h"
#include "partial.h"

INLINE void store_elements(const float *key, const float *value, size_t slot, size_t head_dim, float *area) {
    float *keys = area + slot / 16 * 16 * head_dim + slot % 16;
    for (size_t d = 0; d < head_dim; d++) {
        keys[d * 16] = key[d];
    }
    memcpy(area + (SHARD_BLOCK_POSITIONS + slot) * head_dim, value, head_dim * sizeof *value);
}

INLINE void store_halves(const float *key, const float *value, size_t slot, size_t head_dim, uint16_t *area) {
    uint16_t *keys = area + slot / 16 * 16 * head_dim + slot % 16;
    uint16_t *values = area + (SHARD_BLOCK_POSITIONS + slot) * head_dim;
    uint16_t halves[16];
    for (size_t d = 0; d < head_dim; d += 16) {
        size_t count = head_dim - d < 16 ? head_dim - d : 16;
        f32_store_f16(halves, f32_load_first(value + d, count));
        memcpy(values + d, halves, count * sizeof *halves);
        f32_store_f16(halves, f32_load_first(key + d, count));
        for (size_t i = 0; i < count; i++) {
            keys[(d + i) * 16] = halves[i];
        }
    }
}

void NAME(store)(const float *restrict key, const float *restrict value, size_t position, uint32_t cache_type,
                 size_t head_dim, void *restrict head_area) {
    size_t slot = position % SHARD_BLOCK_POSITIONS;
    switch (cache_type) {
    case SHARD_TYPE_F16:
        return store_halves(key, value, slot, head_dim, head_area);
    case SHARD_TYPE_Q8_0:
        return store_q8_0(key, value, slot, head_dim, head_area);
    default:
        return store_elements(key, value, slot, head_dim, head_area);
    }
}

void NAME(merge)(const float *restrict partials, size_t span_count, size_t span_stride, size_t head_dim,
                 float *restrict output) {
    float maximum = partials[0], sum = partials[1];
    memcpy(output, partials + 2, head_dim * sizeof *output);
    for (size_t s = 1; s < span_count; s++) {
        const float *partial = partials + s * span_stride;
        float both = partial[0] > maximum ? partial[0] : maximum;
        float before = exp_f32(maximum - both), here = exp_f32(partial[0] - both);
        maximum = both;
        sum = fmaf(partial[1], here, sum * before);
        size_t d = 0;
        for (; d + 16 <= head_dim; d += 16) {
            f32x16 kept = f32_mul(f32_load(output + d), f32_set(before));
            f32_store(output + d, f32_fma(f32_load(partial + 2 + d), f32_set(here), kept));
        }
        for (; d < head_dim; d++) {
            float kept = output[d] * before;
            output[d] = fmaf(partial[2 + d], here, kept);
        }
    }
    size_t d = 0;
    for (; d + 16 <= head_dim; d += 16) {
        f32_store(output + d, f32_div(f32_load(output + d), f32_set(sum)));
    }
    for (; d < head_dim; d++) {
        output[d] = output[d] / sum;
    }
}
