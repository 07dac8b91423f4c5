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

static const ck_kernels table = CK_TABLE("avx512");

const ck_kernels *ck_kernels_avx512(void) { return &table; }
#endif
