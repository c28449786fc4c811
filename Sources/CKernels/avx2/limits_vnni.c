#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)

#define SHARD_VNNI
#include "begin.h"

#include "limits.h"

#include "../lanes/limits.h"

#include "../lanes/end.h"

#endif
