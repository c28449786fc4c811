// Elementary functions: the operations of scalar/functions.h in the same order, 16 at a time.
#ifndef SHARD_LANES_FUNCTIONS_H
#define SHARD_LANES_FUNCTIONS_H

INLINE f32x16 lanes_power_of_two(i32x16 n) {
    return f32_from_bits(i32_shift_left(i32_add(n, i32_set(127)), 23));
}

INLINE f32x16 lanes_exp_minus_one_near_zero(f32x16 r) {
    f32x16 p = f32_set(1.0f / 5040);
    p = f32_fma(p, r, f32_set(1.0f / 720));
    p = f32_fma(p, r, f32_set(1.0f / 120));
    p = f32_fma(p, r, f32_set(1.0f / 24));
    p = f32_fma(p, r, f32_set(1.0f / 6));
    p = f32_fma(p, r, f32_set(0.5f));
    return f32_fma(f32_mul(p, r), r, r);
}

INLINE f32x16 lanes_reduce_by_ln2(f32x16 x, f32x16 *n) {
    *n = f32_nearest(f32_mul(x, f32_set(0x1.715476p+0f)));
    f32x16 r = f32_fma(*n, f32_set(-0x1.62e4p-1f), x);
    return f32_fma(*n, f32_set(-0x1.7f7d1cp-20f), r);
}

INLINE f32x16 lanes_exp(f32x16 x) {
    f32x16 clamped = f32_larger(x, f32_set(-104.0f));
    clamped = f32_if_greater(f32_set(89.0f), clamped, clamped, f32_set(89.0f));
    f32x16 n;
    f32x16 r = lanes_reduce_by_ln2(clamped, &n);
    f32x16 y = f32_add(lanes_exp_minus_one_near_zero(r), f32_set(1.0f));
    i32x16 whole = i32_from_f32(n);
    i32x16 half = i32_shift_right(whole, 1);
    y = f32_mul(f32_mul(y, lanes_power_of_two(half)), lanes_power_of_two(i32_sub(whole, half)));
    return f32_if_equal(x, x, y, x);
}

INLINE f32x16 lanes_log(f32x16 x) {
    f32x16 smallest = f32_set(0x1p-126f);
    f32x16 normal = f32_if_greater(smallest, x, f32_mul(x, f32_set(0x1p23f)), x);
    f32x16 bias = f32_if_greater(smallest, x, f32_set(-23.0f), f32_set(0.0f));
    i32x16 root_half = i32_set(0x3f3504f3);
    i32x16 bits = i32_sub(i32_bits(normal), root_half);
    f32x16 exponent = f32_add(f32_from_i32(i32_shift_right(bits, 23)), bias);
    f32x16 mantissa = f32_from_bits(i32_add(i32_and(bits, i32_set(0x7fffff)), root_half));
    f32x16 f = f32_sub(mantissa, f32_set(1.0f));
    f32x16 s = f32_div(f, f32_add(f32_set(2.0f), f));
    f32x16 z = f32_mul(s, s);
    f32x16 series = f32_set(2.0f / 9);
    series = f32_fma(series, z, f32_set(2.0f / 7));
    series = f32_fma(series, z, f32_set(2.0f / 5));
    series = f32_fma(series, z, f32_set(2.0f / 3));
    f32x16 half = f32_mul(f32_mul(f32_set(0.5f), f), f);
    f32x16 rest = f32_fma(s, f32_fma(series, z, half), f32_mul(exponent, f32_set(0x1.7f7d1cp-20f)));
    f32x16 y = f32_fma(exponent, f32_set(0x1.62e4p-1f), f32_sub(f, f32_sub(half, rest)));
    f32x16 zero = f32_set(0.0f);
    y = f32_if_equal(x, zero, f32_set(-INFINITY), y);
    y = f32_if_greater(zero, x, f32_from_bits(i32_set(0x7fc00000)), y);
    return f32_if_greater(f32_set(INFINITY), x, y, x);
}

INLINE f32x16 lanes_tanh(f32x16 x) {
    i32x16 magnitude_bits = i32_and(i32_bits(x), i32_set(0x7fffffff));
    i32x16 sign = i32_sub(i32_bits(x), magnitude_bits);
    f32x16 magnitude = f32_from_bits(magnitude_bits);
    f32x16 clamped = f32_if_greater(f32_set(10.0f), magnitude, magnitude, f32_set(10.0f));
    f32x16 n;
    f32x16 r = lanes_reduce_by_ln2(f32_mul(f32_set(-2.0f), clamped), &n);
    f32x16 power = lanes_power_of_two(i32_from_f32(n));
    f32x16 e = f32_fma(lanes_exp_minus_one_near_zero(r), power, f32_sub(power, f32_set(1.0f)));
    f32x16 y = f32_div(e, f32_add(f32_set(2.0f), e));
    y = f32_from_bits(i32_or(i32_and(i32_bits(y), i32_set(0x7fffffff)), sign));
    return f32_if_equal(x, x, y, x);
}

INLINE f32x16 lanes_one_plus_exp_of_negative(f32x16 x) {
    return f32_add(f32_set(1.0f), lanes_exp(f32_negate(x)));
}

INLINE f32x16 lanes_sigmoid(f32x16 x) {
    return f32_div(f32_set(1.0f), lanes_one_plus_exp_of_negative(x));
}

INLINE f32x16 lanes_silu(f32x16 x) {
    return f32_div(x, lanes_one_plus_exp_of_negative(x));
}

#endif
