#pragma STDC FP_CONTRACT OFF

#include "../kernels.h"
#include "conversions.h"

#include <math.h>

size_t argmax_scalar(const float *x, size_t count) {
    size_t best = 0;
    float maximum = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        if (x[i] > maximum) {
            maximum = x[i];
            best = i;
        }
    }
    return best;
}

bool all_finite_scalar(const float *x, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if ((bits_from_float(x[i]) & 0x7f800000) == 0x7f800000) {
            return false;
        }
    }
    return true;
}
