// SHA-256 (FIPS 180-4) with instructions for its rounds: they wait for one another, so two computations side by side
// take little longer than one.
#ifndef SHARD_SHA256_LANES_H
#define SHARD_SHA256_LANES_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_LANES_MAX = 2 };

/// The constants of the 64 rounds (section 4.2.2).
extern const uint32_t sha256_constants[64];

/// GROUP(i) for each of the sixteen groups of four rounds.
#define SHA256_GROUPS(GROUP)                                                                                           \
    GROUP(0)                                                                                                           \
    GROUP(1) GROUP(2) GROUP(3) GROUP(4) GROUP(5) GROUP(6) GROUP(7) GROUP(8) GROUP(9) GROUP(10) GROUP(11) GROUP(12)      \
        GROUP(13) GROUP(14) GROUP(15)

#endif
