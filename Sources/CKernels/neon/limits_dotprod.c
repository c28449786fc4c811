#pragma STDC FP_CONTRACT OFF

#if defined(__aarch64__)

#define SHARD_DOTPROD
#include "begin.h"

#include "limits.h"

#include "../lanes/limits.h"

#include "../lanes/end.h"

#endif
