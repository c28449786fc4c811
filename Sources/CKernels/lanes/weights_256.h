// Weights of blocks of 256 as bytes in lanes, and the scales of their sub-blocks.
//
// Sub-blocks of 32 come as 4 chunks of 2 halves, those of 16 as 4 parts of 4 kinds: what a loop goes over is a part of
// the block that needs no other instructions, and `kind` a constant that chooses them.
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
    /// Bytes of a block of 16 rows, and those before its d.
    size_t bytes, scales_at;
} superblock_form;

INLINE superblock_form superblock_form_of(uint32_t type) {
    switch (type) {
    case SHARD_TYPE_Q2_K:
        return (superblock_form){2, 0, 16, 4, true, 1344, 1280};
    case SHARD_TYPE_Q3_K:
        return (superblock_form){3, 2, 16, 4, false, 1760, 1728};
    case SHARD_TYPE_Q4_K:
        return (superblock_form){4, 0, 32, 2, true, 2304, 2240};
    case SHARD_TYPE_Q5_K:
        return (superblock_form){5, 0, 32, 2, true, 2816, 2752};
    case SHARD_TYPE_Q6_K:
        return (superblock_form){6, 5, 16, 4, false, 3360, 3328};
    default: // IQ4_XS
        return (superblock_form){8, SHARD_SIGNED_OFFSET == 0 ? 0 : 7, 32, 2, false, 2176, 64};
    }
}

/// Which sub-block the part and kind are.
INLINE size_t sub_block_of(uint32_t type, size_t part, size_t kind) {
    return superblock_form_of(type).width == 32 ? 2 * part + kind : part / 2 * 8 + 2 * kind + part % 2;
}

/// Bytes of group g (4 columns) of a sub-block of a block of 16 rows.
INLINE u8x64 sub_block_weights(uint32_t type, const uint8_t *block, size_t part, size_t kind, size_t g) {
    switch (type) {
    case SHARD_TYPE_Q2_K: // 2 bits
        return bytes_bits(bytes_load(block + 256 + part * 256 + g * 64), 2 * (int)kind, 3);
    case SHARD_TYPE_Q3_K: { // 2 bits, and one of hmask
        u8x64 low = bytes_bits(bytes_load(block + 704 + part * 256 + g * 64), 2 * (int)kind, 3);
        u8x64 high = bytes_load(block + 192 + part % 2 * 256 + g * 64);
        return bytes_or_if(low, high, (uint8_t)(1 << (part / 2 * 4 + kind)), 4);
    }
    case SHARD_TYPE_Q4_K: { // nibbles
        u8x64 both = bytes_load(block + 192 + part * 512 + g * 64);
        return kind == 0 ? bytes_low(both) : bytes_high(both);
    }
    case SHARD_TYPE_Q5_K: { // nibbles, and one bit of qh
        u8x64 both = bytes_load(block + 704 + part * 512 + g * 64), high = bytes_load(block + 192 + g * 64);
        return bytes_or_if(kind == 0 ? bytes_low(both) : bytes_high(both), high, (uint8_t)(1 << (2 * part + kind)), 16);
    }
    case SHARD_TYPE_Q6_K: { // 6 bits of three bytes, and the two bits on top of each
        const uint8_t *vectors = block + 256 + part * 768 + g * 64;
        if (kind < 3) {
            return bytes_bits(bytes_load(vectors + kind * 256), 0, 63);
        }
        u8x64 low = bytes_bits(bytes_load(vectors), 6, 0x03), middle = bytes_bits(bytes_load(vectors + 256), 4, 0x0c);
        return bytes_or(bytes_or(low, middle), bytes_bits(bytes_load(vectors + 512), 2, 0x30));
    }
    default: { // IQ4_XS: nibbles that name values
        u8x64 both = bytes_load(block + 128 + (2 * part + kind) * 256 + g % 4 * 64);
        u8x64 nibbles = g < 4 ? bytes_low(both) : bytes_high(both);
        return bytes_signed(bytes_lookup((const uint8_t *)iq4_nl_values, nibbles));
    }
    }
}

/// Scales and minima of a block's sub-blocks as 16-bit numbers, two in each lane: of sub-blocks 2i and 2i + 1.
typedef struct sub_scales {
    i32x16 scales[8], minima[8];
} sub_scales;

INLINE i32x16 i32_load_bytes(const uint8_t *x) {
    return i32_load((const void *)x);
}

/// Two pairs from the bytes of four scales, of sub-blocks 0, 2, 1, 3.
INLINE void split_fours(i32x16 four, i32x16 *pairs) {
    pairs[0] = i16_low_bytes(four);
    pairs[1] = i16_high_bytes(four);
}

/// Nibbles of every byte, with two bits of `high` (moved right by `shift`) on top.
INLINE i32x16 six_bits(i32x16 low, i32x16 high, const int shift) {
    i32x16 top = shift < 0 ? i32_shift_left(high, -shift) : i32_shift_right(high, shift);
    return i32_or(i32_and(low, i32_set(0x0f0f0f0f)), i32_and(top, i32_set(0x30303030)));
}

INLINE i32x16 less_32(i32x16 bytes) {
    return i32_sub_bytes(bytes, i32_set(0x20202020));
}

INLINE sub_scales sub_scales_of(uint32_t type, const uint8_t *block) {
    sub_scales all;
    switch (type) {
    case SHARD_TYPE_Q2_K: // nibbles: scale, minimum
        for (size_t i = 0; i < 8; i++) {
            i32x16 both = i16_load_i8((const void *)(block + i * 32));
            all.scales[i] = i32_and(both, i32_set(0x000f000f));
            all.minima[i] = i32_and(i32_shift_right(both, 4), i32_set(0x000f000f));
        }
        return all;
    case SHARD_TYPE_Q3_K: { // low nibbles of 0 … 3 and 8 … 11, of 4 … 7 and 12 … 15, then high bits of all
        i32x16 first = i32_load_bytes(block), second = i32_load_bytes(block + 64), high = i32_load_bytes(block + 128);
        split_fours(less_32(six_bits(first, high, -4)), all.scales);
        split_fours(less_32(six_bits(second, high, -2)), all.scales + 2);
        split_fours(less_32(six_bits(i32_shift_right(first, 4), high, 0)), all.scales + 4);
        split_fours(less_32(six_bits(i32_shift_right(second, 4), high, 2)), all.scales + 6);
        return all;
    }
    case SHARD_TYPE_Q4_K:
    case SHARD_TYPE_Q5_K: { // low nibbles of scales, of minima, then high bits of both: see packing.c
        i32x16 scales = i32_load_bytes(block), minima = i32_load_bytes(block + 64), high = i32_load_bytes(block + 128);
        split_fours(six_bits(scales, high, -4), all.scales);
        split_fours(six_bits(i32_shift_right(scales, 4), high, -2), all.scales + 2);
        split_fours(six_bits(minima, high, 0), all.minima);
        split_fours(six_bits(i32_shift_right(minima, 4), high, 2), all.minima + 2);
        return all;
    }
    case SHARD_TYPE_Q6_K:
        for (size_t i = 0; i < 8; i++) {
            all.scales[i] = i16_load_i8((const void *)(block + i * 32));
        }
        return all;
    default: { // IQ4_XS: low nibbles, and 4 bits of a half for each two scales
        i32x16 low = i32_load_bytes(block);
        i32x16 high = i32_load_u16((const void *)(block + 96));
        high = i32_and(i32_or(high, i32_shift_left(high, 8)), i32_set(0x00ff00ff));
        high = i32_and(i32_or(high, i32_shift_left(high, 4)), i32_set(0x0f0f0f0f));
        split_fours(less_32(six_bits(low, high, -4)), all.scales);
        split_fours(less_32(six_bits(i32_shift_right(low, 4), high, -2)), all.scales + 2);
        return all;
    }
    }
}

/// Adds Σ scale × sum over the sub-blocks, exactly.
INLINE i32x16 plus_scaled_sums(i32x16 total, const i32x16 *scales, const size_t pairs, const int16_t *sums) {
    for (size_t i = 0; i < pairs; i++) {
        total = i32_plus_products(total, scales[i], sums + 2 * i);
    }
    return total;
}

/// d of a block, and dmin where the type has minima.
INLINE f32x16 superblock_scales(uint32_t type, const uint8_t *block, f32x16 *dmin) {
    const uint8_t *scales = block + superblock_form_of(type).scales_at;
    if (superblock_form_of(type).has_minimum) {
        *dmin = f32_load_f16((const void *)(scales + 32));
    }
    return f32_load_f16((const void *)scales);
}

#endif
