// Which float kernels this process uses.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "Template/common.h"

const ck_kernels *ck_kernels_named(const char *name) {
    if (strcmp(name, "portable") == 0) return ck_kernels_portable();
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
             && __builtin_cpu_supports("f16c");
    if (strcmp(name, "avx2") == 0 && avx2) return ck_kernels_avx2();
    if (strcmp(name, "avx512") == 0 && avx2 && __builtin_cpu_supports("avx512f")
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl"))
        return ck_kernels_avx512();
#endif
    return NULL;
}

enum { COUNT = 4 * 7 * 33 };

static bool same(long n, const float *a, const float *b) {
    return memcmp(a, b, n * sizeof(float)) == 0;
}

// A few results of every kind against the portable kernels, bit by bit: a twin that the compiler, an
// emulator or the CPU gets wrong is not used.
static bool agrees(const ck_kernels *k) {
    const ck_kernels *p = ck_kernels_portable();
    float x[COUNT], y[COUNT], a[COUNT], b[COUNT], c[COUNT] = {0}, d[COUNT] = {0};
    for (long i = 0; i < COUNT; i++) {
        x[i] = (float)(i * 37 % 251 - 125) / 64;
        y[i] = (float)(i * 53 % 241 - 120) / 64;
    }
    for (int f = CK_RELU; f <= CK_EXP; f++) {
        k->activate(f, COUNT, x, a);
        p->activate(f, COUNT, x, b);
        if (!same(COUNT, a, b)) return false;
    }
    k->softmax(7, COUNT / 7, x, a);
    p->softmax(7, COUNT / 7, x, b);
    if (!same(COUNT, a, b)) return false;
    k->linear(7, 33, x, CK_NATIVE, y, 0, 14, 14, NULL, a);
    p->linear(7, 33, x, CK_NATIVE, y, 0, 14, 14, NULL, b);
    if (!same(7 * 14, a, b)) return false;

    ck_attention_shape shape = {.query_heads = 2, .kv_heads = 1, .head_dim = 11, .scale = 0.25};
    const void *keys[] = {y}, *values[] = {y + 100};
    ck_attention_segment segment = {.count = 21, .q = x, .keys = keys, .values = values, .out = a,
                                    .log_sum_exp = c};
    k->attention(&shape, &segment, 0, 0, 21);
    segment.out = b, segment.log_sum_exp = d;
    p->attention(&shape, &segment, 0, 0, 21);
    if (!same(21 * 22, a, b) || !same(21 * 2, c, d)) return false;

    // [20, 28] by [28, 33]: all that y holds.
    ck_product product = {.a = x, .b = y, .c = a, .a_stride = 28, .b_stride = 33, .c_stride = 33,
                          .k = COUNT / 33};
    k->product(&product, 0, 20, 0, 33);
    k->product_bfloat16(&product, 1, 19, 3, 30);
    product.c = b;
    p->product(&product, 0, 20, 0, 33);
    p->product_bfloat16(&product, 1, 19, 3, 30);
    if (!same(20 * 33, a, b)) return false;

    // One strip of 256 columns.
    static uint8_t stored[16 * 8 * 34], packed[16 * 8 * 34];
    static float quantized[3 * 8 * 12];
    for (unsigned i = 0; i < sizeof stored; i++) stored[i] = (uint8_t)((i * 89 + 7) & 0x3f);
    for (int f = CK_Q8_0; f <= CK_Q6_K; f++) {
        ck_pack(f, 16, 256, stored, 0, 1, packed);
        k->packed->quantize(3, 256, x, f, 0, 3, quantized);
        k->packed->linear(3, 256, quantized, f, packed, 0, 1, 16, NULL, a);
        p->packed->quantize(3, 256, x, f, 0, 3, quantized);
        p->packed->linear(3, 256, quantized, f, packed, 0, 1, 16, NULL, b);
        if (!same(3 * 16, a, b)) return false;
    }

    uint8_t bytes[210];
    for (int i = 0; i < 210; i++) bytes[i] = (uint8_t)((i * 89 + 7) & 0x3f);
    for (int f = CK_F32; f <= CK_Q6_K; f++) {
        k->dequantize(f, ck_block_size(f), bytes, a);
        p->dequantize(f, ck_block_size(f), bytes, b);
        if (!same(ck_block_size(f), a, b)) return false;
    }
    return true;
}

static const ck_kernels *chosen;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose(void) {
    const char *wish = getenv("RSD_INSTRUCTION_SET");
    const char *names[] = {wish ? wish : "avx512", "avx2", "portable"};
    for (int i = 0; i < 3; i++) {
        const ck_kernels *k = ck_kernels_named(names[i]);
        if (!k && wish && i == 0)
            fprintf(stderr, "warning: this CPU cannot run RSD_INSTRUCTION_SET=%s\n", wish);
        if (!k) continue;
        if (k == ck_kernels_portable() || agrees(k)) {
            chosen = k;
            return;
        }
        fprintf(stderr, "warning: the %s kernels give wrong results here; not used\n", k->name);
    }
}

static _Thread_local const ck_kernels *of_this_thread;

const ck_kernels *ck_kernels_float(void) {
    if (of_this_thread) return of_this_thread;
    pthread_once(&once, choose);
    return chosen;
}

const ck_kernels *ck_kernels_use(const ck_kernels *table) {
    const ck_kernels *before = of_this_thread;
    of_this_thread = table;
    return before;
}
