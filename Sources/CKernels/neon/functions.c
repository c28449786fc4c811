#pragma STDC FP_CONTRACT OFF

#if defined(__aarch64__)

#include "begin.h"

#include "../lanes/functions_kernels.h"

#include "../lanes/end.h"

#endif
