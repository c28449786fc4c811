// Opens the region of AVX2 code (with FMA and F16C, which every such processor has). SHARD_VNNI adds AVX-VNNI.
#include <immintrin.h>

#ifdef SHARD_VNNI
#define SHARD_SET avxvnni
#define SHARD_TARGET "avx2,fma,f16c,avxvnni"
#else
#define SHARD_SET avx2
#define SHARD_TARGET "avx2,fma,f16c"
#endif

#include "../lanes/names.h"
#include "../lanes/region.h"

#include "lanes.h"
