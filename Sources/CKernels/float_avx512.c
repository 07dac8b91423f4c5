// Float kernels for x86 CPUs with AVX-512 F, BW, DQ and VL.
#include "Template/common.h"

#if defined(__x86_64__)
#pragma clang attribute push(                                                                      \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"),                     \
                   min_vector_width(512))),                                                        \
    apply_to = function)
#define LANES 16
#define FUSED
#define HALVES
#include "Template/float.h"
#pragma clang attribute pop

// CPUs before Cascade Lake lack VNNI; the products then give the same bits by AVX2.
static const ck_kernels table = CK_TABLE("avx512", &ck_packed_avx512);
static const ck_kernels without_vnni = CK_TABLE("avx512", &ck_packed_avx2);

const ck_kernels *ck_kernels_avx512(void) {
    return __builtin_cpu_supports("avx512vnni") ? &table : &without_vnni;
}
#endif
