#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)

#define SHARD_VNNI
#include "begin.h"

#include "bytes.h"

#include "../lanes/matmul.h"

#include "../lanes/end.h"

#endif
