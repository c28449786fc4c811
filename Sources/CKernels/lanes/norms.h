// Norms and sums of rows.

void NAME(rms_norm)(const float *x, const float *weight, size_t count, float epsilon, float *output) {
    float partials[16];
    f32x16 squares = f32_set(0.0f);
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        f32x16 value = f32_load(x + i);
        squares = f32_fma(value, value, squares);
    }
    f32_store(partials, squares);
    for (; i < count; i++) { // skipped lanes stay as they are
        partials[i % 16] = fmaf(x[i], x[i], partials[i % 16]);
    }
    float mean = f32_sum(f32_load(partials)) / (float)count;
    float factor = 1.0f / sqrtf(mean + epsilon);
    for (i = 0; i + 16 <= count; i += 16) {
        f32_store(output + i, f32_mul(f32_mul(f32_load(x + i), f32_set(factor)), f32_load(weight + i)));
    }
    for (; i < count; i++) {
        output[i] = (x[i] * factor) * weight[i];
    }
}

void NAME(add)(const float *a, const float *b, size_t count, float *output) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        f32_store(output + i, f32_add(f32_load(a + i), f32_load(b + i)));
    }
    for (; i < count; i++) {
        output[i] = a[i] + b[i];
    }
}

void NAME(add_scaled)(const float *a, float factor, const float *b, size_t count, float *output) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        f32_store(output + i, f32_fma(f32_load(a + i), f32_set(factor), f32_load(b + i)));
    }
    for (; i < count; i++) {
        output[i] = fmaf(a[i], factor, b[i]);
    }
}
