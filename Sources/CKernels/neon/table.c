#pragma STDC FP_CONTRACT OFF

#if defined(__aarch64__)

#include "../kernels.h"

const shard_kernels shard_kernels_neon = SHARD_TABLE("neon", neon, neon);
const shard_kernels shard_kernels_neon_dotprod = SHARD_TABLE("neon-dotprod", neon, neon_dotprod);

#endif
