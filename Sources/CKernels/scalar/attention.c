// Attention position by position: what the header's `store`, `attend` and `merge` say.
#pragma STDC FP_CONTRACT OFF

#include "../kernels.h"
#include "cache.h"
#include "functions.h"

size_t shard_cache_head_bytes(uint32_t cache_type, size_t head_dim) {
    size_t scales = cache_type == SHARD_TYPE_Q8_0 ? 2 * SHARD_BLOCK_POSITIONS * cache_scale_count(head_dim) : 0;
    return 2 * cache_values_offset(cache_type, head_dim) + 2 * scales;
}

static void set_cache_element(uint8_t *elements, uint32_t cache_type, size_t index, float value) {
    if (cache_type == SHARD_TYPE_F16) {
        uint16_t half = f16_bits_from_f32(value);
        memcpy(elements + index * 2, &half, sizeof half);
    } else {
        memcpy(elements + index * 4, &value, sizeof value);
    }
}

void store_scalar(const float *restrict key, const float *restrict value, size_t position, uint32_t cache_type,
                  size_t head_dim, void *restrict head_area) {
    size_t slot = position % SHARD_BLOCK_POSITIONS;
    if (cache_type == SHARD_TYPE_Q8_0) {
        store_q8_0(key, value, slot, head_dim, head_area);
        return;
    }
    uint8_t *values = (uint8_t *)head_area + cache_values_offset(cache_type, head_dim);
    for (size_t d = 0; d < head_dim; d++) {
        set_cache_element(head_area, cache_type, cache_key_index(head_dim, slot, d), key[d]);
        set_cache_element(values, cache_type, cache_value_index(head_dim, slot, d), value[d]);
    }
}

static float larger(float a, float b) {
    return a > b ? a : b;
}

/// One query head over slots [first, end) of one block; `partial` is updated.
static void attend_block(const shard_attention *attention, const float *query, const uint8_t *area, size_t first,
                         size_t end, float *partial) {
    size_t head_dim = attention->head_dim;
    float scores[SHARD_BLOCK_POSITIONS], maximum = partial[0], sums[16] = {0};
    for (size_t slot = first; slot < end; slot++) {
        float score = 0;
        for (size_t d = 0; d < head_dim; d++) {
            score = fmaf(query[d], cache_key(area, attention->cache_type, head_dim, slot, d), score);
        }
        scores[slot] = score * attention->scale;
        maximum = larger(scores[slot], maximum);
    }
    maximum += 0.0f; // −0 becomes 0, so that no order of comparing shows
    for (size_t slot = first; slot < end; slot++) {
        scores[slot] = exp_f32(scores[slot] - maximum);
        sums[slot % 16] += scores[slot];
    }
    for (size_t half = 8; half >= 1; half /= 2) {
        for (size_t i = 0; i < half; i++) {
            sums[i] += sums[i + half];
        }
    }
    float correction = exp_f32(partial[0] - maximum);
    partial[0] = maximum;
    partial[1] = partial[1] * correction + sums[0];
    for (size_t d = 0; d < head_dim; d++) {
        float sum = partial[2 + d] * correction;
        for (size_t slot = first; slot < end; slot++) {
            sum = fmaf(scores[slot], cache_value(area, attention->cache_type, head_dim, slot, d), sum);
        }
        partial[2 + d] = sum;
    }
}

void attend_scalar(const shard_attention *attention) {
    for (size_t h = 0; h < attention->query_count; h++) {
        const float *query = attention->queries + h * attention->query_stride;
        float *partial = attention->partials + h * attention->partial_stride;
        partial[0] = -INFINITY;
        memset(partial + 1, 0, (1 + attention->head_dim) * sizeof *partial);
        for (size_t p = attention->position_first; p < attention->position_end;) {
            size_t block = p / SHARD_BLOCK_POSITIONS, start = block * SHARD_BLOCK_POSITIONS;
            size_t end = start + SHARD_BLOCK_POSITIONS;
            end = end < attention->position_end ? end : attention->position_end;
            const uint8_t *area = (const uint8_t *)attention->blocks[block] + attention->head_offset;
            attend_block(attention, query, area, p - start, end - start, partial);
            p = end;
        }
    }
}

void merge_scalar(const float *restrict partials, size_t span_count, size_t span_stride, size_t head_dim,
                  float *restrict output) {
    float maximum = partials[0], sum = partials[1];
    for (size_t d = 0; d < head_dim; d++) {
        output[d] = partials[2 + d];
    }
    for (size_t s = 1; s < span_count; s++) {
        const float *partial = partials + s * span_stride;
        float both = larger(partial[0], maximum);
        float before = exp_f32(maximum - both), here = exp_f32(partial[0] - both);
        maximum = both;
        sum = fmaf(partial[1], here, sum * before);
        for (size_t d = 0; d < head_dim; d++) {
            output[d] = fmaf(partial[2 + d], here, output[d] * before);
        }
    }
    for (size_t d = 0; d < head_dim; d++) {
        output[d] = output[d] / sum;
    }
}
