// Weights of blocks of 256 as bytes in lanes, and the scales of their sub-blocks.
//
// Sub-blocks of 32 come as 4 chunks of 2 halves, those of 16 as 4 parts of 4 kinds: what a loop goes over is a part of the
// block that needs no other instructions, and `kind` a constant that chooses them.
#ifndef SHARD_LANES_WEIGHTS_256_H
#define SHARD_LANES_WEIGHTS_256_H

typedef struct superblock_form {
    /// Of the bytes; 8 means signed: `bytes_signed` adds `SHARD_SIGNED_OFFSET`.
    int bits;
    /// A byte less 2^this is the weight; 0: it is the weight.
    int offset_shift;
    /// Columns of a sub-block, and how many kinds of sub-blocks there are.
    size_t width, kinds;
    bool has_minimum;
} superblock_form;

INLINE superblock_form superblock_form_of(uint32_t type) {
    switch (type) {
    case SHARD_TYPE_Q2_K:
        return (superblock_form){2, 0, 16, 4, true};
    case SHARD_TYPE_Q3_K:
        return (superblock_form){3, 2, 16, 4, false};
    case SHARD_TYPE_Q4_K:
        return (superblock_form){4, 0, 32, 2, true};
    case SHARD_TYPE_Q5_K:
        return (superblock_form){5, 0, 32, 2, true};
    case SHARD_TYPE_Q6_K:
        return (superblock_form){6, 5, 16, 4, false};
    default: // IQ4_XS
        return (superblock_form){8, SHARD_SIGNED_OFFSET == 0 ? 0 : 7, 32, 2, false};
    }
}

/// Which sub-block the part and kind are.
INLINE size_t sub_block_of(uint32_t type, size_t part, size_t kind) {
    return superblock_form_of(type).width == 32 ? 2 * part + kind : part / 2 * 8 + 2 * kind + part % 2;
}

/// Bytes of group g (4 columns) of a sub-block.
INLINE u8x64 sub_block_weights(uint32_t type, const uint8_t *tile, size_t block_count, size_t b, size_t part,
                               size_t kind, size_t g) {
    switch (type) {
    case SHARD_TYPE_Q2_K: { // 2 bits
        const uint8_t *qs = tile_field(tile, block_count, 0, 64, b) + part * 256;
        return bytes_bits(bytes_load(qs + g * 64), 2 * (int)kind, 3);
    }
    case SHARD_TYPE_Q3_K: { // 2 bits, and one of hmask
        const uint8_t *qs = tile_field(tile, block_count, 0, 64, b) + part * 256;
        const uint8_t *high = tile_field(tile, block_count, 64, 32, b) + part % 2 * 256;
        u8x64 low = bytes_bits(bytes_load(qs + g * 64), 2 * (int)kind, 3);
        return bytes_or_if(low, bytes_load(high + g * 64), (uint8_t)(1 << (part / 2 * 4 + kind)), 4);
    }
    case SHARD_TYPE_Q4_K: { // nibbles
        u8x64 both = bytes_load(tile_field(tile, block_count, 0, 128, b) + part * 512 + g * 64);
        return kind == 0 ? bytes_low(both) : bytes_high(both);
    }
    case SHARD_TYPE_Q5_K: { // nibbles, and one bit of qh
        u8x64 both = bytes_load(tile_field(tile, block_count, 0, 128, b) + part * 512 + g * 64);
        u8x64 high = bytes_load(tile_field(tile, block_count, 128, 32, b) + g * 64);
        return bytes_or_if(kind == 0 ? bytes_low(both) : bytes_high(both), high, (uint8_t)(1 << (2 * part + kind)), 16);
    }
    case SHARD_TYPE_Q6_K: { // nibbles, and two bits of qh
        const uint8_t *ql = tile_field(tile, block_count, 0, 128, b) + part / 2 * 1024 + kind % 2 * 512 + part % 2 * 256;
        const uint8_t *qh = tile_field(tile, block_count, 128, 64, b) + part * 256;
        u8x64 both = bytes_load(ql + g * 64);
        u8x64 high = bytes_bits(bytes_load(qh + g * 64), 2 * (int)kind - 4, 0x30);
        return bytes_or(kind < 2 ? bytes_low(both) : bytes_high(both), high);
    }
    default: { // IQ4_XS: nibbles that name values
        const uint8_t *qs = tile_field(tile, block_count, 0, 128, b) + (2 * part + kind) * 256;
        u8x64 both = bytes_load(qs + g % 4 * 64);
        u8x64 nibbles = g < 4 ? bytes_low(both) : bytes_high(both);
        return bytes_signed(bytes_lookup((const uint8_t *)iq4_nl_values, nibbles));
    }
    }
}

/// Scales and minima of a block's sub-blocks, 4 in the bytes of each lane: of sub-blocks 4i, 4i + 2, 4i + 1, 4i + 3.
typedef struct sub_scales {
    i32x16 scales[4], minima[4];
} sub_scales;

INLINE i32x16 i32_load_bytes(const uint8_t *x) {
    return i32_load((const void *)x);
}

/// Nibbles of every byte, with two bits of `high` (moved right by `shift`) on top.
INLINE i32x16 six_bits(i32x16 low, i32x16 high, const int shift) {
    i32x16 top = shift < 0 ? i32_shift_left(high, -shift) : i32_shift_right(high, shift);
    return i32_or(i32_and(low, i32_set(0x0f0f0f0f)), i32_and(top, i32_set(0x30303030)));
}

INLINE i32x16 less_32(i32x16 bytes) {
    return i32_sub_bytes(bytes, i32_set(0x20202020));
}

INLINE sub_scales sub_scales_of(uint32_t type, const uint8_t *tile, size_t block_count, size_t b) {
    sub_scales all;
    switch (type) {
    case SHARD_TYPE_Q2_K: { // nibbles: scale, minimum
        const uint8_t *both = tile_field(tile, block_count, 64, 16, b);
        for (size_t i = 0; i < 4; i++) {
            i32x16 four = i32_load_bytes(both + i * 64);
            all.scales[i] = i32_and(four, i32_set(0x0f0f0f0f));
            all.minima[i] = i32_and(i32_shift_right(four, 4), i32_set(0x0f0f0f0f));
        }
        return all;
    }
    case SHARD_TYPE_Q3_K: { // low nibbles of 0 … 3 and 8 … 11, of 4 … 7 and 12 … 15, then high bits of all
        const uint8_t *bytes = tile_field(tile, block_count, 96, 12, b);
        i32x16 first = i32_load_bytes(bytes), second = i32_load_bytes(bytes + 64), high = i32_load_bytes(bytes + 128);
        all.scales[0] = less_32(six_bits(first, high, -4));
        all.scales[1] = less_32(six_bits(second, high, -2));
        all.scales[2] = less_32(six_bits(i32_shift_right(first, 4), high, 0));
        all.scales[3] = less_32(six_bits(i32_shift_right(second, 4), high, 2));
        return all;
    }
    case SHARD_TYPE_Q4_K:
    case SHARD_TYPE_Q5_K: { // low nibbles of scales, of minima, then high bits of both: see packing.c
        const uint8_t *bytes = tile_field(tile, block_count, type == SHARD_TYPE_Q4_K ? 128 : 160, 12, b);
        i32x16 scales = i32_load_bytes(bytes), minima = i32_load_bytes(bytes + 64), high = i32_load_bytes(bytes + 128);
        all.scales[0] = six_bits(scales, high, -4);
        all.scales[1] = six_bits(i32_shift_right(scales, 4), high, -2);
        all.minima[0] = six_bits(minima, high, 0);
        all.minima[1] = six_bits(i32_shift_right(minima, 4), high, 2);
        return all;
    }
    case SHARD_TYPE_Q6_K: {
        const uint8_t *bytes = tile_field(tile, block_count, 192, 16, b);
        for (size_t i = 0; i < 4; i++) {
            all.scales[i] = i32_load_bytes(bytes + i * 64);
        }
        return all;
    }
    default: { // IQ4_XS: low nibbles, and 4 bits of a half for each two scales
        i32x16 low = i32_load_bytes(tile_field(tile, block_count, 128, 4, b));
        i32x16 high = i32_load_u16((const void *)(tile_field(tile, block_count, 132, 4, b) + 32));
        high = i32_and(i32_or(high, i32_shift_left(high, 8)), i32_set(0x00ff00ff));
        high = i32_and(i32_or(high, i32_shift_left(high, 4)), i32_set(0x0f0f0f0f));
        all.scales[0] = less_32(six_bits(low, high, -4));
        all.scales[1] = less_32(six_bits(i32_shift_right(low, 4), high, -2));
        return all;
    }
    }
}

/// Scale of one sub-block, from four of them.
INLINE i32x16 sub_scale(i32x16 four, const size_t index) {
    const int bit = index == 0 ? 0 : index == 1 ? 16 : index == 2 ? 8 : 24;
    return i32_shift_right(i32_shift_left(four, 24 - bit), 24);
}

/// Adds Σ scale × sum over the sub-blocks, exactly. `fours` counts vectors of four scales.
INLINE i32x16 plus_scaled_sums(i32x16 total, const i32x16 *scales, const size_t fours, const int16_t *sums) {
    for (size_t i = 0; i < fours; i++) {
        total = i32_plus_products(total, i16_low_bytes(scales[i]), sums + 4 * i);
        total = i32_plus_products(total, i16_high_bytes(scales[i]), sums + 4 * i + 2);
    }
    return total;
}

/// d of block b, and dmin where the type has minima.
INLINE f32x16 superblock_scales(uint32_t type, const uint8_t *tile, size_t block_count, size_t b, f32x16 *dmin) {
    size_t before;
    switch (type) {
    case SHARD_TYPE_Q2_K:
        before = 80;
        break;
    case SHARD_TYPE_Q3_K:
        before = 108;
        break;
    case SHARD_TYPE_Q4_K:
        before = 140;
        break;
    case SHARD_TYPE_Q5_K:
        before = 172;
        break;
    case SHARD_TYPE_Q6_K:
        before = 208;
        break;
    default:
        before = 132;
        break;
    }
    bool has_two = type != SHARD_TYPE_Q3_K && type != SHARD_TYPE_Q6_K; // d and dmin, or d and IQ4_XS's bits
    const uint16_t *halves = (const void *)tile_field(tile, block_count, before, has_two ? 4 : 2, b);
    if (superblock_form_of(type).has_minimum) {
        *dmin = f32_load_f16(halves + 16);
    }
    return f32_load_f16(halves);
}

#endif
