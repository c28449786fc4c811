// Packing: 16 rows of a matrix interleaved in one tile, so that vector lanes are rows.
//
// A tile has the bits of its rows, in another order, the same on every machine: block after block, so that a product
// reads one stream of memory (two streams of weights and scales cost a third of the bandwidth). In a block of 16 rows
// its fields (weights, high bits, scales) follow each other, each interleaved in pieces: piece 0 of row 0, of row 1, …
// of row 15, piece 1 of row 0, … Weights come in pieces of 4 bytes, so that a vector of 64 bytes has 4 bytes of each
// row. Scales of super-blocks do too: a vector has 4 scales of each row.
//
// Some fields have their bits in another order before they are interleaved, so that kernels need few instructions:
//
//   Q5_0, Q5_1 qh       bit i of 32 becomes bit i / 4 of byte i mod 4: one bit for each vector of weights
//   Q4_K, Q5_K scales   4 bytes of low nibbles of scales, 4 of minima, 4 of high bits; see `arrange_scales_q4_K`
//   IQ4_XS scales       4 bytes of low nibbles, 2 of high bits; see `arrange_scales_iq4_XS`
//   scales in fours     their bytes 1 and 2 change places, so that the even bytes are scales 0 and 1, the odd ones 2
//   and 3 Q6_K weights        three of four weights as they are, the fourth in the two bits on top of them; see
//   `arrange_q6_K`
//
// Types that are widened are not interleaved: a tile is 16 rows as the file stores them.
#pragma STDC FP_CONTRACT OFF

#include "packing.h"

#include <stddef.h>
#include <string.h>

// MARK: Forms

enum { FIELDS_MAX = 4 };

/// Consecutive bytes of a block, interleaved in pieces of `piece` bytes.
typedef struct field {
    size_t offset, bytes, piece;
} field;

/// Changes a block's bits from the file's order to the tile's, or back.
typedef void arrange_function(uint8_t *block, bool back);

typedef struct form {
    shard_layout layout;
    field fields[FIELDS_MAX];
    arrange_function *arrange;
    /// The bytes that `arrange` reads and changes: whole fields.
    size_t arranged_first, arranged_end;
} form;

static arrange_function arrange_q3_K, arrange_q4_K, arrange_q5_K, arrange_q6_K, arrange_iq4_xs, arrange_q5_0,
    arrange_q5_1;

#define FIELD(block, member, size) {offsetof(block, member), sizeof(((block *)0)->member), size}
#define FIELD_PAIR(block, member) {offsetof(block, member), 4, 2}
#define ARRANGED(block, member) offsetof(block, member), offsetof(block, member) + sizeof(((block *)0)->member)

static const form f32 = {{1, 4}, {{0, 4, 4}}, NULL};
static const form f16 = {{1, 2}, {{0, 2, 2}}, NULL};
static const form q8_0 = {{32, sizeof(block_q8_0)}, {FIELD(block_q8_0, qs, 4), FIELD(block_q8_0, d, 2)}, NULL};
static const form q4_0 = {{32, sizeof(block_q4_0)}, {FIELD(block_q4_0, qs, 4), FIELD(block_q4_0, d, 2)}, NULL};
static const form q4_1 = {{32, sizeof(block_q4_1)}, {FIELD(block_q4_1, qs, 4), FIELD_PAIR(block_q4_1, d)}, NULL};
static const form q5_0 = {{32, sizeof(block_q5_0)},
                          {FIELD(block_q5_0, qs, 4), FIELD(block_q5_0, qh, 4), FIELD(block_q5_0, d, 2)},
                          arrange_q5_0,
                          ARRANGED(block_q5_0, qh)};
static const form q5_1 = {{32, sizeof(block_q5_1)},
                          {FIELD(block_q5_1, qs, 4), FIELD(block_q5_1, qh, 4), FIELD_PAIR(block_q5_1, d)},
                          arrange_q5_1,
                          ARRANGED(block_q5_1, qh)};
static const form iq4_nl = {{32, sizeof(block_iq4_nl)}, {FIELD(block_iq4_nl, qs, 4), FIELD(block_iq4_nl, d, 2)}, NULL};
static const form mxfp4 = {{32, sizeof(block_mxfp4)}, {FIELD(block_mxfp4, qs, 4), FIELD(block_mxfp4, e, 1)}, NULL};
// Of super-blocks in the order of use: scales, high bits, weights, d.
static const form q2_K = {{256, sizeof(block_q2_K)},
                          {FIELD(block_q2_K, scales, 2), FIELD(block_q2_K, qs, 4), FIELD_PAIR(block_q2_K, d)},
                          NULL};
static const form q3_K = {
    {256, sizeof(block_q3_K)},
    {FIELD(block_q3_K, scales, 4), FIELD(block_q3_K, hmask, 4), FIELD(block_q3_K, qs, 4), FIELD(block_q3_K, d, 2)},
    arrange_q3_K,
    ARRANGED(block_q3_K, scales)};
static const form q4_K = {{256, sizeof(block_q4_K)},
                          {FIELD(block_q4_K, scales, 4), FIELD(block_q4_K, qs, 4), FIELD_PAIR(block_q4_K, d)},
                          arrange_q4_K,
                          ARRANGED(block_q4_K, scales)};
static const form q5_K = {
    {256, sizeof(block_q5_K)},
    {FIELD(block_q5_K, scales, 4), FIELD(block_q5_K, qh, 4), FIELD(block_q5_K, qs, 4), FIELD_PAIR(block_q5_K, d)},
    arrange_q5_K,
    ARRANGED(block_q5_K, scales)};
static const form q6_K = {{256, sizeof(block_q6_K)},
                          {FIELD(block_q6_K, scales, 2), {0, 192, 4}, FIELD(block_q6_K, d, 2)},
                          arrange_q6_K,
                          0,
                          192};
static const form iq4_xs = {{256, sizeof(block_iq4_xs)},
                            {FIELD(block_iq4_xs, scales_l, 4), FIELD_PAIR(block_iq4_xs, d), FIELD(block_iq4_xs, qs, 4)},
                            arrange_iq4_xs,
                            0,
                            offsetof(block_iq4_xs, qs)};
static const form iq1_s = {{256, sizeof(block_iq1_s)}, {{0}}, NULL};
static const form iq1_m = {{256, sizeof(block_iq1_m)}, {{0}}, NULL};
static const form iq2_xxs = {{256, sizeof(block_iq2_xxs)}, {{0}}, NULL};
static const form iq2_xs = {{256, sizeof(block_iq2_xs)}, {{0}}, NULL};
static const form iq2_s = {{256, sizeof(block_iq2_s)}, {{0}}, NULL};
static const form iq3_xxs = {{256, sizeof(block_iq3_xxs)}, {{0}}, NULL};
static const form iq3_s = {{256, sizeof(block_iq3_s)}, {{0}}, NULL};
static const form tq1_0 = {{256, sizeof(block_tq1_0)}, {{0}}, NULL};
static const form tq2_0 = {{256, sizeof(block_tq2_0)}, {{0}}, NULL};

/// Types and their forms.
#define INTERLEAVED(X)                                                                                                 \
    X(SHARD_TYPE_F32, f32)                                                                                             \
    X(SHARD_TYPE_F16, f16)                                                                                             \
    X(SHARD_TYPE_BF16, f16)                                                                                            \
    X(SHARD_TYPE_Q8_0, q8_0)                                                                                           \
    X(SHARD_TYPE_Q4_0, q4_0)                                                                                           \
    X(SHARD_TYPE_Q4_1, q4_1)                                                                                           \
    X(SHARD_TYPE_Q5_0, q5_0)                                                                                           \
    X(SHARD_TYPE_Q5_1, q5_1)                                                                                           \
    X(SHARD_TYPE_IQ4_NL, iq4_nl)                                                                                       \
    X(SHARD_TYPE_MXFP4, mxfp4)                                                                                         \
    X(SHARD_TYPE_Q2_K, q2_K)                                                                                           \
    X(SHARD_TYPE_Q3_K, q3_K)                                                                                           \
    X(SHARD_TYPE_Q4_K, q4_K)                                                                                           \
    X(SHARD_TYPE_Q5_K, q5_K)                                                                                           \
    X(SHARD_TYPE_Q6_K, q6_K)                                                                                           \
    X(SHARD_TYPE_IQ4_XS, iq4_xs)
#define WIDENED(X)                                                                                                     \
    X(SHARD_TYPE_IQ1_S, iq1_s)                                                                                         \
    X(SHARD_TYPE_IQ1_M, iq1_m)                                                                                         \
    X(SHARD_TYPE_IQ2_XXS, iq2_xxs)                                                                                     \
    X(SHARD_TYPE_IQ2_XS, iq2_xs)                                                                                       \
    X(SHARD_TYPE_IQ2_S, iq2_s)                                                                                         \
    X(SHARD_TYPE_IQ3_XXS, iq3_xxs)                                                                                     \
    X(SHARD_TYPE_IQ3_S, iq3_s)                                                                                         \
    X(SHARD_TYPE_TQ1_0, tq1_0)                                                                                         \
    X(SHARD_TYPE_TQ2_0, tq2_0)

/// The form of a type; NULL for one that kernels do not know, no fields for one that is widened.
static const form *form_of(uint32_t type) {
#define FORM(type, form)                                                                                               \
    case type:                                                                                                         \
        return &form;
    switch (type) {
        INTERLEAVED(FORM)
        WIDENED(FORM)
    default:
        return NULL;
    }
#undef FORM
}

shard_layout shard_block_layout(uint32_t type) {
    const form *form = form_of(type);
    return form != NULL ? form->layout : (shard_layout){1, 0};
}

bool shard_type_is_supported(uint32_t type) {
    return form_of(type) != NULL;
}

bool shard_type_is_widened(uint32_t type) {
    const form *form = form_of(type);
    return form != NULL && form->fields[0].bytes == 0;
}

// MARK: Sizes

bool shard_columns_are_whole(uint32_t type, size_t column_count) {
    shard_layout layout = shard_block_layout(type);
    return layout.bytes != 0 && column_count != 0 && column_count % layout.elements == 0;
}

size_t shard_row_bytes(uint32_t type, size_t column_count) {
    shard_layout layout = shard_block_layout(type);
    return column_count / layout.elements * layout.bytes;
}

size_t shard_tile_bytes(uint32_t type, size_t column_count) {
    return SHARD_TILE_ROWS * shard_row_bytes(type, column_count);
}

size_t shard_tile_count(size_t row_count) {
    return row_count / SHARD_TILE_ROWS + (row_count % SHARD_TILE_ROWS != 0);
}

size_t shard_packed_bytes(uint32_t type, size_t row_count, size_t column_count) {
    return shard_tile_count(row_count) * shard_tile_bytes(type, column_count);
}

uint32_t shard_activation_kind(uint32_t type) {
    shard_layout layout = shard_block_layout(type);
    if (layout.elements == 1 || shard_type_is_widened(type)) {
        return SHARD_ACTIVATION_F32;
    }
    return layout.elements == 32 ? SHARD_ACTIVATION_Q8_32 : SHARD_ACTIVATION_Q8_256;
}

// MARK: The order of bits

static void swap_bytes(uint8_t *a, uint8_t *b) {
    uint8_t kept = *a;
    *a = *b;
    *b = kept;
}

/// Bytes 1 and 2 of each four change places: even bytes are then the first two, odd bytes the last two. Its own
/// reverse.
static void arrange_fours(uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i += 4) {
        swap_bytes(bytes + i + 1, bytes + i + 2);
    }
}

/// 32 bits, bit i to bit i / 4 of byte i mod 4.
static void arrange_high_bits(uint8_t *bytes, bool back) {
    uint32_t from, to = 0;
    memcpy(&from, bytes, sizeof from);
    for (int byte = 0; byte < 4; byte++) {
        uint32_t x;
        if (back) { // spread the bits of a byte to every fourth
            x = from >> 8 * byte & 0xff;
            x = (x | x << 12) & 0x000f000f;
            x = (x | x << 6) & 0x03030303;
            x = (x | x << 3) & 0x11111111;
            to |= x << byte;
        } else { // gather every fourth bit
            x = from >> byte & 0x11111111;
            x = (x | x >> 3) & 0x03030303;
            x = (x | x >> 6) & 0x000f000f;
            x = (x | x >> 12) & 0xff;
            to |= x << 8 * byte;
        }
    }
    memcpy(bytes, &to, sizeof to);
}

/// Byte k of each four: low nibbles of scales k and k + 4; likewise of minima; then their high bits: from bit 0 on two
/// of scale k, of scale k + 4, of minimum k, of minimum k + 4. The file has scales 0 to 3 in 6 bits each, below the
/// high bits of scales 4 to 7; minima likewise; then low nibbles of scales and minima 4 to 7. Its own reverse.
static void arrange_scales_q4_K(uint8_t *bytes) {
    const uint32_t low = 0x0f0f0f0f, high = 0xf0f0f0f0;
    uint32_t in[3]; // four bytes side by side
    memcpy(in, bytes, sizeof in);
    const uint32_t out[3] = {(in[0] & low) | (in[2] & low) << 4, (in[1] & low) | (in[2] & high),
                             (in[0] >> 4 & low) | (in[1] & high)};
    memcpy(bytes, out, sizeof out);
    arrange_fours(bytes, sizeof out);
}

/// Nibble k of the 4 bytes of low nibbles and of the 2 of high bits: byte k gets the low nibbles of scales k (low) and
/// k + 4, nibble k the two high bits of scales k (low) and k + 4.
static void arrange_scales_iq4_xs(uint8_t *low, uint8_t *high, bool back) {
    static const size_t place[4] = {0, 2, 1, 3};
    uint8_t low_out[4] = {0}, high_out[2] = {0};
    for (size_t j = 0; j < 8; j++) {
        size_t file_low = 4 * j, file_high = 2 * j; // first bits
        size_t tile_low = 8 * place[j % 4] + 4 * (j / 4), tile_high = 4 * place[j % 4] + 2 * (j / 4);
        size_t from_low = back ? tile_low : file_low, to_low = back ? file_low : tile_low;
        size_t from_high = back ? tile_high : file_high, to_high = back ? file_high : tile_high;
        low_out[to_low / 8] |= (uint8_t)((low[from_low / 8] >> from_low % 8 & 15) << to_low % 8);
        high_out[to_high / 8] |= (uint8_t)((high[from_high / 8] >> from_high % 8 & 3) << to_high % 8);
    }
    memcpy(low, low_out, sizeof low_out);
    memcpy(high, high_out, sizeof high_out);
}

static void arrange_q5_0(uint8_t *block, bool back) {
    arrange_high_bits(block + offsetof(block_q5_0, qh), back);
}
static void arrange_q5_1(uint8_t *block, bool back) {
    arrange_high_bits(block + offsetof(block_q5_1, qh), back);
}
static void arrange_q3_K(uint8_t *block, bool back) {
    (void)back;
    arrange_fours(block + offsetof(block_q3_K, scales), 12);
}
static void arrange_q4_K(uint8_t *block, bool back) {
    (void)back;
    arrange_scales_q4_K(block + offsetof(block_q4_K, scales));
}
static void arrange_q5_K(uint8_t *block, bool back) {
    (void)back;
    arrange_scales_q4_K(block + offsetof(block_q5_K, scales));
}
/// The weights (ql, then qh) in 4 parts of 48 bytes, each three times 16: the 6 bits of weights 0 … 15 of the part's
/// first three sub-blocks, and on top of them two bits each of its fourth's, the low ones first.
static void arrange_q6_K(uint8_t *block, bool back) {
    uint8_t out[192];
    for (size_t part = 0; part < 4; part++) {
        uint8_t *file = back ? out : block, *tile = (back ? block : out) + part * 48;
        uint8_t *first = file + part / 2 * 64 + part % 2 * 16, *second = first + 32; // of ql
        uint8_t *high = file + 128 + part / 2 * 32 + part % 2 * 16;                  // of qh
        if (back) {
            for (size_t i = 0; i < 16; i++) {
                uint8_t last = (uint8_t)(tile[i] >> 6 | tile[i + 16] >> 6 << 2 | tile[i + 32] >> 6 << 4);
                first[i] = (uint8_t)((tile[i] & 15) | (tile[i + 32] & 15) << 4);
                second[i] = (uint8_t)((tile[i + 16] & 15) | (last & 15) << 4);
                high[i] = (uint8_t)((tile[i] >> 4 & 3) | (tile[i + 16] >> 4 & 3) << 2 | (tile[i + 32] & 0x30) |
                                    (last & 0x30) << 2);
            }
        } else {
            for (size_t i = 0; i < 16; i++) {
                tile[i] = (uint8_t)((first[i] & 15) | (high[i] & 3) << 4 | (second[i] & 0x30) << 2);
                tile[i + 16] = (uint8_t)((second[i] & 15) | (high[i] & 0x0c) << 2 | (second[i] & 0xc0));
                tile[i + 32] = (uint8_t)(first[i] >> 4 | (high[i] & 0xf0));
            }
        }
    }
    memcpy(block, out, sizeof out);
}
static void arrange_iq4_xs(uint8_t *block, bool back) {
    arrange_scales_iq4_xs(block + offsetof(block_iq4_xs, scales_l), block + offsetof(block_iq4_xs, scales_h), back);
}

// MARK: Packing

typedef uint32_t u32x4 __attribute__((vector_size(16)));

static inline __attribute__((always_inline)) u32x4 load_four(const uint8_t *from) {
    u32x4 four;
    memcpy(&four, from, sizeof four);
    return four;
}

/// 16 bytes of each row, interleaved in pieces of 4: what stands below each other of four rows comes together.
static inline __attribute__((always_inline)) void interleave_fours(const uint8_t *const *rows, size_t at,
                                                                   uint8_t *restrict to) {
    for (size_t row = 0; row < SHARD_TILE_ROWS; row += 4) {
        const u32x4 a = load_four(rows[row] + at), b = load_four(rows[row + 1] + at);
        const u32x4 c = load_four(rows[row + 2] + at), d = load_four(rows[row + 3] + at);
        const u32x4 ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5),
                    ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
        const u32x4 cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5),
                    cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
        const u32x4 columns[4] = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5),
                                  __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                                  __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                                  __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
        for (size_t column = 0; column < 4; column++) {
            memcpy(to + column * SHARD_TILE_ROWS * 4 + row * 4, &columns[column], sizeof columns[column]);
        }
    }
}

/// Interleaves `size` (a constant) bytes of each row at a time.
static inline __attribute__((always_inline)) void interleave(const uint8_t *const *rows, size_t bytes, size_t size,
                                                             uint8_t *restrict to) {
    size_t i = 0;
    for (; size == 4 && i + 16 <= bytes; i += 16) {
        interleave_fours(rows, i, to + SHARD_TILE_ROWS * i);
    }
    for (; i < bytes; i += size) {
        for (size_t row = 0; row < SHARD_TILE_ROWS; row++) {
            memcpy(to + SHARD_TILE_ROWS * i + row * size, rows[row] + i, size);
        }
    }
}

static inline __attribute__((always_inline)) void interleave_field(const uint8_t *const *blocks, const field *field,
                                                                   uint8_t *to) {
    const uint8_t *rows[SHARD_TILE_ROWS];
    for (size_t row = 0; row < SHARD_TILE_ROWS; row++) {
        rows[row] = blocks[row] + field->offset;
    }
    switch (field->piece) {
    case 4:
        return interleave(rows, field->bytes, 4, to);
    case 2:
        return interleave(rows, field->bytes, 2, to);
    default:
        return interleave(rows, field->bytes, 1, to);
    }
}

/// Packs one tile of rows of plain elements. A cache line of each row is copied first: rows are often a power of two
/// apart, where 16 of them do not stay in the first-level cache.
static inline __attribute__((always_inline)) void pack_plain_tile(const form *form, const uint8_t *const *rows,
                                                                  size_t row_bytes, uint8_t *tile) {
    enum { LINE = 64 };
    for (size_t at = 0; at < row_bytes; at += LINE) {
        const field run = {0, row_bytes - at < LINE ? row_bytes - at : LINE, form->fields[0].piece};
        uint8_t lines[SHARD_TILE_ROWS][LINE];
        const uint8_t *pieces[SHARD_TILE_ROWS];
        for (size_t row = 0; row < SHARD_TILE_ROWS; row++) {
            if (run.bytes == LINE) {
                memcpy(lines[row], rows[row] + at, LINE);
            } else {
                memcpy(lines[row], rows[row] + at, run.bytes);
            }
            pieces[row] = lines[row];
        }
        interleave_field(pieces, &run, tile + SHARD_TILE_ROWS * at);
    }
}

/// Packs one tile of `block_count` blocks a row from 16 rows. `form` is a constant, so that sizes are.
static inline __attribute__((always_inline)) void pack_tile(const form *form, const uint8_t *const *rows,
                                                            size_t block_count, uint8_t *tile) {
    if (form->layout.elements == 1) {
        return pack_plain_tile(form, rows, block_count * form->layout.bytes, tile);
    }
    uint8_t arranged[SHARD_TILE_ROWS][SHARD_BLOCK_BYTES_MAX];
    for (size_t b = 0; b < block_count; b++) {
        const uint8_t *blocks[SHARD_TILE_ROWS], *changed[SHARD_TILE_ROWS];
        for (size_t row = 0; row < SHARD_TILE_ROWS; row++) {
            blocks[row] = rows[row] + b * form->layout.bytes;
            if (form->arrange != NULL) {
                memcpy(arranged[row] + form->arranged_first, blocks[row] + form->arranged_first,
                       form->arranged_end - form->arranged_first);
                form->arrange(arranged[row], false);
                changed[row] = arranged[row];
            }
        }
        for (size_t f = 0; f < FIELDS_MAX; f++) {
            const field *field = &form->fields[f];
            const bool is_arranged = field->offset >= form->arranged_first && field->offset < form->arranged_end;
            interleave_field(form->arrange != NULL && is_arranged ? changed : blocks, field, tile);
            tile += SHARD_TILE_ROWS * field->bytes;
        }
    }
}

static void pack_rows(uint32_t type, const uint8_t *const *rows, size_t block_count, uint8_t *tile) {
#define PACK(type, form)                                                                                               \
    case type:                                                                                                         \
        return pack_tile(&form, rows, block_count, tile);
    switch (type) {
        INTERLEAVED(PACK)
    default: // widened types are not interleaved
        return;
    }
#undef PACK
}

/// Packs a tile of which only `present` rows exist, block by block; the others become zeros.
static void pack_last_rows(uint32_t type, const uint8_t *first, size_t row_bytes, size_t present, uint8_t *tile) {
    static const uint8_t zeros[SHARD_BLOCK_BYTES_MAX] = {0};
    size_t block_bytes = shard_block_layout(type).bytes;
    for (size_t at = 0; at < row_bytes; at += block_bytes) {
        const uint8_t *rows[SHARD_TILE_ROWS];
        for (size_t row = 0; row < SHARD_TILE_ROWS; row++) {
            rows[row] = row < present ? first + row * row_bytes + at : zeros;
        }
        pack_rows(type, rows, 1, tile + SHARD_TILE_ROWS * at);
    }
}

void shard_pack(uint32_t type, const void *restrict rows, size_t row_count, size_t column_count, size_t tile_first,
                size_t tile_end, void *restrict packed) {
    size_t row_bytes = shard_row_bytes(type, column_count);
    size_t block_count = column_count / shard_block_layout(type).elements;
    for (size_t t = tile_first; t < tile_end; t++) {
        const uint8_t *first = (const uint8_t *)rows + t * SHARD_TILE_ROWS * row_bytes;
        uint8_t *tile = (uint8_t *)packed + t * SHARD_TILE_ROWS * row_bytes;
        size_t present = row_count - t * SHARD_TILE_ROWS;
        present = present < SHARD_TILE_ROWS ? present : SHARD_TILE_ROWS;
        if (shard_type_is_widened(type)) {
            memcpy(tile, first, present * row_bytes);
            memset(tile + present * row_bytes, 0, (SHARD_TILE_ROWS - present) * row_bytes);
        } else if (present < SHARD_TILE_ROWS) {
            pack_last_rows(type, first, row_bytes, present, tile);
        } else {
            const uint8_t *tile_rows[SHARD_TILE_ROWS];
            for (size_t row = 0; row < SHARD_TILE_ROWS; row++) {
                tile_rows[row] = first + row * row_bytes;
            }
            pack_rows(type, tile_rows, block_count, tile);
        }
    }
}

void shard_unpack_block(uint32_t type, const uint8_t *tile, size_t block_count, size_t b, size_t lane,
                        uint8_t *restrict block) {
    const form *form = form_of(type);
    if (form->fields[0].bytes == 0) {
        memcpy(block, tile + (lane * block_count + b) * form->layout.bytes, form->layout.bytes);
        return;
    }
    const uint8_t *from = tile + SHARD_TILE_ROWS * b * form->layout.bytes;
    for (size_t f = 0; f < FIELDS_MAX; f++) {
        const field *field = &form->fields[f];
        for (size_t i = 0; i < field->bytes; i += field->piece) {
            memcpy(block + field->offset + i, from + i * SHARD_TILE_ROWS + lane * field->piece, field->piece);
        }
        from += SHARD_TILE_ROWS * field->bytes;
    }
    if (form->arrange != NULL) {
        form->arrange(block, true);
    }
}
