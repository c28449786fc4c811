#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)

#include "../kernels.h"

const shard_kernels shard_kernels_avx2 = SHARD_TABLE("avx2", avx2, avx2);
const shard_kernels shard_kernels_avxvnni = SHARD_TABLE("avxvnni", avx2, avxvnni);

#endif
