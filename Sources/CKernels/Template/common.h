// What the float kernels use from outside; included before an instruction set is pushed.
#pragma once
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "ckernels.h"
#include "halves.h"

// Vectors only pass between functions that are inlined into each other.
#pragma clang diagnostic ignored "-Wpsabi"

const ck_kernels *ck_kernels_portable(void);
const ck_kernels *ck_kernels_avx2(void);
const ck_kernels *ck_kernels_avx512(void);

extern const ck_packed_products ck_packed_portable, ck_packed_avx2, ck_packed_avx512;
