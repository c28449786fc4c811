// Names of every instruction set's kernels: the kernel's name, an underscore, the instruction set.
#ifndef SHARD_KERNELS_NAMES_H
#define SHARD_KERNELS_NAMES_H

#include "shard_kernels.h"

/// Whether weights are best asked for a short way ahead of their use, as on AMD's processors, or farther, as on
/// Intel's: those hold the request of a line until it comes, and have few places for them. Set when the program starts.
extern bool shard_fetches_near;

#define SHARD_DECLARE_MATMUL(set) shard_matmul_function matmul_##set;

#define SHARD_DECLARE_KERNELS(set)                                                                                     \
    void quantize_##set(uint32_t kind, const float *restrict x, size_t column_count, size_t panel_rows,                \
                        void *restrict output);                                                                        \
    void rms_norm_##set(const float *x, const float *weight, size_t count, float epsilon, float *output);              \
    void add_##set(const float *a, const float *b, size_t count, float *output);                                       \
    void add_scaled_##set(const float *a, float factor, const float *b, size_t count, float *output);                  \
    void silu_multiply_##set(const float *gate, const float *up, size_t count, float *output);                         \
    void exp_##set(const float *x, size_t count, float *output);                                                       \
    void log_##set(const float *x, size_t count, float *output);                                                       \
    void tanh_##set(const float *x, size_t count, float *output);                                                      \
    void sigmoid_##set(const float *x, size_t count, float *output);                                                   \
    void f32_from_f16_##set(const uint16_t *restrict x, size_t count, float *restrict output);                         \
    void f16_from_f32_##set(const float *restrict x, size_t count, uint16_t *restrict output);                         \
    void f32_from_bf16_##set(const uint16_t *restrict x, size_t count, float *restrict output);                        \
    void bf16_from_f32_##set(const float *restrict x, size_t count, uint16_t *restrict output);                        \
    void rotate_##set(float *restrict heads, size_t head_count, size_t head_stride, size_t pair_count, uint32_t pairs, \
                      const float *restrict cosines, const float *restrict sines);                                     \
    void store_##set(const float *restrict key, const float *restrict value, size_t position, uint32_t cache_type,     \
                     size_t head_dim, void *restrict head_area);                                                       \
    void attend_##set(const shard_attention *attention);                                                               \
    void merge_##set(const float *restrict partials, size_t span_count, size_t span_stride, size_t head_dim,           \
                     float *restrict output);                                                                          \
    size_t argmax_##set(const float *x, size_t count);                                                                 \
    bool all_finite_##set(const float *x, size_t count);

/// A table of the kernels of `set`, with the matrix multiplication of `products`.
#define SHARD_TABLE(label, set, products)                                                                              \
    {                                                                                                                  \
        .name = label, .matmul = matmul_##products, .quantize = quantize_##set, .rms_norm = rms_norm_##set,            \
        .add = add_##set, .add_scaled = add_scaled_##set, .silu_multiply = silu_multiply_##set,                        \
        .exp = exp_##set, .log = log_##set,                                                                            \
        .tanh = tanh_##set, .sigmoid = sigmoid_##set, .f32_from_f16 = f32_from_f16_##set,                              \
        .f16_from_f32 = f16_from_f32_##set, .f32_from_bf16 = f32_from_bf16_##set,                                      \
        .bf16_from_f32 = bf16_from_f32_##set, .rotate = rotate_##set, .store = store_##set, .attend = attend_##set,    \
        .merge = merge_##set, .argmax = argmax_##set, .all_finite = all_finite_##set,                                  \
    }

SHARD_DECLARE_KERNELS(scalar)
SHARD_DECLARE_MATMUL(scalar)
extern const shard_kernels shard_kernels_scalar;

uint32_t crc32c_scalar(uint32_t previous, const void *data, size_t size);
void sha256_scalar(size_t lane_count, shard_sha256_lane *lanes, size_t block_count);

#if defined(__x86_64__)

SHARD_DECLARE_KERNELS(avx2)
SHARD_DECLARE_MATMUL(avx2)
SHARD_DECLARE_MATMUL(avxvnni)
extern const shard_kernels shard_kernels_avx2, shard_kernels_avxvnni;

SHARD_DECLARE_KERNELS(avx512)
SHARD_DECLARE_MATMUL(avx512)
SHARD_DECLARE_MATMUL(avx512vnni)
extern const shard_kernels shard_kernels_avx512, shard_kernels_avx512vnni;

/// Needs SSE4.2.
uint32_t crc32c_sse(uint32_t previous, const void *data, size_t size);
/// Needs SHA and SSE4.1.
void sha256_ni(size_t lane_count, shard_sha256_lane *lanes, size_t block_count);

#elif defined(__aarch64__)

SHARD_DECLARE_KERNELS(neon)
SHARD_DECLARE_MATMUL(neon)
SHARD_DECLARE_MATMUL(neon_dotprod)
extern const shard_kernels shard_kernels_neon, shard_kernels_neon_dotprod;

/// Needs the CRC instructions of ARMv8.
uint32_t crc32c_neon(uint32_t previous, const void *data, size_t size);
/// Needs the SHA2 instructions of ARMv8.
void sha256_neon(size_t lane_count, shard_sha256_lane *lanes, size_t block_count);

#endif

#endif
