// Half precision over arrays.

void NAME(f32_from_f16)(const uint16_t *restrict x, size_t count, float *restrict output) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        f32_store(output + i, f32_load_f16(x + i));
    }
    for (; i < count; i++) {
        output[i] = f32_from_f16_bits(x[i]);
    }
}

void NAME(f16_from_f32)(const float *restrict x, size_t count, uint16_t *restrict output) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        f32_store_f16(output + i, f32_load(x + i));
    }
    for (; i < count; i++) {
        output[i] = f16_bits_from_f32(x[i]);
    }
}

void NAME(f32_from_bf16)(const uint16_t *restrict x, size_t count, float *restrict output) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        f32_store(output + i, f32_load_bf16(x + i));
    }
    for (; i < count; i++) {
        output[i] = f32_from_bf16_bits(x[i]);
    }
}

void NAME(bf16_from_f32)(const float *restrict x, size_t count, uint16_t *restrict output) {
    for (size_t i = 0; i < count; i++) {
        output[i] = bf16_bits_from_f32(x[i]);
    }
}
