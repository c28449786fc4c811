#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)

#include "../kernels.h"

const shard_kernels shard_kernels_avx512 = SHARD_TABLE("avx512", avx512, avx512);
const shard_kernels shard_kernels_avx512vnni = SHARD_TABLE("avx512vnni", avx512, avx512vnni);

#endif
