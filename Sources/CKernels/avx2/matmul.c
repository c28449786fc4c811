#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)

#include "begin.h"

#include "bytes.h"

#include "../lanes/matmul.h"

#include "../lanes/end.h"

#endif
