// Float kernels for x86 CPUs with AVX2, FMA and F16C.
#include "Template/common.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define WIDTH 8
#define TILE_ROWS 6
#define FUSED
#define HALVES
#include "Template/float.h"
#pragma clang attribute pop

static const ck_kernels table = CK_TABLE("avx2", &ck_packed_avx2, product, product_bfloat16);

const ck_kernels *ck_kernels_avx2(void) { return &table; }
#endif
