// SHA-256 by the SHA instructions of ARMv8: four rounds each, on the state as (a, b, c, d) and (e, f, g, h).
#pragma STDC FP_CONTRACT OFF

#if defined(__aarch64__)

#include "../kernels.h"
#include "../lanes/sha256.h"

#if defined(__clang__)
#define SHA256_TARGET __attribute__((target("sha2")))
#else
#pragma GCC target("arch=armv8-a+crypto")
#define SHA256_TARGET
#endif
#include <arm_neon.h>

/// Four rounds of each lane with the group's four words, and the words of the group after next but two.
#define SHA256_GROUP(i)                                                                                                \
    for (size_t lane = 0; lane < LANES; lane++) {                                                                      \
        uint32x4_t *words = message[lane];                                                                             \
        uint32x4_t sum = vaddq_u32(words[(i) % 4], vld1q_u32(sha256_constants + 4 * (i)));                             \
        uint32x4_t before = abcd[lane];                                                                                \
        abcd[lane] = vsha256hq_u32(abcd[lane], efgh[lane], sum);                                                       \
        efgh[lane] = vsha256h2q_u32(efgh[lane], before, sum);                                                          \
        if ((i) >= 3 && (i) < 15) {                                                                                    \
            uint32x4_t early = vsha256su0q_u32(words[((i) + 1) % 4], words[((i) + 2) % 4]);                            \
            words[((i) + 1) % 4] = vsha256su1q_u32(early, words[((i) + 3) % 4], words[(i) % 4]);                       \
        }                                                                                                              \
    }

#define SHA256_FUNCTION(name, count)                                                                                   \
    SHA256_TARGET static void name(shard_sha256_lane *lanes, size_t block_count) {             \
        enum { LANES = count };                                                                                        \
        uint32x4_t abcd[LANES], efgh[LANES];                                                                           \
        for (size_t lane = 0; lane < LANES; lane++) {                                                                  \
            abcd[lane] = vld1q_u32(lanes[lane].words);                                                                      \
            efgh[lane] = vld1q_u32(lanes[lane].words + 4);                                                                  \
        }                                                                                                              \
        for (size_t block = 0; block < block_count; block++) {                                                         \
            uint32x4_t message[LANES][4], abcd_before[LANES], efgh_before[LANES];                                      \
            for (size_t lane = 0; lane < LANES; lane++) {                                                              \
                for (size_t i = 0; i < 4; i++) {                                                                       \
                    uint8x16_t bytes = vld1q_u8(lanes[lane].data + 64 * block + 16 * i);                                     \
                    message[lane][i] = vreinterpretq_u32_u8(vrev32q_u8(bytes));                                        \
                }                                                                                                      \
                abcd_before[lane] = abcd[lane];                                                                        \
                efgh_before[lane] = efgh[lane];                                                                        \
            }                                                                                                          \
            SHA256_GROUPS(SHA256_GROUP)                                                                                \
            for (size_t lane = 0; lane < LANES; lane++) {                                                              \
                abcd[lane] = vaddq_u32(abcd[lane], abcd_before[lane]);                                                 \
                efgh[lane] = vaddq_u32(efgh[lane], efgh_before[lane]);                                                 \
            }                                                                                                          \
        }                                                                                                              \
        for (size_t lane = 0; lane < LANES; lane++) {                                                                  \
            vst1q_u32(lanes[lane].words, abcd[lane]);                                                                       \
            vst1q_u32(lanes[lane].words + 4, efgh[lane]);                                                                   \
        }                                                                                                              \
    }

SHA256_FUNCTION(one_lane, 1)
SHA256_FUNCTION(two_lanes, 2)

void sha256_neon(size_t lane_count, shard_sha256_lane *lanes, size_t block_count) {
    (lane_count == 2 ? two_lanes : one_lane)(lanes, block_count);
}

#endif
