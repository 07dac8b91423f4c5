// What the float kernels use from outside; included before an instruction set is pushed.
#pragma once
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "ckernels.h"
#include "halves.h"

// Where a product and a sum are rounded together, the kernels say so: left to the compiler, it would
// depend on the instruction set.
#pragma clang fp contract(off)

// Vectors only pass between functions that are inlined into each other.
#pragma clang diagnostic ignored "-Wpsabi"

const ck_kernels *ck_kernels_portable(void);
const ck_kernels *ck_kernels_avx2(void);
const ck_kernels *ck_kernels_avx512(void);

// Products in bfloat16 by `vdpbf16ps`.
void ck_product_bfloat16_avx512(const ck_product *p, long i, long rows, long j, long columns);

// Makes this thread take subnormal numbers as 0; what to give back to have them again.
static inline uint64_t ck_flush_subnormals(void) {
#if defined(__x86_64__)
    uint32_t before = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(before | 0x8040);
    return before;
#elif defined(__aarch64__)
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before)::"memory");
    __asm__ volatile("msr fpcr, %0" ::"r"(before | 1u << 24) : "memory");
    return before;
#else
    return 0;
#endif
}

static inline void ck_restore_subnormals(uint64_t before) {
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr((uint32_t)before);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" ::"r"(before) : "memory");
#endif
}

extern const ck_packed_products ck_packed_portable, ck_packed_avx2, ck_packed_avx512;
