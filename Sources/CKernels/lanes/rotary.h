// Rotation of heads by their token's angles.

INLINE void rotate_halves(float *head, size_t pair_count, const float *cosines, const float *sines) {
    size_t i = 0;
    for (; i + 16 <= pair_count; i += 16) {
        f32x16 a = f32_load(head + i), b = f32_load(head + pair_count + i);
        f32x16 cosine = f32_load(cosines + i), sine = f32_load(sines + i);
        f32_store(head + i, f32_sub(f32_mul(a, cosine), f32_mul(b, sine)));
        f32_store(head + pair_count + i, f32_add(f32_mul(b, cosine), f32_mul(a, sine)));
    }
    if (i < pair_count) {
        size_t rest = pair_count - i;
        f32x16 a = f32_load_first(head + i, rest), b = f32_load_first(head + pair_count + i, rest);
        f32x16 cosine = f32_load_first(cosines + i, rest), sine = f32_load_first(sines + i, rest);
        f32_store_first(head + i, rest, f32_sub(f32_mul(a, cosine), f32_mul(b, sine)));
        f32_store_first(head + pair_count + i, rest, f32_add(f32_mul(b, cosine), f32_mul(a, sine)));
    }
}

INLINE void rotate_adjacent(float *head, size_t pair_count, const float *cosines, const float *sines) {
    for (size_t i = 0; i < pair_count; i++) {
        float a = head[2 * i], b = head[2 * i + 1];
        float a_cosine = a * cosines[i], b_sine = b * sines[i];
        float b_cosine = b * cosines[i], a_sine = a * sines[i];
        head[2 * i] = a_cosine - b_sine;
        head[2 * i + 1] = b_cosine + a_sine;
    }
}

void NAME(rotate)(float *restrict heads, size_t head_count, size_t head_stride, size_t pair_count, uint32_t pairs,
                  const float *restrict cosines, const float *restrict sines) {
    for (size_t h = 0; h < head_count; h++) {
        if (pairs == SHARD_PAIRS_HALVES) {
            rotate_halves(heads + h * head_stride, pair_count, cosines, sines);
        } else {
            rotate_adjacent(heads + h * head_stride, pair_count, cosines, sines);
        }
    }
}
