#pragma STDC FP_CONTRACT OFF

#if defined(__aarch64__)

#include "begin.h"

#include "../lanes/partial.h"
#include "../lanes/search.h"

#include "../lanes/end.h"

#endif
