// Opens the region of NEON code, which needs no target; SHARD_DOTPROD adds the dot products of ARMv8.2.
#include <arm_neon.h>

#ifdef SHARD_DOTPROD
#define SHARD_SET neon_dotprod
#if defined(__clang__)
#define SHARD_TARGET "dotprod"
#else
#define SHARD_TARGET "arch=armv8.2-a+dotprod"
#endif
#else
#define SHARD_SET neon
#if defined(__clang__)
#define SHARD_TARGET "neon"
#else
#define SHARD_TARGET "arch=armv8-a"
#endif
#endif

#include "../lanes/names.h"
#include "../lanes/region.h"

#include "lanes.h"
