// Weights of blocks of 32 as bytes in lanes: what of each block multiplies activations, group by group of 4 columns.
#ifndef SHARD_LANES_WEIGHTS_32_H
#define SHARD_LANES_WEIGHTS_32_H

/// What the bytes of a type are: integers of so many bits, from which `offset` has to be taken to have the weight.
/// 8 bits means signed: `bytes_signed` adds `SHARD_SIGNED_OFFSET`.
typedef struct byte_form {
    int bits;
    int32_t offset;
    bool has_minimum;
    /// Bytes of a block of 16 rows.
    size_t bytes;
} byte_form;

INLINE byte_form block_form(uint32_t type) {
    switch (type) {
    case SHARD_TYPE_Q4_0:
        return (byte_form){4, 8, false, 288};
    case SHARD_TYPE_Q4_1:
        return (byte_form){4, 0, true, 320};
    case SHARD_TYPE_Q5_0:
        return (byte_form){5, 16, false, 352};
    case SHARD_TYPE_Q5_1:
        return (byte_form){5, 0, true, 384};
    case SHARD_TYPE_IQ4_NL:
        return (byte_form){8, SHARD_SIGNED_OFFSET, false, 288};
    case SHARD_TYPE_MXFP4:
        return (byte_form){5, 12, false, 272};
    default: // Q8_0
        return (byte_form){8, SHARD_SIGNED_OFFSET, false, 544};
    }
}

/// Nibbles of group g (0 … 7) of a block: 4 vectors have columns 4g in the low ones, 4g + 16 in the high ones.
INLINE u8x64 block_nibbles(const uint8_t *vectors, size_t g) {
    u8x64 both = bytes_load(vectors + g % 4 * 64);
    return g < 4 ? bytes_low(both) : bytes_high(both);
}

/// Bytes of group g (columns 4g to 4g + 3) of a block of 16 rows.
INLINE u8x64 block_weights(uint32_t type, const uint8_t *block, size_t g) {
    static const uint8_t mxfp4_bytes[16] = {12, 13, 14, 15, 16, 18, 20, 24,
                                            12, 11, 10, 9,  8,  6,  4,  0}; // its values + 12
    if (type == SHARD_TYPE_Q8_0) {
        return bytes_signed(bytes_load(block + g * 64));
    }
    u8x64 nibbles = block_nibbles(block, g);
    switch (type) {
    case SHARD_TYPE_Q5_0:
    case SHARD_TYPE_Q5_1: {
        u8x64 high = bytes_load(block + 256); // bit g of each byte
        return bytes_or(nibbles, bytes_bits(high, (int)g - 4, 0x10));
    }
    case SHARD_TYPE_IQ4_NL:
        return bytes_signed(bytes_lookup((const uint8_t *)iq4_nl_values, nibbles));
    case SHARD_TYPE_MXFP4:
        return bytes_lookup(mxfp4_bytes, nibbles);
    default: // Q4_0, Q4_1
        return nibbles;
    }
}

/// Bytes of a block of 16 rows before its scales.
INLINE size_t block_scales_at(uint32_t type) {
    switch (type) {
    case SHARD_TYPE_Q8_0:
        return 512;
    case SHARD_TYPE_Q5_0:
    case SHARD_TYPE_Q5_1:
        return 320;
    default:
        return 256;
    }
}

/// 2^(e − 128), exact: the first two are denormal.
INLINE f32x16 f32_load_e8m0(const uint8_t *x) {
    i32x16 e = i32_load_u8(x);
    i32x16 normal = i32_shift_left(i32_sub(e, i32_set(1)), 23);
    return f32_from_bits(i32_larger(normal, i32_shift_left(i32_add(e, i32_set(1)), 21)));
}

/// Scales of a block, and its minima where the type has them.
INLINE f32x16 block_scales(uint32_t type, const uint8_t *block, f32x16 *minima) {
    const uint8_t *scales = block + block_scales_at(type);
    if (type == SHARD_TYPE_MXFP4) {
        return f32_load_e8m0(scales);
    }
    if (block_form(type).has_minimum) {
        *minima = f32_load_f16((const void *)(scales + 32));
    }
    return f32_load_f16((const void *)scales);
}

#endif
