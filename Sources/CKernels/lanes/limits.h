// Loops at full speed, written once over what each instruction set's `limits.c` defines:
//
//   LIMITS_NAME, INTEGER_NAME, FLOAT_NAME   as `shard_limits` has them
//   words                     a register of memory's bits: words_zero, words_load, words_xor, words_fold (to 64 bits)
//   integers                  a sum of products: integers_zero, integers_add(sum, &w, a), integers_fold
//   factors                   what integers_add multiplies: factors_make
//   floats                    a sum of products and a factor of them: floats_make, floats_add(sum, w, a), floats_fold
//   INTEGER_SUMS, FLOAT_SUMS  sums side by side that fit the registers
//   INTEGER_OPERATIONS, FLOAT_OPERATIONS    of one addition
//   REGISTER, FLOAT_REGISTER  where factors and floats live: a constraint of inline assembly
/// Bytes that a stream is read by at a time.
#define STREAM_STEP_BYTES ((size_t)256)
/// How far ahead of its use a line is asked for.
#define AHEAD_BYTES ((size_t)2048)

INLINE uint64_t read_streams(const void *memory, size_t byte_count, const size_t stream_count, const size_t ahead) {
    const uint8_t *bytes = memory;
    const size_t stream_bytes = byte_count / stream_count, words_per_step = STREAM_STEP_BYTES / sizeof(words);
    words sums[4] = {words_zero(), words_zero(), words_zero(), words_zero()};
    for (size_t at = 0; at < stream_bytes; at += STREAM_STEP_BYTES) {
        for (size_t s = 0; s < stream_count; s++) {
            const uint8_t *step = bytes + s * stream_bytes + at;
            for (size_t line = 0; ahead != 0 && line < STREAM_STEP_BYTES; line += 64) {
                __builtin_prefetch(step + ahead + line, 0, 3);
            }
            for (size_t i = 0; i < words_per_step; i++) {
                sums[i % 4] = words_xor(sums[i % 4], words_load(step + i * sizeof(words)));
            }
        }
    }
    return words_fold(words_xor(words_xor(sums[0], sums[1]), words_xor(sums[2], sums[3])));
}

static uint64_t NAME(read_one)(const void *memory, size_t byte_count) {
    return read_streams(memory, byte_count, 1, 0);
}
static uint64_t NAME(read_one_ahead)(const void *memory, size_t byte_count) {
    return read_streams(memory, byte_count, 1, AHEAD_BYTES);
}
static uint64_t NAME(read_four)(const void *memory, size_t byte_count) {
    return read_streams(memory, byte_count, 4, 0);
}
static uint64_t NAME(read_four_ahead)(const void *memory, size_t byte_count) {
    return read_streams(memory, byte_count, 4, AHEAD_BYTES);
}

static uint64_t NAME(multiply_integers)(size_t round_count) {
    integers sums[INTEGER_SUMS];
    factors w = factors_make(1), a = factors_make(2);
    HIDE(REGISTER, a);
    for (size_t i = 0; i < INTEGER_SUMS; i++) {
        sums[i] = integers_zero();
    }
    for (size_t round = 0; round < round_count; round++) {
#pragma GCC unroll 16
        for (size_t i = 0; i < INTEGER_SUMS; i++) {
            sums[i] = integers_add(sums[i], &w, a);
        }
    }
    uint64_t result = 0;
    for (size_t i = 0; i < INTEGER_SUMS; i++) {
        result += integers_fold(sums[i]);
    }
    return result;
}

static uint64_t NAME(multiply_floats)(size_t round_count) {
    floats sums[FLOAT_SUMS];
    floats w = floats_make(0.5f), a = floats_make(0.25f);
    HIDE(FLOAT_REGISTER, a);
    for (size_t i = 0; i < FLOAT_SUMS; i++) {
        sums[i] = floats_make(0.0f);
    }
    for (size_t round = 0; round < round_count; round++) {
#pragma GCC unroll 16
        for (size_t i = 0; i < FLOAT_SUMS; i++) {
            HIDE(FLOAT_REGISTER, w);
            sums[i] = floats_add(sums[i], w, a);
        }
    }
    float result = 0;
    for (size_t i = 0; i < FLOAT_SUMS; i++) {
        result += floats_fold(sums[i]);
    }
    return (uint64_t)result;
}

static const shard_read_loop NAME(read_loops)[] = {
    {"one stream", NAME(read_one)},
    {"one stream, read ahead", NAME(read_one_ahead)},
    {"four streams", NAME(read_four)},
    {"four streams, read ahead", NAME(read_four_ahead)},
};

const shard_limits NAME(shard_limits) = {
    .name = LIMITS_NAME,
    .reads = NAME(read_loops),
    .read_count = sizeof NAME(read_loops) / sizeof NAME(read_loops)[0],
    .integers = {INTEGER_NAME, INTEGER_SUMS * INTEGER_OPERATIONS, NAME(multiply_integers)},
    .floats = {FLOAT_NAME, FLOAT_SUMS * FLOAT_OPERATIONS, NAME(multiply_floats)},
};
