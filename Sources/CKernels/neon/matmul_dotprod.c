#pragma STDC FP_CONTRACT OFF

#if defined(__aarch64__)

#define SHARD_DOTPROD
#include "begin.h"

#include "bytes.h"

#include "../lanes/matmul.h"

#include "../lanes/end.h"

#endif
