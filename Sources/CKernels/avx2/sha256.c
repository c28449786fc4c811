// SHA-256 by the SHA instructions of x86-64: two rounds each, on the state as (a, b, e, f) and (c, d, g, h).
#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)

#include "../kernels.h"
#include "../lanes/sha256.h"

#include <immintrin.h>

#define SHA256_TARGET __attribute__((target("sha,sse4.1")))

/// Four rounds of each lane with the group's four words, and the words of the group after next but two.
#define SHA256_GROUP(i)                                                                                                \
    for (size_t lane = 0; lane < LANES; lane++) {                                                                      \
        __m128i *words = message[lane];                                                                                \
        __m128i sum = _mm_add_epi32(words[(i) % 4], _mm_loadu_si128((const __m128i *)(sha256_constants + 4 * (i))));   \
        cdgh[lane] = _mm_sha256rnds2_epu32(cdgh[lane], abef[lane], sum);                                               \
        abef[lane] = _mm_sha256rnds2_epu32(abef[lane], cdgh[lane], _mm_shuffle_epi32(sum, 0x0e));                      \
        if ((i) >= 3 && (i) < 15) {                                                                                    \
            __m128i early = _mm_sha256msg1_epu32(words[((i) + 1) % 4], words[((i) + 2) % 4]);                          \
            __m128i middle = _mm_alignr_epi8(words[(i) % 4], words[((i) + 3) % 4], 4);                                 \
            words[((i) + 1) % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(early, middle), words[(i) % 4]);                 \
        }                                                                                                              \
    }

#define SHA256_FUNCTION(name, count)                                                                                   \
    SHA256_TARGET static void name(shard_sha256_lane *lanes, size_t block_count) {             \
        enum { LANES = count };                                                                                        \
        const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);                             \
        __m128i abef[LANES], cdgh[LANES];                                                                              \
        for (size_t lane = 0; lane < LANES; lane++) {                                                                  \
            const __m128i *state = (const __m128i *)lanes[lane].words;                                                      \
            __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128(state), 0xb1);                                            \
            __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(state + 1), 0x1b);                                        \
            abef[lane] = _mm_alignr_epi8(abcd, efgh, 8);                                                               \
            cdgh[lane] = _mm_blend_epi16(efgh, abcd, 0xf0);                                                            \
        }                                                                                                              \
        for (size_t block = 0; block < block_count; block++) {                                                         \
            __m128i message[LANES][4], abef_before[LANES], cdgh_before[LANES];                                         \
            for (size_t lane = 0; lane < LANES; lane++) {                                                              \
                const __m128i *bytes = (const __m128i *)(lanes[lane].data + 64 * block);                                     \
                for (size_t i = 0; i < 4; i++) {                                                                       \
                    message[lane][i] = _mm_shuffle_epi8(_mm_loadu_si128(bytes + i), big_endian);                       \
                }                                                                                                      \
                abef_before[lane] = abef[lane];                                                                        \
                cdgh_before[lane] = cdgh[lane];                                                                        \
            }                                                                                                          \
            SHA256_GROUPS(SHA256_GROUP)                                                                                \
            for (size_t lane = 0; lane < LANES; lane++) {                                                              \
                abef[lane] = _mm_add_epi32(abef[lane], abef_before[lane]);                                             \
                cdgh[lane] = _mm_add_epi32(cdgh[lane], cdgh_before[lane]);                                             \
            }                                                                                                          \
        }                                                                                                              \
        for (size_t lane = 0; lane < LANES; lane++) {                                                                  \
            __m128i feba = _mm_shuffle_epi32(abef[lane], 0x1b), dchg = _mm_shuffle_epi32(cdgh[lane], 0xb1);            \
            _mm_storeu_si128((__m128i *)lanes[lane].words, _mm_blend_epi16(feba, dchg, 0xf0));                              \
            _mm_storeu_si128((__m128i *)lanes[lane].words + 1, _mm_alignr_epi8(dchg, feba, 8));                             \
        }                                                                                                              \
    }

SHA256_FUNCTION(one_lane, 1)
SHA256_FUNCTION(two_lanes, 2)

void sha256_ni(size_t lane_count, shard_sha256_lane *lanes, size_t block_count) {
    (lane_count == 2 ? two_lanes : one_lane)(lanes, block_count);
}

#endif
