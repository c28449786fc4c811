#pragma STDC FP_CONTRACT OFF

#include "../kernels.h"

const shard_kernels shard_kernels_scalar = SHARD_TABLE("scalar", scalar, scalar);
