// The last few elements of a row, fewer than 16.
#ifndef SHARD_LANES_PARTIAL_H
#define SHARD_LANES_PARTIAL_H

/// Lanes from `count` on are zero.
INLINE f32x16 f32_load_first(const float *x, size_t count) {
    float all[16] = {0};
    memcpy(all, x, count * sizeof *x);
    return f32_load(all);
}

INLINE void f32_store_first(float *x, size_t count, f32x16 value) {
    float all[16];
    f32_store(all, value);
    memcpy(x, all, count * sizeof *x);
}

#endif
