#pragma STDC FP_CONTRACT OFF

#if defined(__aarch64__)

#include "begin.h"

#include "../lanes/quantize.h"

#include "../lanes/end.h"

#endif
