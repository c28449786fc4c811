// Elementary functions over arrays.

#include "functions.h"
#include "partial.h"

#define SHARD_MAP(kernel, function)                                                                                    \
    void NAME(kernel)(const float *x, size_t count, float *output) {                                                   \
        size_t i = 0;                                                                                                  \
        for (; i + 16 <= count; i += 16) {                                                                             \
            f32_store(output + i, function(f32_load(x + i)));                                                          \
        }                                                                                                              \
        if (i < count) {                                                                                               \
            f32_store_first(output + i, count - i, function(f32_load_first(x + i, count - i)));                        \
        }                                                                                                              \
    }

SHARD_MAP(exp, lanes_exp)
SHARD_MAP(log, lanes_log)
SHARD_MAP(tanh, lanes_tanh)
SHARD_MAP(sigmoid, lanes_sigmoid)

void NAME(silu_multiply)(const float *gate, const float *up, size_t count, float *output) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        f32_store(output + i, f32_mul(lanes_silu(f32_load(gate + i)), f32_load(up + i)));
    }
    if (i < count) {
        f32x16 silu = lanes_silu(f32_load_first(gate + i, count - i));
        f32_store_first(output + i, count - i, f32_mul(silu, f32_load_first(up + i, count - i)));
    }
}
