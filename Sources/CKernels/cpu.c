// What this CPU can run, and which kernels that chooses.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ckernels.h"

long ck_block_size(int format) {
    switch (format) {
    case CK_NATIVE:
    case CK_F32:
    case CK_F16:
    case CK_BF16: return 1;
    case CK_Q4_K:
    case CK_Q5_K:
    case CK_Q6_K: return 256;
    default: return 32;
    }
}

long ck_block_bytes(int format) {
    switch (format) {
    case CK_F32: return 4;
    case CK_F16:
    case CK_BF16: return 2;
    case CK_Q8_0: return 34;
    case CK_Q4_0: return 18;
    case CK_Q4_1: return 20;
    case CK_Q5_0: return 22;
    case CK_Q5_1: return 24;
    case CK_Q4_K: return 144;
    case CK_Q5_K: return 176;
    case CK_Q6_K: return 210;
    default: return 0;
    }
}

const char *ck_openblas_core(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return "SKYLAKEX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_is("amd")) return "ZEN";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "HASWELL";
#endif
    return NULL;
}

#if defined(__x86_64__)
#include <cpuid.h>
#endif

void ck_cpu_model(char *text, long capacity) {
    memset(text, 0, capacity);
#if defined(__x86_64__)
    uint32_t words[12], most;
    most = __get_cpuid_max(0x80000000, NULL);
    if (most < 0x80000004) return;
    for (uint32_t i = 0; i < 3; i++)
        __get_cpuid(0x80000002 + i, words + 4 * i, words + 4 * i + 1, words + 4 * i + 2,
                    words + 4 * i + 3);
    const char *brand = (const char *)words;
    long from = 0, to = 0;
    while (from < 48 && brand[from] == ' ') from++;
    while (from < 48 && brand[from] && to < capacity - 1) text[to++] = brand[from++];
    while (to > 0 && text[to - 1] == ' ') text[--to] = 0;
#endif
}
