// Half precision by bits: what the conversion instructions of every processor do.
#ifndef SHARD_SCALAR_CONVERSIONS_H
#define SHARD_SCALAR_CONVERSIONS_H

#include <stdint.h>
#include <string.h>

static inline float float_from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bits_from_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline uint16_t load_u16(const void *bytes) {
    uint16_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline float load_f32(const void *bytes) {
    float value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline float f32_from_f16_bits(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = half >> 10 & 31;
    uint32_t mantissa = half & 1023;
    if (exponent == 0) { // zero or denormal: mantissa × 2^−24, exact
        return float_from_bits(bits_from_float((float)mantissa * 0x1p-24f) | sign);
    }
    if (exponent == 31) { // infinite, or NaN made quiet
        return float_from_bits(sign | 0x7f800000 | mantissa << 13 | (mantissa != 0 ? 0x400000 : 0));
    }
    return float_from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

static inline uint16_t f16_bits_from_f32(float value) {
    uint32_t bits = bits_from_float(value);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) { // NaN made quiet
        return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
    }
    if (magnitude >= 0x477ff000) { // 65520 and above round to infinity
        return sign | 0x7c00;
    }
    if (magnitude < 0x38800000) { // below 2^−14: adding ½ rounds to a multiple of 2^−24
        return (uint16_t)(sign | (bits_from_float(float_from_bits(magnitude) + 0.5f) - 0x3f000000));
    }
    uint32_t rounded = magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1);
    return (uint16_t)(sign | rounded >> 13);
}

static inline float f32_from_bf16_bits(uint16_t half) {
    return float_from_bits((uint32_t)half << 16);
}

static inline uint16_t bf16_bits_from_f32(float value) {
    uint32_t bits = bits_from_float(value);
    if ((bits & 0x7fffffff) > 0x7f800000) {
        return (uint16_t)(bits >> 16 | 0x40);
    }
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

#endif
