// The kernels of the CPU device: one table of function pointers per instruction set, all with the same results.
//
// Every result is a function of its own row, positions and weights: it never depends on the instruction set, the count
// of activation rows, the range of tiles, or the thread. Where the order of operations matters it is written here,
// and `scalar/` is its definition. `fma` rounds once; every other operation rounds to nearest even on its own; division
// and square root are exact; denormals count (control registers stay at their defaults).
//
// Kernels check nothing, allocate nothing and fail never: the caller has checked sizes against the file. Rows as files
// store them may start at any byte; packed matrices, cache blocks and quantised activations start on 4 bytes (matrices
// and cache blocks are fastest on 64). Inputs and outputs do not overlap unless said otherwise. Non-finite inputs give
// non-finite outputs (of any NaN payload); callers find them with `all_finite`.
#ifndef SHARD_KERNELS_H
#define SHARD_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#define SHARD_NULLABLE _Nullable
#define SHARD_NONNULL _Nonnull
#else
#define SHARD_NULLABLE
#define SHARD_NONNULL
#endif

/// Element types that kernels compute with; the numbers are those of GGUF files.
enum {
    SHARD_TYPE_F32 = 0,
    SHARD_TYPE_F16 = 1,
    SHARD_TYPE_Q4_0 = 2,
    SHARD_TYPE_Q4_1 = 3,
    SHARD_TYPE_Q5_0 = 6,
    SHARD_TYPE_Q5_1 = 7,
    SHARD_TYPE_Q8_0 = 8,
    SHARD_TYPE_Q2_K = 10,
    SHARD_TYPE_Q3_K = 11,
    SHARD_TYPE_Q4_K = 12,
    SHARD_TYPE_Q5_K = 13,
    SHARD_TYPE_Q6_K = 14,
    SHARD_TYPE_IQ2_XXS = 16,
    SHARD_TYPE_IQ2_XS = 17,
    SHARD_TYPE_IQ3_XXS = 18,
    SHARD_TYPE_IQ1_S = 19,
    SHARD_TYPE_IQ4_NL = 20,
    SHARD_TYPE_IQ3_S = 21,
    SHARD_TYPE_IQ2_S = 22,
    SHARD_TYPE_IQ4_XS = 23,
    SHARD_TYPE_IQ1_M = 29,
    SHARD_TYPE_BF16 = 30,
    SHARD_TYPE_TQ1_0 = 34,
    SHARD_TYPE_TQ2_0 = 35,
    SHARD_TYPE_MXFP4 = 39,
};

/// How the activations that a matrix is multiplied with are stored; see `shard_activation_kind`.
enum {
    /// f32, as they are: for matrices of F32, F16, BF16, and of types that are widened.
    SHARD_ACTIVATION_F32 = 0,
    /// 8 bits with one scale per 32: for types with blocks of 32.
    SHARD_ACTIVATION_Q8_32 = 1,
    /// 8 bits with one scale per 256: for K-quants and IQ4_XS.
    SHARD_ACTIVATION_Q8_256 = 2,
};

/// Which elements of a head rotate together.
enum {
    /// Elements 2i and 2i + 1.
    SHARD_PAIRS_ADJACENT = 0,
    /// Elements i and i + pair_count.
    SHARD_PAIRS_HALVES = 1,
};

enum {
    /// Output rows that are interleaved in one tile of a packed matrix.
    SHARD_TILE_ROWS = 16,
    /// Rows of activations that lie together in a panel.
    SHARD_PANEL_ROWS = 8,
    /// Positions in a cache block, and in one group of the online softmax.
    SHARD_BLOCK_POSITIONS = 64,
    /// Positions in a span, which has a maximum, sum and accumulator of its own.
    SHARD_SPAN_POSITIONS = 512,
    /// Version of the packed layout: part of the key of whatever stores packed matrices.
    SHARD_PACKED_VERSION = 2,
};

// MARK: Sizes and packing (the same bytes on every machine)

/// Whether kernels compute with `type`.
bool shard_type_is_supported(uint32_t type);

/// Whether matrices of `type` are widened to f32 piece by piece as they are multiplied: right, but slow. Their tiles are rows
/// as files store them, their activations f32.
bool shard_type_is_widened(uint32_t type);

/// Whether rows of `type` may have `column_count` elements: any for floats, else a multiple of 32 or 256; never 0.
bool shard_columns_are_whole(uint32_t type, size_t column_count);

/// Bytes of one row as files store it. The caller has checked type and columns.
size_t shard_row_bytes(uint32_t type, size_t column_count);

/// Bytes of one packed tile: 16 rows.
size_t shard_tile_bytes(uint32_t type, size_t column_count);

/// Tiles of a packed matrix: rows / 16, rounded up.
size_t shard_tile_count(size_t row_count);

/// Bytes of a packed matrix: `shard_tile_count` × `shard_tile_bytes`.
size_t shard_packed_bytes(uint32_t type, size_t row_count, size_t column_count);

/// Packs tiles [tile_first, tile_end) of a matrix; ranges may be packed by different threads.
///
/// `rows` is the first byte of the whole matrix as the file stores it, `packed` the first byte of the whole packed
/// matrix (tile t is written at t × `shard_tile_bytes`). Rows past `row_count` are packed as zeros. Layout:
/// `packing.c`.
void shard_pack(uint32_t type, const void *restrict rows, size_t row_count, size_t column_count, size_t tile_first,
                size_t tile_end, void *restrict packed);

/// Decodes one row as the file stores it to f32: `output[column_count]`.
void shard_decode_row(uint32_t type, const void *restrict row, size_t column_count, float *restrict output);

/// The kind of activations (`SHARD_ACTIVATION_…`) that a matrix of `type` is multiplied with.
uint32_t shard_activation_kind(uint32_t type);

/// Bytes of one row of activations of a kind: 4 per column for f32, else 40 per 32 or 308 per 256.
size_t shard_activation_bytes(uint32_t kind, size_t column_count);

/// Rows of the panel that row n of `activation_count` rows of activations is in; see `shard_matmul_function`.
size_t shard_panel_rows(size_t n, size_t activation_count);

/// Where the first block of row n lies in activations, in bytes.
size_t shard_panel_offset(uint32_t kind, size_t column_count, size_t n);

// MARK: Single values

float shard_f32_from_f16(uint16_t bits);
/// Rounds to nearest even; too large becomes infinite.
uint16_t shard_f16_from_f32(float value);
float shard_f32_from_bf16(uint16_t bits);
uint16_t shard_bf16_from_f32(float value);

// The same on every machine, unlike libm's. Within 2 units in the last place, exp(0) = 1 exactly, full range with
// denormals.
float shard_exp(float x);
float shard_log(float x);
float shard_tanh(float x);
/// 1 / (1 + exp(−x)).
float shard_sigmoid(float x);
/// Evaluated in double and rounded; arguments beyond ±2^31 give NaN.
float shard_sin(float x);
float shard_cos(float x);
/// Evaluated in double and rounded; a negative base gives NaN (unless the exponent is 0: 1).
float shard_pow(float base, float exponent);

/// CRC-32C (Castagnoli) of `previous`'s data followed by `data`; `previous` is 0 at the start.
/// Uses the processor's instruction where there is one.
uint32_t shard_crc32c(uint32_t previous, const void *data, size_t size);

/// Whether the processor has instructions for SHA-256. Asking is slow in virtual machines: once is enough.
bool shard_sha256_is_fast(void);

/// A SHA-256 computation: the words H0 to H7, and what comes next of its data.
typedef struct shard_sha256_lane {
    uint32_t words[8];
    const uint8_t *data;
} shard_sha256_lane;

/// Goes on with one or two SHA-256 computations (FIPS 180-4) by whole blocks of 64 bytes; two take little longer than one.
///
/// Each lane has `[block_count × 64]` bytes of data, and `lane_count` is 1 or 2. `is_fast` is what
/// `shard_sha256_is_fast` said, or false to do without.
void shard_sha256_blocks(bool is_fast, size_t lane_count, shard_sha256_lane *lanes, size_t block_count);

/// Fills rotary tables: `cosines` and `sines` are `[count, pair_count]`, entry (t, i) from the angle
/// float(positions[t]) × frequencies[i] (an f32 product), evaluated in double, rounded to f32, then × magnitude (1, or
/// YaRN's attention factor).
void shard_rotary_table(const uint32_t *restrict positions, size_t count, const float *restrict frequencies,
                        size_t pair_count, float magnitude, float *restrict cosines, float *restrict sines);

// MARK: Kernels

/// A packed matrix: weights [row_count, column_count].
typedef struct shard_matrix {
    /// First byte of tile 0.
    const void *packed;
    size_t row_count;
    size_t column_count;
    uint32_t type;
} shard_matrix;

/// Multiplies tiles [tile_first, tile_end) of a matrix with `activation_count` rows of activations.
///
/// The activations are of the kind of the matrix's type, in panels of 8 rows (the last has what is left): panel p starts
/// 8 × p × `shard_activation_bytes` after `activations` and holds, block after block (for f32: element after element), that
/// block of each of its rows; `quantize` writes it. output[n × output_stride + r] is written for each row r of the tiles
/// with r < row_count; `output` is the address of row 0 whatever the range of tiles, `output_stride` counts floats.
///
/// Starting from 0, for each output:
///
/// - Float types, and those that are widened to f32: acc = fma(weight, activation, acc), columns in order.
/// - Blocks of 32, in order: dot = Σ weight × activation, an exact integer; acc = fma(float(dot), d × scale, acc). With a
///   minimum (Q4_1, Q5_1), then acc = fma(float(Σ activation), m × scale, acc).
/// - Blocks of 256, in order: dot = Σ subscale × weight × activation, an exact integer; acc = fma(float(dot), d × scale,
///   acc). With minima (Q2_K, Q4_K, Q5_K), then acc = fma(−float(Σ subminimum × activation), dmin × scale, acc).
///
/// `scale` is the activations'. Weights are integers: of MXFP4 twice its values (and d is half its scale), of IQ4_NL
/// and IQ4_XS those of their table; an offset (8 for Q4_0) is part of the weight.
typedef void shard_matmul_function(const shard_matrix *restrict matrix, size_t tile_first, size_t tile_end,
                                   const void *restrict activations, size_t activation_count, float *restrict output,
                                   size_t output_stride);

/// Multiplies weights of any type with f32 activations: weight decoded to f32, one fma a column, in order.
/// The reference for accuracy, and the definition of `matmul` for types that are widened. Same arguments as `matmul`,
/// activations f32.
shard_matmul_function shard_matmul_float_activations;

/// The part of attention that one thread does: some query heads of one token that share a key/value head, over the
/// visible positions of one span.
///
/// A cache block holds 64 consecutive absolute positions: those of `blocks[i]` start at 64 × i. In it, at byte
/// `head_offset`, lies the head's area of `shard_cache_head_bytes`: keys as 4 tiles of 16 positions, each
/// [head_dim][16]; then values [64][head_dim]; elements f32, f16 or 8-bit integers with one f16 scale per 32 dimensions
/// (q8_0: the scales of the keys, [4][scales][16], then of the values, [64][scales], follow). `store` writes it.
typedef struct shard_attention {
    /// Query head h starts h × query_stride floats after `queries`.
    const float *queries;
    size_t query_stride;
    size_t query_count;
    /// Indexed by absolute position / 64; only blocks with visible positions are read.
    const void *SHARD_NULLABLE const *SHARD_NONNULL blocks;
    size_t head_offset;
    /// SHARD_TYPE_F32, SHARD_TYPE_F16 or SHARD_TYPE_Q8_0.
    uint32_t cache_type;
    size_t head_dim;
    /// Scores are multiplied by it.
    float scale;
    /// Visible absolute positions [position_first, position_end): not empty and within one span, that is
    /// position_first / 512 == (position_end − 1) / 512.
    size_t position_first;
    size_t position_end;
    /// Written: query head h has its partial at h × partial_stride floats: maximum, sum, accumulator[head_dim].
    float *partials;
    size_t partial_stride;
} shard_attention;

/// Bytes of one key/value head in a cache block: 2 × 64 × head_dim elements, and scales.
size_t shard_cache_head_bytes(uint32_t cache_type, size_t head_dim);

/// One instruction set's kernels.
typedef struct shard_kernels {
    /// `scalar`, `avx2`, `avxvnni`, `avx512`, `avx512vnni`, `neon` or `neon-dotprod`.
    const char *name;

    shard_matmul_function *matmul;

    /// Writes one row of activations of a kind into a panel of `panel_rows` rows (1 to 8).
    ///
    /// `output` is the address of the row's first block; the next ones follow `panel_rows` blocks apart. f32 is
    /// copied. Otherwise, for each block: scale = max|x| / 127; value = nearest even of x × (1 / scale), which lies in ±127. A block
    /// whose scale is below the smallest normal f32 is all zeros with scale 0; one with a non-finite element
    /// has values 0 and scale NaN, so that all outputs become NaN and are noticed.
    void (*quantize)(uint32_t kind, const float *restrict x, size_t column_count, size_t panel_rows,
                     void *restrict output);

    /// output[i] = (x[i] × (1 / sqrt(mean(x²) + epsilon))) × weight[i]. The mean is a sum of 16 partials (index mod 16,
    /// fma in order), added by halves (i + 8, + 4, + 2, + 1), divided by float(count). `output` may be `x`.
    void (*rms_norm)(const float *x, const float *weight, size_t count, float epsilon, float *output);

    /// output[i] = a[i] + b[i]. `output` may be `a` or `b`.
    void (*add)(const float *a, const float *b, size_t count, float *output);

    /// output[i] = fma(a[i], factor, b[i]). `output` may be `a` or `b`.
    void (*add_scaled)(const float *a, float factor, const float *b, size_t count, float *output);

    /// output[i] = (gate[i] / (1 + exp(−gate[i]))) × up[i]. `output` may be `gate` or `up`.
    void (*silu_multiply)(const float *gate, const float *up, size_t count, float *output);

    // The single-value functions above, over arrays; `output` may be `x`.
    void (*exp)(const float *x, size_t count, float *output);
    void (*log)(const float *x, size_t count, float *output);
    void (*tanh)(const float *x, size_t count, float *output);
    void (*sigmoid)(const float *x, size_t count, float *output);

    void (*f32_from_f16)(const uint16_t *restrict x, size_t count, float *restrict output);
    void (*f16_from_f32)(const float *restrict x, size_t count, uint16_t *restrict output);
    void (*f32_from_bf16)(const uint16_t *restrict x, size_t count, float *restrict output);
    void (*bf16_from_f32)(const float *restrict x, size_t count, uint16_t *restrict output);

    /// Rotates `head_count` heads of one token in place; head h starts h × head_stride floats after `heads`.
    ///
    /// The first 2 × pair_count elements rotate (all, or fewer for partial rotary), paired as `pairs` says:
    /// (a, b) → (a × cosine − b × sine, b × cosine + a × sine), products and sum rounded on their own. `cosines` and
    /// `sines` are the token's `pair_count` table entries.
    void (*rotate)(float *restrict heads, size_t head_count, size_t head_stride, size_t pair_count, uint32_t pairs,
                   const float *restrict cosines, const float *restrict sines);

    /// Writes one position's key and value head into the head's area of a cache block (`block` + head_offset);
    /// `position` is absolute. Rounds to nearest even for f16. For q8_0, of each 32 dimensions (the last may be fewer):
    /// scale = f16(max|x| / 127), value = nearest even of x × (1 / scale), at most ±127; 0 where the scale is 0 or not
    /// finite. What is read back is scale × value, rounded to f32.
    void (*store)(const float *restrict key, const float *restrict value, size_t position, uint32_t cache_type,
                  size_t head_dim, void *restrict head_area);

    /// Attention of some query heads over one span. For each query head and each group of 64 absolute positions, in
    /// order, over visible positions only: score = (fma over head dimensions in order) × scale; m' = max(m, scores); c
    /// = exp(m − m'); p = exp(score − m'); sum = sum × c + Σp (16 partials by position mod 16, in order, added by
    /// halves); accumulator = accumulator × c, then fma(p, value, accumulator), positions in order.
    void (*attend)(const shard_attention *attention);

    /// Merges one query head's partials of consecutive spans, `span_stride` floats apart, and finishes:
    /// output[d] = accumulator[d] / sum, `output[head_dim]`.
    ///
    /// From the first span on, in order: m' = max(M, m); C = exp(M − m'), c = exp(m − m'); sum = fma(s, c, S × C);
    /// accumulator = fma(a, c, A × C).
    void (*merge)(const float *restrict partials, size_t span_count, size_t span_stride, size_t head_dim,
                  float *restrict output);

    /// Index of the largest element, the lowest on ties; NaN never wins; 0 when nothing exceeds −∞.
    size_t (*argmax)(const float *x, size_t count);

    /// Whether no element is infinite or NaN.
    bool (*all_finite)(const float *x, size_t count);
} shard_kernels;

// MARK: Choice

/// Instruction sets known to this library, on whatever architecture: bound of `shard_kernels_name`.
size_t shard_kernels_count(void);

/// Name of the index-th instruction set, from the plainest on.
const char *shard_kernels_name(size_t index);

/// The table of that name; NULL when the name is unknown or this machine lacks the instruction set.
const shard_kernels *SHARD_NULLABLE shard_kernels_named(const char *name);

/// The fastest table that this machine can run.
const shard_kernels *shard_kernels_best(void);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
