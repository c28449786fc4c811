// Runs every kernel and one synthetic transformer layer on seeded inputs and writes all result bytes to a file.
//
// harness                 lists the tables that this machine can run, one a line
// harness TABLE FILE      runs TABLE, writes FILE; files of all tables on all architectures must be equal
// (scripts/test-arm64)
#include "inputs.h"

static FILE *results;

static void emit(const void *bytes, size_t size) {
    if (fwrite(bytes, 1, size, results) != size) {
        perror("harness: cannot write the results");
        exit(1);
    }
}

static void run_functions(const shard_kernels *kernels) {
    enum { COUNT = 4099 }; // no multiple of 16
    float *x = allocate(COUNT * 4), *y = allocate(COUNT * 4), *z = allocate(COUNT * 4);
    fill_floats(x, COUNT, 128, 1);
    fill_floats(y, COUNT, 4, 2);
    void (*maps[])(const float *, size_t, float *) = {kernels->exp, kernels->log, kernels->tanh, kernels->sigmoid};
    for (size_t m = 0; m < sizeof maps / sizeof maps[0]; m++) {
        maps[m](x, COUNT, z);
        for (size_t i = 0; i < COUNT; i++) {
            z[i] = z[i] == z[i] ? z[i] : 0.5f; // payloads of NaN differ between machines
        }
        emit(z, COUNT * 4);
        maps[m](y, COUNT, z);
        for (size_t i = 0; i < COUNT; i++) {
            z[i] = z[i] == z[i] ? z[i] : 0.5f;
        }
        emit(z, COUNT * 4);
    }
    kernels->silu_multiply(y, x, COUNT, z);
    emit(z, COUNT * 4);
    kernels->add(x, y, COUNT, z);
    emit(z, COUNT * 4);
    kernels->add_scaled(x, 0.3f, y, COUNT, z);
    emit(z, COUNT * 4);
    kernels->rms_norm(x, y, COUNT, 1e-5f, z);
    emit(z, COUNT * 4);
    uint16_t *halves = allocate(COUNT * 2);
    kernels->f16_from_f32(x, COUNT, halves);
    emit(halves, COUNT * 2);
    kernels->f32_from_f16(halves, COUNT, z);
    emit(z, COUNT * 4);
    kernels->bf16_from_f32(x, COUNT, halves);
    emit(halves, COUNT * 2);
    kernels->f32_from_bf16(halves, COUNT, z);
    emit(z, COUNT * 4);
    size_t best = kernels->argmax(x, COUNT);
    bool finite = kernels->all_finite(x, COUNT);
    emit(&best, sizeof best);
    emit(&finite, sizeof finite);
    for (size_t i = 0; i < 512; i++) {
        float values[] = {shard_sin(x[i] * 1000), shard_cos(x[i] * 1000), shard_pow(x[i] * x[i], y[i])};
        emit(values, sizeof values);
    }
    uint32_t crc = shard_crc32c(shard_crc32c(0, x, 1001), y, 777);
    emit(&crc, sizeof crc);
    for (size_t count = 1; count <= 2; count++) {
        shard_sha256_lane lanes[2] = {{{1, 2, 3, 4, 5, 6, 7, 8}, (const uint8_t *)x},
                                      {{9, 10, 11, 12, 13, 14, 15, 16}, (const uint8_t *)y}};
        shard_sha256_blocks(shard_sha256_is_fast(), count, lanes, 7);
        emit(lanes[0].words, sizeof lanes[0].words);
        emit(lanes[1].words, sizeof lanes[1].words);
    }
    free(x), free(y), free(z), free(halves);
}

/// Writes `count` rows of activations into panels.
static void prepare(const shard_kernels *kernels, uint32_t kind, const float *x, size_t columns, size_t count,
                    uint8_t *activations) {
    for (size_t n = 0; n < count; n++) {
        kernels->quantize(kind, x + n * columns, columns, shard_panel_rows(n, count),
                          activations + shard_panel_offset(kind, columns, n));
    }
}

static void run_matmul(const shard_kernels *kernels, uint32_t type) {
    enum { ROWS = 75, COLUMNS = 512, COUNT = 11 }; // 5 tiles, the last of 11 rows
    uint32_t kind = shard_activation_kind(type);
    size_t row_bytes = shard_row_bytes(type, COLUMNS);
    uint8_t *rows = allocate(ROWS * row_bytes), *packed = allocate(shard_packed_bytes(type, ROWS, COLUMNS));
    fill_rows(type, rows, ROWS * row_bytes, type + 10);
    shard_pack(type, rows, ROWS, COLUMNS, 0, shard_tile_count(ROWS), packed);
    emit(packed, shard_packed_bytes(type, ROWS, COLUMNS));
    float *x = allocate(COUNT * COLUMNS * 4), *output = allocate(COUNT * ROWS * 4), *decoded = allocate(COLUMNS * 4);
    fill_floats(x, COUNT * COLUMNS, 8, type + 20);
    size_t activation_bytes = shard_activation_bytes(kind, COLUMNS);
    uint8_t *activations = allocate(COUNT * activation_bytes);
    shard_matrix matrix = {packed, ROWS, COLUMNS, type};
    for (size_t count = 1; count <= COUNT; count++) {
        prepare(kernels, kind, x, COLUMNS, count, activations);
        emit(activations, count * activation_bytes);
        memset(output, 0, COUNT * ROWS * 4);
        kernels->matmul(&matrix, 0, 2, activations, count, output, ROWS);
        kernels->matmul(&matrix, 2, shard_tile_count(ROWS), activations, count, output, ROWS);
        emit(output, count * ROWS * 4);
    }
    shard_decode_row(type, rows, COLUMNS, decoded);
    emit(decoded, COLUMNS * 4);
    uint8_t *panel = allocate(2 * COLUMNS * 4);
    prepare(kernels, SHARD_ACTIVATION_F32, x, COLUMNS, 2, panel);
    shard_matmul_float_activations(&matrix, 0, shard_tile_count(ROWS), panel, 2, output, ROWS);
    emit(output, 2 * ROWS * 4);
    free(rows), free(packed), free(x), free(output), free(decoded), free(activations), free(panel);
}

/// Grows a cache position by position and attends over it, with a window that starts inside a group.
static void run_attention(const shard_kernels *kernels, uint32_t cache_type, size_t head_dim) {
    enum { HEADS = 7, POSITIONS = 700, WINDOW = 610, BLOCKS = (POSITIONS + 63) / 64 };
    size_t area = shard_cache_head_bytes(cache_type, head_dim), stride = head_dim + 2;
    const void *blocks[BLOCKS];
    uint8_t *memory[BLOCKS];
    for (size_t b = 0; b < BLOCKS; b++) {
        blocks[b] = memory[b] = allocate(2 * area); // the head under test comes second
    }
    float *key = allocate(head_dim * 4), *value = allocate(head_dim * 4), *queries = allocate(HEADS * head_dim * 4);
    float *partials = allocate(2 * HEADS * stride * 4), *output = allocate(head_dim * 4);
    for (size_t p = 0; p < POSITIONS; p++) {
        fill_floats(key, head_dim, 2, 1000 + p);
        fill_floats(value, head_dim, 2, 2000 + p);
        kernels->store(key, value, p, cache_type, head_dim, memory[p / 64] + area);
        if (p % 97 != 0 && p != POSITIONS - 1) {
            continue;
        }
        size_t first = p + 1 > WINDOW ? p + 1 - WINDOW : 0, spans = 0;
        fill_floats(queries, HEADS * head_dim, 2, 3000 + p);
        for (size_t start = first; start <= p; spans++) {
            size_t end = (start / SHARD_SPAN_POSITIONS + 1) * SHARD_SPAN_POSITIONS;
            end = end < p + 1 ? end : p + 1;
            shard_attention attention = {queries,
                                         head_dim,
                                         HEADS,
                                         blocks,
                                         area,
                                         cache_type,
                                         head_dim,
                                         0.25f,
                                         start,
                                         end,
                                         partials + spans * HEADS * stride,
                                         stride};
            kernels->attend(&attention);
            start = end;
        }
        emit(partials, spans * HEADS * stride * 4);
        for (size_t h = 0; h < HEADS; h++) {
            kernels->merge(partials + h * stride, spans, HEADS * stride, head_dim, output);
            emit(output, head_dim * 4);
        }
    }
    for (size_t b = 0; b < BLOCKS; b++) {
        emit(memory[b], 2 * area);
        free(memory[b]);
    }
    free(key), free(value), free(queries), free(partials), free(output);
}

/// A matrix of the layer below, packed from random rows.
static shard_matrix make_matrix(uint32_t type, size_t rows, size_t columns, uint64_t seed) {
    uint8_t *file = allocate(rows * shard_row_bytes(type, columns)), *packed;
    packed = allocate(shard_packed_bytes(type, rows, columns));
    fill_rows(type, file, rows * shard_row_bytes(type, columns), seed);
    shard_pack(type, file, rows, columns, 0, shard_tile_count(rows), packed);
    free(file);
    return (shard_matrix){packed, rows, columns, type};
}

static void multiply(const shard_kernels *kernels, const shard_matrix *matrix, const float *x, float *output) {
    uint32_t kind = shard_activation_kind(matrix->type);
    void *activations = allocate(shard_activation_bytes(kind, matrix->column_count));
    kernels->quantize(kind, x, matrix->column_count, 1, activations);
    kernels->matmul(matrix, 0, shard_tile_count(matrix->row_count), activations, 1, output, matrix->row_count);
    free(activations);
}

/// One transformer layer over 20 tokens: 4 query heads share 1 key/value head, rotary halves or adjacent.
static void run_layer(const shard_kernels *kernels, uint32_t type, uint32_t pairs) {
    enum { HIDDEN = 256, HEADS = 4, HEAD = 64, FORWARD = 512, TOKENS = 20 };
    shard_matrix query_matrix = make_matrix(type, HEADS * HEAD, HIDDEN, 31),
                 key_matrix = make_matrix(type, HEAD, HIDDEN, 32);
    shard_matrix value_matrix = make_matrix(type, HEAD, HIDDEN, 33),
                 out_matrix = make_matrix(type, HIDDEN, HEADS * HEAD, 34);
    shard_matrix gate_matrix = make_matrix(type, FORWARD, HIDDEN, 35),
                 up_matrix = make_matrix(type, FORWARD, HIDDEN, 36);
    shard_matrix down_matrix = make_matrix(type, HIDDEN, FORWARD, 37);
    float norm[HIDDEN], x[HIDDEN], y[HIDDEN], gate[FORWARD], up[FORWARD], query[HEADS * HEAD], key[HEAD], value[HEAD];
    float attended[HEADS * HEAD], partials[HEADS * (HEAD + 2)], frequencies[HEAD / 2], cosines[HEAD / 2],
        sines[HEAD / 2];
    void *area = allocate(shard_cache_head_bytes(SHARD_TYPE_F16, HEAD));
    const void *blocks[1] = {area};
    fill_floats(norm, HIDDEN, 1, 38);
    for (size_t i = 0; i < HEAD / 2; i++) {
        frequencies[i] = shard_pow(10000, -(float)(2 * i) / HEAD);
    }
    for (uint32_t t = 0; t < TOKENS; t++) {
        fill_floats(x, HIDDEN, 1, 40 + t);
        kernels->rms_norm(x, norm, HIDDEN, 1e-6f, y);
        multiply(kernels, &query_matrix, y, query);
        multiply(kernels, &key_matrix, y, key);
        multiply(kernels, &value_matrix, y, value);
        shard_rotary_table(&t, 1, frequencies, HEAD / 2, 1, cosines, sines);
        kernels->rotate(query, HEADS, HEAD, HEAD / 2, pairs, cosines, sines);
        kernels->rotate(key, 1, HEAD, HEAD / 2, pairs, cosines, sines);
        kernels->store(key, value, t, SHARD_TYPE_F16, HEAD, area);
        shard_attention attention = {query, HEAD,   HEADS, blocks, 0,        SHARD_TYPE_F16,
                                     HEAD,  0.125f, 0,     t + 1,  partials, HEAD + 2};
        kernels->attend(&attention);
        for (size_t h = 0; h < HEADS; h++) {
            kernels->merge(partials + h * (HEAD + 2), 1, 0, HEAD, attended + h * HEAD);
        }
        multiply(kernels, &out_matrix, attended, y);
        kernels->add(x, y, HIDDEN, x);
        kernels->rms_norm(x, norm, HIDDEN, 1e-6f, y);
        multiply(kernels, &gate_matrix, y, gate);
        multiply(kernels, &up_matrix, y, up);
        kernels->silu_multiply(gate, up, FORWARD, gate);
        multiply(kernels, &down_matrix, gate, y);
        kernels->add(x, y, HIDDEN, x);
        emit(x, sizeof x);
    }
    const shard_matrix all[] = {query_matrix, key_matrix, value_matrix, out_matrix,
                                gate_matrix,  up_matrix,  down_matrix};
    for (size_t m = 0; m < sizeof all / sizeof all[0]; m++) {
        free((void *)all[m].packed);
    }
    free(area);
}

int main(int argument_count, char **arguments) {
    if (argument_count == 1) {
        for (size_t i = 0; i < shard_kernels_count(); i++) {
            if (shard_kernels_named(shard_kernels_name(i)) != NULL) {
                puts(shard_kernels_name(i));
            }
        }
        return 0;
    }
    const shard_kernels *kernels = argument_count == 3 ? shard_kernels_named(arguments[1]) : NULL;
    if (kernels == NULL || (results = fopen(arguments[2], "wb")) == NULL) {
        fprintf(stderr, "usage: harness [TABLE FILE]; TABLE is one that harness alone lists, FILE can be written\n");
        return 64;
    }
    run_functions(kernels);
    for (size_t t = 0; t < sizeof all_types / sizeof all_types[0]; t++) {
        run_matmul(kernels, all_types[t]);
        run_layer(kernels, all_types[t], t % 2 == 0 ? SHARD_PAIRS_HALVES : SHARD_PAIRS_ADJACENT);
    }
    const size_t head_dims[] = {24, 32, 40, 64, 80, 128};
    for (size_t d = 0; d < sizeof head_dims / sizeof head_dims[0]; d++) {
        run_attention(kernels, SHARD_TYPE_F32, head_dims[d]);
        run_attention(kernels, SHARD_TYPE_F16, head_dims[d]);
        run_attention(kernels, SHARD_TYPE_Q8_0, head_dims[d]);
    }
    if (fclose(results) != 0) {
        perror("harness: cannot write the results");
        return 1;
    }
    return 0;
}
