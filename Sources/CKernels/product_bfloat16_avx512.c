// Products in bfloat16 for x86 CPUs with AVX-512 BF16.
#include "Template/common.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(                                                                      \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c"),          \
                   min_vector_width(512))),                                                        \
    apply_to = function)
#define WIDTH 16
#define TILE_ROWS 14
#define FUSED
#define NATIVE_BFLOAT16
#include "Template/vector.h"
#include "Template/transpose.h"
#include "Template/products.h"

void ck_product_bfloat16_avx512(const ck_product *p, long i, long rows, long j, long columns) {
    product_bfloat16(p, i, rows, j, columns);
}
#pragma clang attribute pop
#endif
