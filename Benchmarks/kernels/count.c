// Runs each kernel of a table once on seeded inputs; callgrind counts between the marks (scripts/bench-guard).
//
// count TABLE     each count is a dump that bears the kernel's name: "matmul q4_K 8"
#include "inputs.h"

#include <valgrind/callgrind.h>

/// Counts the instructions of one call.
#define COUNT(name, call)                                                                                              \
    do {                                                                                                               \
        CALLGRIND_TOGGLE_COLLECT;                                                                                      \
        call;                                                                                                          \
        CALLGRIND_TOGGLE_COLLECT;                                                                                      \
        CALLGRIND_DUMP_STATS_AT(name);                                                                                 \
    } while (0)

static const char *type_name(uint32_t type) {
    static const char *const names[] = {
        [SHARD_TYPE_F32] = "f32",         [SHARD_TYPE_F16] = "f16",       [SHARD_TYPE_BF16] = "bf16",
        [SHARD_TYPE_Q8_0] = "q8_0",       [SHARD_TYPE_Q4_0] = "q4_0",     [SHARD_TYPE_Q4_1] = "q4_1",
        [SHARD_TYPE_Q5_0] = "q5_0",       [SHARD_TYPE_Q5_1] = "q5_1",     [SHARD_TYPE_IQ4_NL] = "iq4_nl",
        [SHARD_TYPE_MXFP4] = "mxfp4",     [SHARD_TYPE_Q2_K] = "q2_K",     [SHARD_TYPE_Q3_K] = "q3_K",
        [SHARD_TYPE_Q4_K] = "q4_K",       [SHARD_TYPE_Q5_K] = "q5_K",     [SHARD_TYPE_Q6_K] = "q6_K",
        [SHARD_TYPE_IQ4_XS] = "iq4_xs",   [SHARD_TYPE_IQ1_S] = "iq1_s",   [SHARD_TYPE_IQ1_M] = "iq1_m",
        [SHARD_TYPE_IQ2_XXS] = "iq2_xxs", [SHARD_TYPE_IQ2_XS] = "iq2_xs", [SHARD_TYPE_IQ2_S] = "iq2_s",
        [SHARD_TYPE_IQ3_XXS] = "iq3_xxs", [SHARD_TYPE_IQ3_S] = "iq3_s",   [SHARD_TYPE_TQ1_0] = "tq1_0",
        [SHARD_TYPE_TQ2_0] = "tq2_0",
    };
    return names[type];
}

/// Four tiles of a matrix times 1, 8 and 64 rows of activations.
static void count_matmul(const shard_kernels *kernels, uint32_t type) {
    enum { ROWS = 4 * SHARD_TILE_ROWS, COLUMNS = 512, COUNT_MAX = 64 };
    static const size_t counts[] = {1, 8, COUNT_MAX};
    uint32_t kind = shard_activation_kind(type);
    size_t row_bytes = shard_row_bytes(type, COLUMNS);
    uint8_t *rows = allocate(ROWS * row_bytes), *packed = allocate(shard_packed_bytes(type, ROWS, COLUMNS));
    fill_rows(type, rows, ROWS * row_bytes, type + 10);
    shard_pack(type, rows, ROWS, COLUMNS, 0, shard_tile_count(ROWS), packed);
    float *x = allocate(COUNT_MAX * COLUMNS * 4), *output = allocate(COUNT_MAX * ROWS * 4);
    fill_floats(x, COUNT_MAX * COLUMNS, 8, type + 20);
    uint8_t *activations = allocate(COUNT_MAX * shard_activation_bytes(kind, COLUMNS));
    shard_matrix matrix = {packed, ROWS, COLUMNS, type};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        size_t count = counts[c];
        for (size_t n = 0; n < count; n++) {
            kernels->quantize(kind, x + n * COLUMNS, COLUMNS, shard_panel_rows(n, count),
                              activations + shard_panel_offset(kind, COLUMNS, n));
        }
        char name[64];
        snprintf(name, sizeof name, "matmul %s %zu", type_name(type), count);
        COUNT(name, kernels->matmul(&matrix, 0, shard_tile_count(ROWS), activations, count, output, ROWS));
    }
    free(rows), free(packed), free(x), free(output), free(activations);
}

/// What works on rows, over 4096 numbers; the search over a vocabulary of 32768.
static void count_rows(const shard_kernels *kernels) {
    enum { COLUMNS = 4096, VOCABULARY = 32768 };
    float *x = allocate(VOCABULARY * 4), *y = allocate(COLUMNS * 4), *z = allocate(COLUMNS * 4);
    uint16_t *halves = allocate(COLUMNS * 2);
    uint8_t *activations = allocate(2 * COLUMNS);
    fill_floats(x, VOCABULARY, 8, 1);
    fill_floats(y, COLUMNS, 8, 2);
    COUNT("quantize 32", kernels->quantize(SHARD_ACTIVATION_Q8_32, x, COLUMNS, 1, activations));
    COUNT("quantize 256", kernels->quantize(SHARD_ACTIVATION_Q8_256, x, COLUMNS, 1, activations));
    COUNT("rms_norm", kernels->rms_norm(x, y, COLUMNS, 1e-5f, z));
    COUNT("add", kernels->add(x, y, COLUMNS, z));
    COUNT("silu_multiply", kernels->silu_multiply(x, y, COLUMNS, z));
    COUNT("exp", kernels->exp(x, COLUMNS, z));
    COUNT("log", kernels->log(x, COLUMNS, z));
    COUNT("tanh", kernels->tanh(x, COLUMNS, z));
    COUNT("sigmoid", kernels->sigmoid(x, COLUMNS, z));
    COUNT("f16_from_f32", kernels->f16_from_f32(x, COLUMNS, halves));
    COUNT("f32_from_f16", kernels->f32_from_f16(halves, COLUMNS, z));
    COUNT("bf16_from_f32", kernels->bf16_from_f32(x, COLUMNS, halves));
    COUNT("f32_from_bf16", kernels->f32_from_bf16(halves, COLUMNS, z));
    COUNT("rotate adjacent", kernels->rotate(z, COLUMNS / 128, 128, 64, SHARD_PAIRS_ADJACENT, x, y));
    COUNT("rotate halves", kernels->rotate(z, COLUMNS / 128, 128, 64, SHARD_PAIRS_HALVES, x, y));
    COUNT("argmax", kernels->argmax(x, VOCABULARY));
    COUNT("all_finite", kernels->all_finite(x, VOCABULARY));
    free(x), free(y), free(z), free(halves), free(activations);
}

/// 4 query heads of 128 that share a key/value head, over the 500 positions of one span.
static void count_attention(const shard_kernels *kernels, uint32_t cache_type) {
    enum { HEADS = 4, HEAD = 128, POSITIONS = 500, BLOCKS = 8, STRIDE = HEAD + 2, SPANS = 8 };
    size_t block_bytes = shard_cache_head_bytes(cache_type, HEAD);
    uint8_t *memory = allocate(BLOCKS * block_bytes);
    const void *blocks[BLOCKS];
    float *queries = allocate(HEADS * HEAD * 4), *key = allocate(HEAD * 4), *value = allocate(HEAD * 4);
    float *partials = allocate(SPANS * HEADS * STRIDE * 4), *output = allocate(HEAD * 4);
    fill_floats(queries, HEADS * HEAD, 2, 3);
    for (size_t p = 0; p < POSITIONS; p++) {
        fill_floats(key, HEAD, 2, 1000 + p);
        fill_floats(value, HEAD, 2, 2000 + p);
        blocks[p / SHARD_BLOCK_POSITIONS] = memory + p / SHARD_BLOCK_POSITIONS * block_bytes;
        kernels->store(key, value, p, cache_type, HEAD, memory + p / SHARD_BLOCK_POSITIONS * block_bytes);
    }
    shard_attention attention = {queries, HEAD,  HEADS, blocks,    0,        cache_type,
                                 HEAD,    0.25f, 0,     POSITIONS, partials, STRIDE};
    char name[64];
    snprintf(name, sizeof name, "attend %s", type_name(cache_type));
    COUNT(name, kernels->attend(&attention));
    snprintf(name, sizeof name, "store %s", type_name(cache_type));
    COUNT(name, kernels->store(key, value, POSITIONS, cache_type, HEAD, memory + (BLOCKS - 1) * block_bytes));
    if (cache_type == SHARD_TYPE_F32) {
        for (size_t span = 1; span < SPANS; span++) {
            memcpy(partials + span * HEADS * STRIDE, partials, HEADS * STRIDE * 4);
        }
        COUNT("merge", kernels->merge(partials, SPANS, HEADS * STRIDE, HEAD, output));
    }
    free(memory), free(queries), free(key), free(value), free(partials), free(output);
}

int main(int argument_count, char **arguments) {
    const shard_kernels *kernels = argument_count == 2 ? shard_kernels_named(arguments[1]) : NULL;
    if (kernels == NULL) {
        fprintf(stderr, "usage: count TABLE; TABLE is one that this machine can run\n");
        return 64;
    }
    for (size_t t = 0; t < sizeof all_types / sizeof all_types[0]; t++) {
        count_matmul(kernels, all_types[t]);
    }
    count_rows(kernels);
    count_attention(kernels, SHARD_TYPE_F32);
    count_attention(kernels, SHARD_TYPE_F16);
    count_attention(kernels, SHARD_TYPE_Q8_0);
    return 0;
}
