// Looks over whole rows: the largest element, and whether all are finite.

size_t NAME(argmax)(const float *x, size_t count) {
    f32x16 lanes = f32_set(-INFINITY);
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        lanes = f32_larger(f32_load(x + i), lanes);
    }
    float maximum = f32_largest(lanes);
    for (; i < count; i++) {
        maximum = x[i] > maximum ? x[i] : maximum;
    }
    if (maximum == -INFINITY) {
        return 0;
    }
    for (i = 0; x[i] != maximum; i++) {
    }
    return i;
}

bool NAME(all_finite)(const float *x, size_t count) {
    i32x16 largest = i32_set(0); // magnitudes compare as integers
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        largest = i32_larger(i32_and(i32_bits(f32_load(x + i)), i32_set(0x7fffffff)), largest);
    }
    if (i < count) {
        f32x16 rest = f32_load_first(x + i, count - i);
        largest = i32_larger(i32_and(i32_bits(rest), i32_set(0x7fffffff)), largest);
    }
    return i32_largest(largest) < 0x7f800000;
}
