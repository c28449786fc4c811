#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)

#include "begin.h"

#include "../lanes/partial.h"
#include "../lanes/rotary.h"

#include "../lanes/end.h"

#endif
