// Activations in 8 bits.

/// Quantises 16 × `parts` elements with one scale, which it returns; `sums` are those of each 16 values.
INLINE float quantize_parts(const float *x, const size_t parts, int8_t *values, int32_t *sums) {
    i32x16 magnitudes = i32_set(0);
    for (size_t p = 0; p < parts; p++) {
        magnitudes = i32_larger(i32_and(i32_bits(f32_load(x + p * 16)), i32_set(0x7fffffff)), magnitudes);
    }
    uint32_t largest = (uint32_t)i32_largest(magnitudes);
    float scale = float_from_bits(largest) / 127.0f;
    bool finite = largest < 0x7f800000;
    if (!finite || scale < 0x1p-126f) {
        memset(values, 0, parts * 16);
        memset(sums, 0, parts * sizeof *sums);
        return finite ? 0.0f : float_from_bits(0x7fc00000);
    }
    f32x16 inverse = f32_set(1.0f / scale);
    for (size_t p = 0; p < parts; p++) {
        i32x16 rounded = i32_from_f32(f32_mul(f32_load(x + p * 16), inverse));
        i32_store_i8(values + p * 16, rounded);
        sums[p] = i32_sum(rounded);
    }
    return scale;
}

void NAME(quantize)(uint32_t kind, const float *restrict x, size_t column_count, size_t panel_rows,
                    void *restrict output) {
    int32_t sums[16];
    if (kind == SHARD_ACTIVATION_Q8_32) {
        block_a8_32 *block = output;
        for (size_t b = 0; b < column_count / 32; b++, block += panel_rows) {
            block->scale = quantize_parts(x + b * 32, 2, block->values, sums);
            block->sum = sums[0] + sums[1];
        }
    } else if (kind == SHARD_ACTIVATION_Q8_256) {
        block_a8_256 *block = output;
        for (size_t b = 0; b < column_count / 256; b++, block += panel_rows) {
            block->scale = quantize_parts(x + b * 256, 16, block->values, sums);
            for (size_t s = 0; s < 16; s++) {
                block->sums16[s] = (int16_t)sums[s];
            }
            for (size_t s = 0; s < 8; s++) {
                block->sums32[s] = (int16_t)(sums[2 * s] + sums[2 * s + 1]);
            }
        }
    } else if (panel_rows == 1) {
        memcpy(output, x, column_count * sizeof *x);
    } else {
        float *first = output;
        for (size_t c = 0; c < column_count; c++) {
            first[c * panel_rows] = x[c];
        }
    }
}
