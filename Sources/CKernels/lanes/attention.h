// Attention: lanes are positions for scores, head dimensions for values.

#include "../scalar/cache.h"
#include "functions.h"

/// 16 elements from `index` on as f32; those of q8_0 still without their scale.
INLINE f32x16 load_cache(const uint8_t *elements, uint32_t cache_type, size_t index) {
    switch (cache_type) {
    case SHARD_TYPE_F16:
        return f32_load_f16((const void *)(elements + index * 2));
    case SHARD_TYPE_Q8_0:
        return f32_from_i32(i32_load_i8((const void *)(elements + index)));
    default:
        return f32_load((const void *)(elements + index * 4));
    }
}

/// One block's visible slots [first, end), for a few query heads: scores become probabilities in `scores`.
typedef struct block_work {
    const shard_attention *attention;
    const uint8_t *area;
    /// The head's area in the next block, NULL after the last.
    const uint8_t *next_area;
    size_t first, end;
} block_work;

/// Asks for `count` cache lines from line `first` on; nothing where there is no address.
INLINE void fetch_lines(const uint8_t *address, size_t first, const size_t count) {
    if (address != NULL) {
        for (size_t i = first; i < first + count; i++) {
            __builtin_prefetch(address + i * 64, 0, 2);
        }
    }
}

/// Scores of `tiles` × 16 slots from tile `tile` on, for `queries` query heads; meanwhile the values are fetched.
INLINE void score_tiles(const block_work *work, size_t head, uint32_t cache_type, const size_t queries, size_t tile,
                        const size_t tiles, float (*scores)[SHARD_BLOCK_POSITIONS]) {
    const shard_attention *attention = work->attention;
    const size_t head_dim = attention->head_dim, element_bytes = cache_element_bytes(cache_type);
    const float *query = attention->queries + head * attention->query_stride;
    const uint8_t *keys = work->area, *values = keys + cache_values_offset(cache_type, head_dim);
    f32x16 sums[SHARD_ATTENTION_SUMS];
    for (size_t i = 0; i < queries * tiles; i++) {
        sums[i] = f32_set(0.0f);
    }
    for (size_t first = 0; first < head_dim; first += CACHE_SCALE_ELEMENTS) {
        size_t end = first + CACHE_SCALE_ELEMENTS < head_dim ? first + CACHE_SCALE_ELEMENTS : head_dim;
        f32x16 scales[4];
        if (cache_type == SHARD_TYPE_Q8_0) {
            for (size_t t = 0; t < tiles; t++) {
                scales[t] =
                    f32_load_f16((const void *)(keys + cache_key_scale_offset(head_dim, (tile + t) * 16, first)));
            }
        }
        for (size_t d = first; d < end; d++) {
            if (tiles > 1) {
                fetch_lines(values, d * element_bytes, element_bytes);
            }
            for (size_t t = 0; t < tiles; t++) {
                f32x16 tile_keys = load_cache(keys, cache_type, ((tile + t) * head_dim + d) * 16);
                if (cache_type == SHARD_TYPE_Q8_0) {
                    tile_keys = f32_mul(scales[t], tile_keys);
                }
                for (size_t q = 0; q < queries; q++) {
                    f32x16 element = f32_set(query[q * attention->query_stride + d]);
                    sums[q * tiles + t] = f32_fma(element, tile_keys, sums[q * tiles + t]);
                }
            }
        }
    }
    for (size_t q = 0; q < queries; q++) {
        for (size_t t = 0; t < tiles; t++) {
            f32_store(&scores[q][(tile + t) * 16], f32_mul(sums[q * tiles + t], f32_set(attention->scale)));
        }
    }
}

/// Turns one head's scores into probabilities, updates its maximum and sum, returns the accumulator's correction.
INLINE float soften(const block_work *work, float *scores, float *partial) {
    size_t tile_first = work->first / 16, tile_end = (work->end + 15) / 16;
    for (size_t slot = tile_first * 16; slot < work->first; slot++) {
        scores[slot] = -INFINITY; // neither the maximum nor, with probability 0, the sum sees it
    }
    for (size_t slot = work->end; slot < tile_end * 16; slot++) {
        scores[slot] = -INFINITY;
    }
    f32x16 largest = f32_set(-INFINITY), sums = f32_set(0.0f);
    for (size_t t = tile_first; t < tile_end; t++) {
        largest = f32_larger(f32_load(scores + t * 16), largest);
    }
    float maximum = f32_largest(largest);
    maximum = (maximum > partial[0] ? maximum : partial[0]) + 0.0f;
    for (size_t t = tile_first; t < tile_end; t++) {
        f32x16 probabilities = lanes_exp(f32_sub(f32_load(scores + t * 16), f32_set(maximum)));
        f32_store(scores + t * 16, probabilities);
        sums = f32_add(sums, probabilities);
    }
    float correction = exp_f32(partial[0] - maximum);
    float kept = partial[1] * correction;
    partial[0] = maximum;
    partial[1] = kept + f32_sum(sums);
    return correction;
}

/// Adds the visible values' `chunks` × 16 dimensions from `dimension` on to the accumulators; meanwhile the next
/// block's keys are fetched.
INLINE void add_values(const block_work *work, size_t head, uint32_t cache_type, const size_t queries, size_t dimension,
                       const size_t chunks, const float (*scores)[SHARD_BLOCK_POSITIONS], const float *corrections) {
    const size_t head_dim = work->attention->head_dim, stride = work->attention->partial_stride;
    const size_t element_bytes = cache_element_bytes(cache_type);
    const uint8_t *values = work->area + cache_values_offset(cache_type, head_dim);
    float *accumulator = work->attention->partials + head * stride + 2 + dimension;
    f32x16 sums[SHARD_ATTENTION_SUMS];
    for (size_t q = 0; q < queries; q++) {
        for (size_t c = 0; c < chunks; c++) {
            sums[q * chunks + c] = f32_mul(f32_load(accumulator + q * stride + c * 16), f32_set(corrections[q]));
        }
    }
    for (size_t slot = work->first; slot < work->end; slot++) {
        if (chunks > 1) {
            fetch_lines(work->next_area, (slot * head_dim + dimension) * element_bytes / 64,
                        chunks * element_bytes / 4);
        }
        for (size_t c = 0; c < chunks; c++) {
            size_t d = dimension + c * 16;
            f32x16 slot_values = load_cache(values, cache_type, slot * head_dim + d);
            if (cache_type == SHARD_TYPE_Q8_0) {
                slot_values = f32_mul(f32_set(cache_value_scale(work->area, head_dim, slot, d)), slot_values);
            }
            for (size_t q = 0; q < queries; q++) {
                sums[q * chunks + c] = f32_fma(f32_set(scores[q][slot]), slot_values, sums[q * chunks + c]);
            }
        }
    }
    for (size_t q = 0; q < queries; q++) {
        for (size_t c = 0; c < chunks; c++) {
            f32_store(accumulator + q * stride + c * 16, sums[q * chunks + c]);
        }
    }
}

/// The same for the last, fewer than 16, dimensions.
INLINE void add_last_values(const block_work *work, size_t head, uint32_t cache_type, size_t dimension,
                            const float *scores, float correction) {
    size_t head_dim = work->attention->head_dim;
    float *accumulator = work->attention->partials + head * work->attention->partial_stride + 2;
    for (size_t d = dimension; d < head_dim; d++) {
        float sum = accumulator[d] * correction;
        for (size_t slot = work->first; slot < work->end; slot++) {
            sum = fmaf(scores[slot], cache_value(work->area, cache_type, head_dim, slot, d), sum);
        }
        accumulator[d] = sum;
    }
}

/// One block for `queries` (1, 2 or 4) query heads from `head` on: enough independent sums to hide the latency of an
/// fma.
INLINE void attend_block(const block_work *work, size_t head, uint32_t cache_type, const size_t queries) {
    float scores[4][SHARD_BLOCK_POSITIONS], corrections[4];
    const size_t sums = SHARD_ATTENTION_SUMS / queries, wide = sums < 4 ? sums : 4;
    size_t tile = work->first / 16, tile_end = (work->end + 15) / 16, head_dim = work->attention->head_dim;
    for (; tile + wide <= tile_end; tile += wide) {
        score_tiles(work, head, cache_type, queries, tile, wide, scores);
    }
    for (; tile < tile_end; tile++) {
        score_tiles(work, head, cache_type, queries, tile, 1, scores);
    }
    for (size_t q = 0; q < queries; q++) {
        float *partial = work->attention->partials + (head + q) * work->attention->partial_stride;
        corrections[q] = soften(work, scores[q], partial);
    }
    size_t dimension = 0;
    for (; dimension + wide * 16 <= head_dim; dimension += wide * 16) {
        add_values(work, head, cache_type, queries, dimension, wide, scores, corrections);
    }
    for (; dimension + 16 <= head_dim; dimension += 16) {
        add_values(work, head, cache_type, queries, dimension, 1, scores, corrections);
    }
    for (size_t q = 0; q < queries; q++) {
        add_last_values(work, head + q, cache_type, dimension, scores[q], corrections[q]);
    }
}

INLINE void attend_heads(const block_work *work, uint32_t cache_type) {
    size_t head = 0, count = work->attention->query_count;
    for (; head + 4 <= count; head += 4) {
        attend_block(work, head, cache_type, 4);
    }
    for (; head + 2 <= count; head += 2) {
        attend_block(work, head, cache_type, 2);
    }
    for (; head < count; head++) {
        attend_block(work, head, cache_type, 1);
    }
}

void NAME(attend)(const shard_attention *attention) {
    for (size_t h = 0; h < attention->query_count; h++) {
        float *partial = attention->partials + h * attention->partial_stride;
        partial[0] = -INFINITY;
        memset(partial + 1, 0, (1 + attention->head_dim) * sizeof *partial);
    }
    for (size_t p = attention->position_first; p < attention->position_end;) {
        size_t block = p / SHARD_BLOCK_POSITIONS, start = block * SHARD_BLOCK_POSITIONS;
        size_t end = start + SHARD_BLOCK_POSITIONS;
        end = end < attention->position_end ? end : attention->position_end;
        const uint8_t *area = (const uint8_t *)attention->blocks[block] + attention->head_offset;
        const void *next = end < attention->position_end ? attention->blocks[block + 1] : NULL;
        const uint8_t *next_area = next != NULL ? (const uint8_t *)next + attention->head_offset : NULL;
        block_work work = {attention, area, next_area, p - start, end - start};
        switch (attention->cache_type) {
        case SHARD_TYPE_F16:
            attend_heads(&work, SHARD_TYPE_F16);
            break;
        case SHARD_TYPE_Q8_0:
            attend_heads(&work, SHARD_TYPE_Q8_0);
            break;
        default:
            attend_heads(&work, SHARD_TYPE_F32);
            break;
        }
        p = end;
    }
}
