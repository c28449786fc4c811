// Opens the region of AVX-512 code (F, BW, DQ, VL: what every such processor since 2017 has). SHARD_VNNI adds VNNI.
#include <immintrin.h>

#ifdef SHARD_VNNI
#define SHARD_SET avx512vnni
#define SHARD_TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,avx512vnni"
#else
#define SHARD_SET avx512
#define SHARD_TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"
#endif

#include "../lanes/names.h"
#include "../lanes/region.h"

#include "lanes.h"
