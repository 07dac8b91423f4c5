// Float kernels for x86 CPUs with AVX-512 F, BW, DQ and VL.
#include "Template/common.h"

#if defined(__x86_64__)
#pragma clang attribute push(                                                                      \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"),                     \
                   min_vector_width(512))),                                                        \
    apply_to = function)
#define WIDTH 16
#define TILE_ROWS 14
#define FUSED
#define HALVES
#include "Template/float.h"
#pragma clang attribute pop

// CPUs before Cascade Lake lack VNNI, and those before Cooper Lake and Zen 4 bfloat16; the products
// then give the same bits by other instructions.
static const ck_kernels table =
    CK_TABLE("avx512", &ck_packed_avx512, product, ck_product_bfloat16_avx512);
static const ck_kernels without_bfloat16 =
    CK_TABLE("avx512", &ck_packed_avx512, product, product_bfloat16);
static const ck_kernels without_vnni =
    CK_TABLE("avx512", &ck_packed_avx2, product, product_bfloat16);

const ck_kernels *ck_kernels_avx512(void) {
    if (!__builtin_cpu_supports("avx512vnni")) return &without_vnni;
    return __builtin_cpu_supports("avx512bf16") ? &table : &without_bfloat16;
}
#endif
