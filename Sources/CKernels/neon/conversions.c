#pragma STDC FP_CONTRACT OFF

#if defined(__aarch64__)

#include "begin.h"

#include "../lanes/conversions.h"

#include "../lanes/end.h"

#endif
